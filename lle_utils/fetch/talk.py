"""What a fetch says while it works: sentences and progress bars, or nothing at all."""

import warnings


def readable(number):
    """Return a number of bytes as people read it, in decimal units: ``347 MB``."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if number >= size:
            value = number / size
            return f"{value:.1f} {unit}" if value < 10 else f"{value:.0f} {unit}"
    return "1 byte" if number == 1 else f"{number:.0f} bytes"


class Talk:
    """Where sentences and progress go.

    Parameters
    ----------
    progress : bool
        False for silence.
    """

    def __init__(self, progress=True):
        self.progress = progress

    def say(self, sentence):
        """Print one sentence, if anything is to be said at all."""
        if self.progress:
            print(sentence, flush=True)

    def bar(self, what, total=None, done=0):
        """Return a progress bar that counts bytes, in terminals and notebooks alike.

        Parameters
        ----------
        what : str
            What is being done, such as ``"Downloading"``.
        total : int, optional
            Bytes to do, where that is known.
        done : int
            Bytes that an earlier call has already done.

        Returns
        -------
        tqdm.tqdm
            To be used in a ``with`` statement.
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # tqdm advises on ipywidgets; a plain bar will do
            from tqdm.auto import tqdm

        return tqdm(
            desc=what,
            total=total,
            initial=done,
            unit="B",
            unit_scale=True,
            disable=not self.progress,
            leave=False,
        )
