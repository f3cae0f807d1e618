"""The package behind the Low-Light Workbook: `enhance`, and one module per subject."""

from lle_utils.api import enhance

__all__ = ["enhance"]
__version__ = "0.1.0"
