"""How answers are judged. A check never raises: it returns a verdict.

Most exercises ask for a function. Such an `Exercise` is data: a right answer, typical mistakes by
their diagnosis, and arguments to try them on. Only results count, not how an answer is written.
What cannot be compared with a right answer has a function of its own, made into a check by `check`.
"""

import copy
import functools
import signal
import textwrap
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from lle_utils.checks.reading import Blank, Wrong, number, numbers, require

FILL_IN = "replace each ... in the cell above with your answer. Then run that cell and this one."
SEE_HINT = "The hint below the check may help."
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


def check(judge: Callable[..., str]) -> Callable[..., Verdict]:
    """Make a check of a function that returns praise or raises `Wrong`.

    The check returns a verdict whatever the answers do; only a person's interrupt gets through.
    """

    @functools.wraps(judge)
    def checked(*answers) -> Verdict:
        try:
            if any(answer is None or answer is Ellipsis for answer in answers):
                raise Blank
            with _time_limit(SECONDS):
                return Verdict(True, f"Correct. {judge(*answers)}")
        except Blank:
            return Verdict(False, f"Not filled in yet: {FILL_IN}")
        except Wrong as wrong:
            told = str(wrong)
        except _TimeUp:
            told = f"it still runs after {SECONDS} s. Does it end?"
        except (Exception, SystemExit) as error:
            told = f"it stopped with {_in_words(error)}"
        return Verdict(False, f"Not right yet: {told}")

    return checked


class _TimeUp(BaseException):
    """The answer runs too long. Not an `Exception`, so that an answer's `except` lets it pass."""


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Raise `_TimeUp` in the block after this time, if the system can (not on Windows)."""
    is_main = threading.current_thread() is threading.main_thread()
    if not hasattr(signal, "setitimer") or not is_main:
        yield
        return
    before = signal.signal(signal.SIGALRM, _ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _ring(number, frame):
    raise _TimeUp


def expect(name: str, answer, right: float, mistakes: Mapping[str, float], tolerance=1e-3) -> None:
    """Judge an answer that is a number, such as a prediction. The right one is not shown."""
    found = number(answer, name)
    if _same(found, right, tolerance):
        return
    for diagnosis, mistake in mistakes.items():
        require(not _same(found, mistake, tolerance), f"{name}: {diagnosis}")
    raise Wrong(f"{name} is not {_shown(found)}. {SEE_HINT}")


# Exercises that ask for a function


def call(function: Callable, *arguments, **named):
    """Call an answer, which must leave its arrays as they are."""
    given = [copy.deepcopy(one) if isinstance(one, np.ndarray | list) else one for one in arguments]
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            result = function(*given, **named)
    except (Exception, SystemExit) as error:
        called = describe_call(function, *arguments)
        raise Wrong(f"{called} stopped with {_in_words(error)}") from None
    for before, after in zip(arguments, given, strict=True):
        require(
            not isinstance(before, np.ndarray) or np.array_equal(before, after),
            "it changes the array that it was given, so the caller has lost the original. "
            "E += change writes into that array; E = E + change makes a new one.",
        )
    if any(part is Ellipsis for part in (result if isinstance(result, tuple) else (result,))):
        raise Blank
    return result


def result_of(function: Callable, *arguments) -> dict:
    """Observe what an answer returns: a number, an array or None."""
    result = call(function, *arguments)
    return {"the result": None if result is None else numbers(result, "the result")}


@dataclass(frozen=True, kw_only=True)
class Exercise:
    """An exercise that asks for a function, as data.

    `probes` are tuples of arguments. ``observe(function, *probe)`` returns what is compared, by
    name, or raises `Wrong`. If an answer does not give the same as the right one on all probes, the
    diagnosis is that of the mistake that does.
    """

    right: Callable
    mistakes: Mapping[str, Callable]
    probes: Sequence[tuple]
    praise: str
    observe: Callable[..., dict] = result_of
    tolerance: float = 1e-5  # float32 will do

    def __call__(self, *answers) -> Verdict:
        """Judge a student's function."""
        return check(self._judge)(*answers)

    def _judge(self, answer) -> str:
        found, wanted = self._observe_all(answer), self._observe_all(self.right)
        different = self._differences(found, wanted)
        if not different:
            return self.praise
        for diagnosis, mistake in self.mistakes.items():
            require(self._differences(found, self._observe_all(mistake)), diagnosis)
        index, name = different[0]
        told = _difference(found[index, name], wanted[index, name])
        raise Wrong(f"{describe_call(answer, *self.probes[index])}: {name} is {told}. {SEE_HINT}")

    def _observe_all(self, function) -> dict:
        return {
            (index, name): value
            for index, probe in enumerate(self.probes)
            for name, value in self.observe(function, *probe).items()
        }

    def _differences(self, found: dict, wanted: dict) -> list:
        return [key for key in wanted if not _same(found[key], wanted[key], self.tolerance)]


# Words


def describe_call(function: Callable, *arguments) -> str:
    """Return a call for a message, with numbers, and types of the rest: ``stop(list, 3)``."""
    is_number = int | float | np.number
    shown = [_shown(one) if isinstance(one, is_number) else type(one).__name__ for one in arguments]
    return f"{getattr(function, '__name__', 'your function')}({', '.join(shown)})"


def _same(found, wanted, tolerance: float) -> bool:
    if found is None or wanted is None:
        return found is wanted
    found, wanted = np.asarray(found, float), np.asarray(wanted, float)
    near = {"rtol": tolerance, "atol": tolerance, "equal_nan": True}
    return found.shape == wanted.shape and np.allclose(found, wanted, **near)


def _difference(found, wanted) -> str:
    if found is None:
        return "None: a path in it ends without `return`"
    if np.shape(found) != np.shape(wanted):
        return f"of shape {np.shape(found)}; it must be of shape {np.shape(wanted)}"
    place = ""
    if np.ndim(found):
        apart = np.nan_to_num(np.abs(found - wanted), nan=np.inf)
        where = np.unravel_index(apart.argmax(), apart.shape)
        found, wanted = found[where], wanted[where]
        place = f" at index {tuple(map(int, where))}"
    return f"{_shown(found)}{place}; it must be {_shown(wanted)}"


def _shown(value) -> str:
    is_word = value is None or np.asarray(value).dtype == bool
    return str(value) if is_word else f"{float(value):.7g}"


def _in_words(error: BaseException) -> str:
    return textwrap.shorten(f"{type(error).__name__}: {error}", 160, placeholder="...")
