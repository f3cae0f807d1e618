"""How an exercise's answer is judged: never by an exception, always in words.

The modules beside it hold the checks. What is here lets them be short: a check asks the
answer (`ask`), compares, and either returns a sentence of praise or raises `Wrong` with a
diagnosis. The decorator `check` makes a `Verdict` of either, and of everything else that an answer
may do: be empty, stop with an error, or never end.
"""

import copy
import functools
import signal
import textwrap
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

FILL_IN = "replace each ... in the cell above by your answer"

SECONDS = 60
"""How long an answer may run (all calls of one check together)."""


@dataclass(frozen=True, repr=False)
class Verdict:
    """What a check says about an answer; a notebook shows the message.

    Attributes
    ----------
    correct : bool
        Whether the answer is right; also the truth value of the verdict.
    message : str
        The verdict in words: what is right, or what is wrong and why.
    """

    correct: bool
    message: str

    def __bool__(self) -> bool:
        return self.correct

    def __repr__(self) -> str:
        return textwrap.fill(self.message, 96)


class Wrong(Exception):  # noqa: N818  (a diagnosis, which `check` always catches)
    """A diagnosis: what is wrong with the answer, and why."""


class Blank(Wrong):
    """The answer has not been filled in."""


class _TimeUp(BaseException):
    """The answer runs too long. Not an `Exception`, so that an answer's own `except` lets it by."""


def check(judge: Callable[..., str]) -> Callable[..., Verdict]:
    """Make a check of a function that returns praise or raises `Wrong`.

    The check takes the same answers and returns a `Verdict`. Whatever the answers do, it does not
    raise; only a person's own interrupt gets through.
    """

    @functools.wraps(judge)
    def checked(*answers) -> Verdict:
        try:
            if any(answer is None or answer is Ellipsis for answer in answers):
                raise Blank(FILL_IN)
            with _time_limit(SECONDS):
                return Verdict(True, f"Correct. {judge(*answers)}")
        except Blank as blank:
            return Verdict(False, f"Not filled in yet: {blank}. Then run that cell and this one.")
        except Wrong as wrong:
            return Verdict(False, f"Not right yet: {wrong}")
        except _TimeUp:
            return Verdict(False, f"Not right yet: it still runs after {SECONDS} s. Does it end?")
        except (Exception, SystemExit) as error:
            return Verdict(False, f"Not right yet: it stopped with {_in_words(error)}")

    return checked


def ask(
    function: Callable, *arguments, none_is_an_answer: bool = False, keeps: bool = False, **named
):
    """Call an answer that must be a function, on copies of the arguments, and return its result.

    Parameters
    ----------
    function : callable
        The answer.
    *arguments, **named
        What to call it with. It gets copies of arrays and lists, so that it cannot spoil them.
    none_is_an_answer : bool, default False
        Whether the function may return None.
    keeps : bool, default False
        Whether the function must leave the arrays that it is given as they are.

    Returns
    -------
    object
        Whatever it returned.

    Raises
    ------
    Blank
        If it returned ``...`` or, unless that is an answer, None.
    Wrong
        If it is not a function, stopped with an error, or changed what it has to keep.
    """
    if not callable(function):
        raise Wrong(f"a function was asked for, and this is {_kind(function)}.")
    given = [
        copy.deepcopy(value) if isinstance(value, np.ndarray | list | dict) else value
        for value in arguments
    ]
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            result = function(*given, **named)
    except Wrong:  # what the answer was given (a network, say) has its own diagnosis
        raise
    except (Exception, SystemExit) as error:
        raise Wrong(f"{call(function, *arguments)} stopped with {_in_words(error)}") from None
    for before, after in zip(arguments, given, strict=True):
        if keeps and isinstance(before, np.ndarray) and not np.array_equal(before, after):
            raise Wrong(
                "it changes the array that it was given, and whoever called it has lost the "
                "original. Make a new one: image = image / 255 and not image /= 255, image = image "
                "+ change and not image += change."
            )
    if result is None and not none_is_an_answer:
        raise Blank(
            f"{call(function, *arguments)} returned None; replace each ... and end every way "
            "through the function with `return`"
        )
    if any(part is Ellipsis for part in (result if isinstance(result, tuple) else (result,))):
        raise Blank(FILL_IN)
    return result


def call(function: Callable, *arguments) -> str:
    """Return a call as text for a message: ``brighten(0.5, m)``; arrays by their shape."""
    name = getattr(function, "__name__", "<lambda>")
    name = "your function" if name == "<lambda>" else name
    return f"{name}({', '.join(map(_short, arguments))})"


def numbers(value, what: str) -> np.ndarray:
    """Return an answer as an array of floats, or say that it is no number or array of numbers."""
    try:
        if np.asarray(value).dtype.kind not in "US":  # NumPy would read "0.5" as a number
            return np.asarray(value, float)
    except (TypeError, ValueError):
        pass
    raise Wrong(f"{what} must be a number or an array, and it is {_kind(value)}.")


def whole(value, what: str) -> int:
    """Return an answer as an int, or say that it is no whole number."""
    found = numbers(value, what)
    if found.size != 1 or not np.isfinite(found).all() or found.item() != round(found.item()):
        raise Wrong(f"{what} must be a whole number, and it is {_short(value)}.")
    return round(found.item())


def compare(
    function: Callable,
    right: Callable,
    probes,
    mistakes: dict[str, Callable] | None = None,
    *,
    tolerance: float = 1e-6,
) -> None:
    """Hold an answer against the right function on many arguments.

    Parameters
    ----------
    function : callable
        The answer.
    right : callable
        Returns the right value, number or array, for the same arguments.
    probes : iterable of tuples
        The arguments of each call. The first should be rich: mistakes are told apart by it.
    mistakes : dict from str to callable
        Typical mistakes: the diagnosis, and a function that makes the mistake.
    tolerance : float
        Absolute, and relative to the right value.

    Raises
    ------
    Wrong
        On the first difference: with the diagnosis of the mistake that gives the same value, or
        else with the call, the value found and the value that is right.
    """
    for arguments in probes:
        expected = np.asarray(right(*arguments), float)
        found = numbers(ask(function, *arguments), f"what {call(function, *arguments)} returns")
        if _same(found, expected, tolerance):
            continue
        for diagnosis, mistake in (mistakes or {}).items():
            with np.errstate(all="ignore"):
                if _same(found, np.asarray(mistake(*arguments), float), tolerance):
                    raise Wrong(diagnosis)
        text = call(function, *arguments)
        if found.shape != expected.shape:
            raise Wrong(f"{text} has shape {found.shape}; it must have shape {expected.shape}.")
        apart = np.abs(found - expected)
        where = np.unravel_index(np.nan_to_num(apart, nan=np.inf).argmax(), apart.shape)
        place = f" at index {tuple(map(int, where))}" if where else ""
        digits = 5 if f"{found[where]:.5g}" != f"{expected[where]:.5g}" else 10
        raise Wrong(
            f"{text} gives {found[where]:.{digits}g}{place}; it must be "
            f"{expected[where]:.{digits}g}."
        )


def _same(found: np.ndarray, expected: np.ndarray, tolerance: float) -> bool:
    return found.shape == expected.shape and np.allclose(
        found, expected, rtol=tolerance, atol=tolerance, equal_nan=True
    )


def _kind(value) -> str:
    return f"of the type {type(value).__name__}"


def _short(value) -> str:
    if isinstance(value, np.ndarray) and value.ndim:
        return f"array of shape {value.shape}"
    if callable(value):
        return getattr(value, "__name__", type(value).__name__)
    if isinstance(value, float | np.floating):
        return f"{value:.5g}"
    return textwrap.shorten(str(value), 40, placeholder="...")


def _in_words(error: BaseException) -> str:
    text = textwrap.shorten(str(error), 160, placeholder="...")
    return f"{type(error).__name__}: {text}" if text else f"{type(error).__name__}."


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Raise `_TimeUp` in the block after so long, where the system can (not on Windows)."""
    if (
        not hasattr(signal, "setitimer")
        or threading.current_thread() is not threading.main_thread()
    ):
        yield
        return

    def ring(number, frame):
        raise _TimeUp

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
