"""``enhance``: which pictures to read, where each result goes, and the work itself.

Everything that can be refused is refused before the first picture is read. After that, a picture
that fails is reported and the others are enhanced.
"""

import errno
import glob
import os
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lle_utils.errors import LleError, as_memory_error
from lle_utils.images import check_ending, remove_parts, replace_file
from lle_utils.interrupts import held_back, raise_if_stopped
from lle_utils.paths import expand_user
from lle_utils.photos import FORMATS, OTHERS, READABLE, WRITABLE, Photo, decode, encode, read_photo
from lle_utils.video import VIDEOS, Clip, enhance_video, is_video

STANDARD = "-"
"""Standard input as a source, standard output as a target."""

SUFFIX, SUFFIX_BESIDE, MAPS = "_enhanced", "_compared", "_maps.png"
_DISK_IS_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


class Job(NamedTuple):
    """One picture to read and the file to write; `place` is its path inside the output folder."""

    source: str
    place: str
    target: str = ""


class Found(NamedTuple):
    """What `find_pictures` found; its jobs have no targets yet."""

    jobs: list[Job]
    problems: list[LleError]
    notes: list[str]


def find_pictures(inputs: Sequence[str], output: str | None) -> Found:
    """Turn files, folders and patterns, as on the command line, into jobs, each picture once.

    A folder stands for the pictures in it and in its subfolders, without the folder `output`.

    Raises
    ------
    LleError
        If there are no pictures, or no file matches a pattern.
    """
    jobs, found = {}, Found([], [], [])
    for path in (path for given in inputs for path in _expand(given)):
        if path == STANDARD:
            new = [Job(path, "standard_input")]
        elif os.path.isdir(path):
            new = _search(path, output, found)
        else:
            new = [Job(path, os.path.basename(path))]
        for job in new:
            jobs.setdefault(os.path.abspath(job.source), job)
    if not jobs and found.problems:
        raise found.problems[0]
    return found._replace(jobs=list(jobs.values()))


def _expand(given: str) -> list[str]:
    """Return the paths that an argument stands for."""
    if given == STANDARD or os.path.lexists(given):
        return [given]
    path = expand_user(given)
    if not glob.has_magic(path):
        return [path]
    found = sorted(glob.glob(path, recursive=True))
    if not found:
        raise LleError(f"{given}: no file matches this pattern")
    return found


def _search(folder: str, output: str | None, found: Found) -> list[Job]:
    """Return the jobs of a folder; add to `found` what cannot be read and what is passed over."""
    jobs, passed_over, problems = [], Counter(), []
    skipped = output and os.path.realpath(output)
    for parent, folders, names in os.walk(folder, onerror=problems.append):
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".") and os.path.realpath(os.path.join(parent, name)) != skipped
        )
        for name in sorted(name for name in names if not name.startswith(".")):
            ending = os.path.splitext(name)[1].lower()
            if ending in READABLE:
                path = os.path.join(parent, name)
                jobs.append(Job(path, os.path.relpath(path, folder)))
            elif ending in (*OTHERS, *VIDEOS):
                passed_over[ending] += 1
    kinds = ", ".join(f"{count} {ending}" for ending, count in sorted(passed_over.items()))
    if not jobs and not problems:
        nothing = f"{folder} holds no pictures" + f", but {kinds}" * bool(kinds)
        found.problems.append(LleError(nothing))
    elif kinds:
        found.notes.append(
            f"{folder}: {kinds} passed over; develop raw files, save other pictures as TIFF or "
            f"PNG, and name videos, such as '{folder}/*.mp4'"
        )
    for problem in problems:
        found.problems.append(LleError(f"{problem.filename} cannot be read: {problem.strerror}"))
    return jobs


def choose_targets(jobs: Sequence[Job], output: str | None, suffix: str | None) -> list[Job]:
    """Decide where each result goes; nothing is written yet.

    Parameters
    ----------
    jobs : sequence of Job
    output : str, optional
        A file for one picture, a folder, or "-". Without it, results go beside their inputs.
    suffix : str, optional
        Put between a name and its extension; "_enhanced" without `output`, else nothing.
    """
    if output == STANDARD or output is not None and _is_file(output, jobs):
        jobs = [job._replace(target=output) for job in jobs]
    else:
        jobs = _in_folders(jobs, output, suffix)
    if len(jobs) > 1 and any(job.target == STANDARD for job in jobs):
        raise LleError(f"{len(jobs)} pictures cannot all go to standard output; use -o FOLDER")
    return jobs


def _in_folders(jobs: Sequence[Job], output: str | None, suffix: str | None) -> list[Job]:
    """Choose targets in a folder, or beside the inputs; leave out what was made earlier."""
    if output is None:
        suffix = SUFFIX if suffix is None else suffix
        suffixes = {suffix, SUFFIX, SUFFIX_BESIDE}
    else:
        jobs, suffix = _part_equal_names(jobs), suffix or ""
        suffixes = {suffix}
    # `enhance *.jpg`, typed again, is not meant to enhance what it made the first time.
    made = set()
    for earlier in suffixes - {""}:
        results = [os.path.abspath(_target(job, output, earlier)) for job in jobs]
        made |= {*results, *map(maps_beside, results)}
    return [
        job._replace(target=_target(job, output, suffix))
        for job in jobs
        if job.source == STANDARD or os.path.abspath(job.source) not in made
    ]


def _target(job: Job, output: str | None, suffix: str) -> str:
    """Return the file for a result in a folder, or beside its input."""
    if job.source == STANDARD and output is None:
        return STANDARD
    name = job.source if output is None else os.path.join(output, job.place)
    stem, ending = os.path.splitext(name)
    if ending.lower() not in (*WRITABLE, *VIDEOS):
        ending += ".jpg" if _is_jpeg(job.source) else ".png"
    return stem + suffix + ending


def _is_jpeg(path: str) -> bool:
    """Tell by its first bytes whether a file, whose name does not say so, is a JPEG."""
    if not os.path.isfile(path):
        return False
    with suppress(OSError), open(path, "rb") as file:
        return file.read(3) == b"\xff\xd8\xff"
    return False


def maps_beside(target: str) -> str:
    """Return the file that shows the maps of a result."""
    return os.path.splitext(target)[0] + MAPS


def _is_file(output: str, jobs: Sequence[Job]) -> bool:
    """Tell whether OUT names the file of a single picture, and not a folder."""
    ending = os.path.splitext(output)[1].lower()
    if os.path.isdir(output) or output.endswith(("/", os.sep)):
        return False
    single = len(jobs) == 1 and jobs[0].place == os.path.basename(jobs[0].place)
    if single and (ending or os.path.lexists(output)):
        return True
    if ending in (*WRITABLE, *VIDEOS) or os.path.lexists(output):
        raise LleError(f"{output}: for more than one picture, OUT must be a folder")
    return False


def _part_equal_names(jobs: Sequence[Job]) -> list[Job]:
    """Keep files with the same name from different folders apart, by the names of their folders."""
    groups = defaultdict(list)
    for job in jobs:
        groups[os.path.normcase(job.place)].append(job)
    places = {job.source: job.place for job in jobs}
    for group in groups.values():
        folders = {os.path.dirname(os.path.abspath(job.source)) for job in group}
        if len(folders) > 1 and all(job.source != STANDARD for job in group):
            common = os.path.commonpath(folders)
            for job in group:
                places[job.source] = os.path.relpath(job.source, common)
    return [job._replace(place=places[job.source]) for job in jobs]


def check_targets(
    jobs: Sequence[Job], *, overwrite: bool, skip_existing: bool, maps: bool = False
) -> tuple[list[Job], int]:
    """Make sure that every result may be written; return the jobs to do, and how many are done.

    With `maps`, the maps of each result are written beside it.

    Raises
    ------
    LleError
        If a target is one of the inputs, exists, cannot be written, or would be written twice.
    """
    inputs = {_identity(job.source) for job in jobs} - {None}
    writers: dict[str, Job] = {}
    to_do = []
    for job in jobs:
        _check_kind(job, maps)
        outputs = [] if job.target == STANDARD else [job.target]
        for path in [*outputs, maps_beside(job.target)] if maps else outputs:
            other = writers.setdefault(os.path.normcase(os.path.abspath(path)), job)
            if other is not job:
                raise LleError(f"{path} would be written for both {other.source} and {job.source}")
            if _identity(path) in inputs:
                raise LleError(f"{path} is an input; choose another output")
            if os.path.isdir(path):
                raise LleError(f"{path} is a folder; name a file in it")
            if os.path.lexists(path) and not (overwrite or skip_existing):
                raise LleError(
                    f"{path} exists already; --overwrite replaces it, and --skip-existing does "
                    "only the others"
                )
        if overwrite or not skip_existing or not os.path.lexists(job.target):
            to_do.append(job)
    for folder in {os.path.dirname(job.target) for job in jobs if job.target != STANDARD}:
        remove_parts(folder)
    for folder in sorted({os.path.dirname(job.target) for job in to_do if job.target != STANDARD}):
        _check_folder(folder)
    return to_do, len(jobs) - len(to_do)


def _check_kind(job: Job, maps: bool) -> None:
    """Make sure that a result is of a kind that can be written where it goes."""
    target, ending = job.target, os.path.splitext(job.target)[1]
    if maps and (target == STANDARD or is_video(job.source)):
        raise LleError(f"{job.source}: --maps is for pictures that are written to files")
    if is_video(job.source):
        kind = os.path.splitext(job.source)[1]
        if target == STANDARD:
            raise LleError(f"{job.source}: a video cannot go to standard output; use -o FILE")
        if ending.lower() != kind.lower():
            raise LleError(f"{target}: {job.source} is written as {kind} again, not as {ending}")
    elif target != STANDARD:
        check_ending(target)


def _identity(path: str) -> tuple[int, int] | None:
    """Return what identifies a file, whatever its name, or None if there is no file."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino


def _check_folder(folder: str) -> None:
    """Make sure that files can be written to a folder, which may have to be created first."""
    existing = os.path.abspath(folder)
    while not os.path.lexists(existing):
        existing = os.path.dirname(existing)
    if not os.path.isdir(existing):
        raise LleError(f"{existing} is not a folder")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise LleError(f"{existing}: this folder cannot be written to")


def enhance_files(
    jobs: Iterable[Job],
    *,
    load: Callable[[], Callable[[np.ndarray], np.ndarray]],
    draw: Callable[[np.ndarray], bytes] | None = None,
    side_by_side: bool = False,
    report: list[dict],
    complain: Callable[[str], None],
    announce: Callable[[str], None],
    progress: Callable,
) -> int:
    """Enhance the pictures one by one; return how many failed.

    Parameters
    ----------
    jobs : iterable of Job
    load : callable
        Returns a function that enhances a `photos.View` or an array, RGB in [0, 1]; see
        `photos.Photo.change`. It is called once the first picture has been read.
    draw : callable, optional
        Returns a PNG file, as bytes, that shows the maps of a picture.
    side_by_side : bool, default False
        Whether to write the input and the result beside each other.
    report : list of dict
        Gets one entry per picture: input, output, seconds, error.
    complain, announce : callable
        Called with what went wrong, and with each file that was written.
    progress : callable
        Wraps the frames of a video; see `video.enhance_video`.

    Raises
    ------
    LleError
        If the disk is full, so that the other pictures would also fail; or what `load` raises.
    """
    enhance, failed = None, 0
    for job in jobs:
        start = time.perf_counter()
        entry = {"input": job.source, "output": None, "seconds": None, "error": None}
        report.append(entry)
        content, problem = None, None
        try:
            content = Clip(job.source) if is_video(job.source) else _read(job.source)
        except (LleError, MemoryError) as error:
            problem = error
        if content is not None:
            enhance = enhance or load()
            try:
                with as_memory_error():
                    if is_video(job.source):
                        _make_folder(job.target)
                        options = {"side_by_side": side_by_side, "progress": progress}
                        enhance_video(content, job.target, enhance, **options)
                    else:
                        _enhance_photo(content, job, enhance, draw, side_by_side)
            except (LleError, MemoryError) as error:
                problem = error
        entry["seconds"] = round(time.perf_counter() - start, 3)
        raise_if_stopped()  # what failed may have failed because of Ctrl-C
        if problem is None:
            entry["output"] = job.target
            announce(job.target)
        else:
            failed += 1
            entry["error"] = _describe(problem, job.source)
            complain(entry["error"])
            cause = problem.__cause__
            if isinstance(cause, OSError) and cause.errno in _DISK_IS_FULL:
                raise LleError("stopped; free some space, then run it again with --skip-existing")
        for note in getattr(content, "notes", ()):
            complain(f"note: {job.source}: {note}")
    return failed


def _describe(problem: Exception, source: str) -> str:
    if isinstance(problem, MemoryError):
        return f"{source}: this computer's memory is too small for the picture"
    return " ".join(str(problem).split())


def _enhance_photo(
    photo: Photo, job: Job, enhance: Callable, draw: Callable | None, side_by_side: bool
) -> None:
    try:
        result = photo.change(enhance)
        maps = draw and draw(photo.view())
        if side_by_side:
            result = photo.beside(result)
        photo.frames.clear()  # 600 MB for 100 megapixels, and no longer needed
        kind = photo.format
        if job.target != STANDARD:
            kind = FORMATS[os.path.splitext(job.target)[1].lower()]
        content = encode(result, kind)
    except (LleError, ValueError) as error:
        raise LleError(f"{job.source}: {error}") from None
    if maps:
        _write(maps, maps_beside(job.target))
    _write(content, job.target)


def _write(content: bytes, target: str) -> None:
    if target == STANDARD:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    _make_folder(target)
    with held_back():  # so that Ctrl-C leaves no part of a file
        replace_file(Path(target), lambda partial: Path(partial).write_bytes(content))


def _make_folder(target: str) -> None:
    folder = Path(target).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LleError(f"{folder} cannot be created: {error.strerror}") from error


def _read(source: str) -> Photo:
    if source != STANDARD:
        return read_photo(source)
    content = sys.stdin.buffer.read()
    try:
        if not content:
            raise LleError("it is empty (0 bytes)")
        return decode(content)
    except LleError as error:
        raise LleError(f"standard input: {error}") from None
