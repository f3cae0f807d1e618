"""Keras, imported without the log lines of its back end."""

from lle_utils.quiet import without_log_lines

with without_log_lines():
    import keras
    from keras import ops

__all__ = ["keras", "ops"]
