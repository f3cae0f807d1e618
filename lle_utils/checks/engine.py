"""How answers are judged: exercises are data, and this runs them.

An `Exercise` has a part for each answer that it asks for: a right answer, and typical mistakes by
their diagnosis. The student's answer and the right one are tried on the same probes. Where they
differ, the diagnosis is that of the mistake that gives the same as the student's answer. Only
results count, not how an answer is written. A check never raises.
"""

import copy
import functools
import inspect
import signal
import textwrap
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from lle_utils.checks.reading import Blank, Wrong, kind, number, numbers, require

FILL_IN = "replace each ... in the cell above with your answer"
SEE_HINT = "The hint below the check may help."
CHANGES_ITS_INPUT = (
    "it changes the array that it was given, so the caller has lost the original. "
    "E += change writes into that array; E = E + change makes a new one."
)
TOLERANCE = 1e-5  # float32 will do
SECONDS = 60  # how long an answer may run, in all calls of one check together


@dataclass(frozen=True, repr=False)
class Verdict:
    """What a check says about an answer: whether it is right, and why, in words.

    As the last line of a cell it shows its message. A grader can write ``assert checks.x(answer)``:
    it is true if the answer is right, and the message is printed.
    """

    correct: bool
    message: str

    def __bool__(self) -> bool:
        print(self)
        return self.correct

    def __repr__(self) -> str:
        return textwrap.fill(self.message, 96)


class _TimeUp(BaseException):
    """The answer runs too long. Not an `Exception`, so that an answer's `except` lets it pass."""


# Exercises


@dataclass(frozen=True)
class Value:
    """An answer that is a number or a truth value; the right one is never shown.

    ``read(value, name)`` returns what is compared, or raises `Wrong` for the wrong type.
    """

    name: str
    right: float
    mistakes: Mapping[str, float]
    tolerance: float = TOLERANCE
    read: Callable = number

    def judge(self, answer) -> None:
        """Compare an answer; raise `Wrong` if it is not right."""
        found, wanted = self.read(answer, self.name), self.read(self.right, self.name)
        if _same(found, wanted, self.tolerance):
            return
        for diagnosis, mistake in self.mistakes.items():
            if _same(found, self.read(mistake, self.name), self.tolerance):
                raise Wrong(f"{self.name}: {diagnosis}")
        raise Wrong(f"{self.name} is not {_shown(found)}. {SEE_HINT}")


@dataclass(frozen=True, kw_only=True)
class Function:
    """An answer that is a function.

    `probes` are tuples of arguments, or single arguments, to call it with. ``read(result, what)``
    returns what is compared: a number, an array, a word, or a dict of these by name; it raises
    `Wrong` for the wrong type. ``observe(function, *probe)`` calls an answer and returns what is
    compared instead, and raises `Wrong` for what is wrong in any answer.
    """

    right: Callable
    mistakes: Mapping[str, Callable]
    probes: Iterable = ((),)
    tolerance: float = TOLERANCE
    read: Callable = numbers
    observe: Callable | None = None

    def judge(self, answer) -> None:
        """Try an answer on the probes; raise `Wrong` at the first that it gets wrong."""
        require(callable(answer), f"a function was asked for, and this is {kind(answer)}.")
        probes = [probe if isinstance(probe, tuple) else (probe,) for probe in self.probes]
        for probe in probes:
            found, wanted = self._observe(answer, *probe), self._observe(self.right, *probe)
            if not _same(found, wanted, self.tolerance):
                raise self._diagnosed(answer, probes, probe, found, wanted)

    def _observe(self, function, *probe):
        if self.observe:
            return self.observe(function, *probe)
        result = call(function, *probe)
        what = f"what {describe_call(function, *probe)} returns"
        return None if result is None else self.read(result, what)

    def _observe_all(self, function, probes) -> list:
        seen = []
        for probe in probes:
            try:
                seen.append(self._observe(function, *probe))
            except Exception as error:  # an answer that fails in the same way is the same mistake
                seen.append(type(error).__name__)
        return seen

    def _diagnosed(self, answer, probes, probe, found, wanted) -> Wrong:
        seen = self._observe_all(answer, probes)
        if all(one is None for one in seen):
            return Blank(FILL_IN)
        for diagnosis, mistake in self.mistakes.items():
            pairs = zip(seen, self._observe_all(mistake, probes), strict=True)
            if all(_same(one, other, self.tolerance) for one, other in pairs):
                return Wrong(diagnosis)
        text = describe_call(answer, *probe)
        if found is None:
            return Wrong(f"{text} returned None. Does every path in it end in `return`?")
        if isinstance(wanted, dict):
            key = next(key for key in wanted if not _same(found[key], wanted[key], self.tolerance))
            text, found, wanted = f"{text} is not right: {key}", found[key], wanted[key]
        return Wrong(f"{text} is {_difference(found, wanted)}. {SEE_HINT}")


class Exercise:
    """An exercise as data, and its check: called with the student's answers it returns a verdict.

    It has what is `asked` for, parts (or the arguments of a single `Function`), and the praise.
    """

    def __init__(self, asked: str, *parts, praise: str, **only_part):
        self.__doc__ = asked
        self.parts = parts or (Function(**only_part),)
        self.praise = praise

    def __call__(self, *answers) -> Verdict:
        """Return the verdict on a student's answers; never raise."""
        return check(self._judge)(*answers)

    def _judge(self, *answers) -> str:
        for part, answer in zip(self.parts, answers, strict=True):
            part.judge(answer)
        return self.praise


def check(judge: Callable[..., str]) -> Callable[..., Verdict]:
    """Make a check of a function that returns praise or raises `Wrong`.

    Networks, timing and figures, which no right answer can be compared with, have such functions.
    A check returns a verdict whatever the answers do; only a person's own interrupt gets through.
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
            return Verdict(False, f"Not right yet: it stopped with {_error_in_words(error)}")

    return checked


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Raise `_TimeUp` in the block after this time, if the system can (not on Windows)."""
    is_main = threading.current_thread() is threading.main_thread()
    if not hasattr(signal, "setitimer") or not is_main:
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


# Calling an answer


def call(function: Callable, *arguments, **named):
    """Call an answer, which must leave its arrays as they are; return its result, even None."""
    require(callable(function), f"a function was asked for, and this is {kind(function)}.")
    is_kept = np.ndarray | list | dict
    given = [copy.deepcopy(one) if isinstance(one, is_kept) else one for one in arguments]
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            result = function(*given, **named)
    except (Exception, SystemExit) as error:
        text = describe_call(function, *arguments)
        raise Wrong(f"{text} stopped with {_error_in_words(error)}") from None
    for before, after in zip(arguments, given, strict=True):
        if isinstance(before, np.ndarray):
            require(np.array_equal(before, after), CHANGES_ITS_INPUT)
    if any(part is Ellipsis for part in (result if isinstance(result, tuple) else (result,))):
        raise Blank(FILL_IN)
    return result


def ask(function: Callable, *arguments):
    """Call an answer as `call` does; None counts as not filled in."""
    result = call(function, *arguments)
    if result is None:
        raise Blank(f"{describe_call(function, *arguments)} returned None; {FILL_IN}")
    return result


def describe_call(function: Callable, *arguments) -> str:
    """Return a call for a message: ``brighten_again(E, predict, 3)``."""
    name = getattr(function, "__name__", "<lambda>")
    try:
        names = list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        names = []
    names += ["..."] * len(arguments)
    shown = [
        _shown(value) if isinstance(value, int | float | str | np.number) else name
        for name, value in zip(names, arguments, strict=False)
    ]
    return f"{name if name.isidentifier() else 'your function'}({', '.join(shown)})"


# Comparing, and saying what differs


def _same(found, wanted, tolerance: float) -> bool:
    if isinstance(found, dict) and isinstance(wanted, dict):
        return all(_same(found[key], wanted[key], tolerance) for key in wanted)
    if any(one is None or isinstance(one, str | dict) for one in (found, wanted)):
        return type(found) is type(wanted) and found == wanted
    near = {"rtol": tolerance, "atol": tolerance, "equal_nan": True}
    found, wanted = np.asarray(found, float), np.asarray(wanted, float)
    return found.shape == wanted.shape and np.allclose(found, wanted, **near)


def _difference(found, wanted) -> str:
    if np.shape(found) != np.shape(wanted):
        return f"of shape {np.shape(found)}; it must be of shape {np.shape(wanted)}"
    place = ""
    if np.ndim(found):
        apart = np.nan_to_num(np.abs(found - wanted), nan=np.inf)
        where = np.unravel_index(apart.argmax(), apart.shape)
        found, wanted = found[where], wanted[where]
        place = f" at index {tuple(map(int, where))}"
    digits = 5 if _shown(found) != _shown(wanted) else 10
    return f"{_shown(found, digits)}{place}; it must be {_shown(wanted, digits)}"


def _shown(value, digits: int = 5) -> str:
    if isinstance(value, bool | np.bool_) or value is None:
        return str(value)
    if isinstance(value, str):
        return repr(textwrap.shorten(value, 40, placeholder="..."))
    return f"{float(value):.{digits}g}"


def _error_in_words(error: BaseException) -> str:
    text = textwrap.shorten(str(error), 160, placeholder="...")
    return f"{type(error).__name__}: {text}" if text else f"{type(error).__name__}."
