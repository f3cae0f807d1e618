"""``enhance``: which pictures to read, where each result goes, and the work itself.

Everything that can be refused is refused before the first picture is read. After that, a picture
that fails is reported and the others are enhanced.
"""

import errno
import glob
import os
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from lle_utils.errors import LleError, small_memory_named
from lle_utils.images import check_ending, replace_file
from lle_utils.paths import expand_user
from lle_utils.photos import FORMATS, OTHERS, READABLE, WRITABLE, Photo, decode, encode, read_photo
from lle_utils.process import raise_if_stopped
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


class Outcome(NamedTuple):
    """What became of an input: the file written, or an error; and notes on what was lost."""

    input: str
    output: str | None = None
    seconds: float | None = None
    error: str | None = None
    notes: Sequence[str] = ()


def find_pictures(inputs: Sequence[str], output: str | None) -> tuple[list[Job], list[Outcome]]:
    """Turn files, folders and patterns, as on the command line, into jobs, each picture once.

    A folder stands for the pictures in it and in its subfolders, without the folder `output`. What
    is not there or cannot be searched is returned beside the jobs.
    """
    jobs, problems = {}, []
    for path in (path for given in inputs for path in _expand(given)):
        if path == STANDARD:
            found = [Job(path, "standard_input")]
        elif os.path.isdir(path):
            found = _search(path, output, problems)
        elif os.path.lexists(path):
            found = [Job(path, os.path.basename(path))]
        else:
            found = []
            problems.append(Outcome(path, error=f"{path}: no such file"))
        for job in found:
            jobs.setdefault(os.path.abspath(job.source), job)
    return list(jobs.values()), problems


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


def _search(folder: str, output: str | None, problems: list[Outcome]) -> list[Job]:
    """Return the jobs of a folder; add to `problems`, and warn of what is passed over."""
    jobs, passed_over, unreadable = [], Counter(), []
    skipped = output and os.path.realpath(output)
    for parent, folders, names in os.walk(folder, onerror=unreadable.append):
        folders[:] = [
            name
            for name in sorted(folders)
            if not name.startswith(".") and os.path.realpath(os.path.join(parent, name)) != skipped
        ]
        for name in sorted(name for name in names if not name.startswith(".")):
            path, ending = os.path.join(parent, name), os.path.splitext(name)[1].lower()
            if ending in READABLE:
                jobs.append(Job(path, os.path.relpath(path, folder)))
            elif ending in (*OTHERS, *VIDEOS):
                passed_over[ending] += 1
    for error in unreadable:
        problem = f"{error.filename} cannot be read: {error.strerror}"
        problems.append(Outcome(error.filename, error=problem))
    if passed_over:
        kinds = ", ".join(f"{count} {ending}" for ending, count in sorted(passed_over.items()))
        warnings.warn(
            f"{folder}: {kinds} passed over; develop raw files, save other pictures as TIFF or "
            f"PNG, and name videos, such as '{folder}/*.mp4'",
            stacklevel=2,
        )
    if not jobs and not unreadable:
        problems.append(Outcome(folder, error=f"{folder} holds no pictures"))
    return jobs


def choose_targets(jobs: Sequence[Job], output: str | None, suffix: str) -> list[Job]:
    """Decide where each result goes: to a file or into a folder `output`, or beside its input.

    In folders `suffix` is added to the names, and what an earlier call made is left out.
    """
    if output is not None and _is_file(output, len(jobs)):
        jobs = [job._replace(target=output) for job in jobs]
    else:
        jobs = jobs if output is None else _part_equal_names(jobs)
        # `enhance *.jpg`, typed again, is not meant to enhance what it made the first time.
        earlier = {suffix, SUFFIX, SUFFIX_BESIDE} - {""}
        results = [_target(job, output, one) for job in jobs for one in earlier]
        made = {os.path.abspath(path) for path in (*results, *map(maps_beside, results))}
        jobs = [
            job._replace(target=_target(job, output, suffix))
            for job in jobs
            if job.source == STANDARD or os.path.abspath(job.source) not in made
        ]
    if len(jobs) > 1 and any(job.target == STANDARD for job in jobs):
        raise LleError(f"{len(jobs)} pictures cannot all go to standard output; use -o FOLDER")
    return jobs


def _is_file(output: str, count: int) -> bool:
    """Tell whether OUT names the file of a single picture, and not a folder."""
    if output == STANDARD:
        return True
    ending = os.path.splitext(output)[1].lower()
    exists = os.path.lexists(output)
    if os.path.isdir(output) or output.endswith(("/", os.sep)) or not (ending or exists):
        return False
    if count > 1 and (exists or ending in (*WRITABLE, *VIDEOS)):
        raise LleError(f"{output}: for more than one picture, OUT must be a folder")
    return count == 1


def _part_equal_names(jobs: Sequence[Job]) -> list[Job]:
    """Keep files with the same name from different folders apart, by the names of their folders."""
    count = Counter(os.path.normcase(job.place) for job in jobs)
    equal = [job for job in jobs if count[os.path.normcase(job.place)] > 1]
    if not equal:
        return list(jobs)
    common = os.path.commonpath([os.path.dirname(os.path.abspath(job.source)) for job in equal])
    places = {job.source: os.path.relpath(job.source, common) for job in equal}
    return [job._replace(place=places.get(job.source, job.place)) for job in jobs]


def _target(job: Job, output: str | None, suffix: str) -> str:
    """Return the file for a result in a folder, or beside its input."""
    if output is None and job.source == STANDARD:
        return STANDARD
    name = job.source if output is None else os.path.join(output, job.place)
    stem, ending = os.path.splitext(name)
    if ending.lower() not in (*WRITABLE, *VIDEOS):
        ending += ".jpg" if _is_jpeg(job.source) else ".png"
    return stem + suffix + ending


def _is_jpeg(path: str) -> bool:
    """Tell by its first bytes whether a file, whose name does not say so, is a JPEG."""
    if os.path.isfile(path):
        with suppress(OSError), open(path, "rb") as file:
            return file.read(3) == b"\xff\xd8\xff"
    return False


def maps_beside(target: str) -> str:
    """Return the file that shows the maps of a result."""
    return os.path.splitext(target)[0] + MAPS


def check_targets(
    jobs: Sequence[Job], *, overwrite: bool, skip_existing: bool, maps: bool = False
) -> list[Job]:
    """Make sure that every result may be written; return the jobs that are not done yet.

    `LleError` if a target is an input, exists, cannot be written, or would be written twice; so too
    the maps beside it, with `maps`.
    """
    inputs = {state[:2] for job in jobs if (state := file_state(job.source))}
    writers: dict[str, Job] = {}
    for job in jobs:
        _check_kind(job, maps)
        outputs = [] if job.target == STANDARD else [job.target]
        for path in [*outputs, maps_beside(job.target)] if maps else outputs:
            other = writers.setdefault(os.path.normcase(os.path.abspath(path)), job)
            if other is not job:
                raise LleError(f"{path} would be written for both {other.source} and {job.source}")
            if (state := file_state(path)) and state[:2] in inputs:
                raise LleError(f"{path} is an input; choose another output")
            if os.path.isdir(path):
                raise LleError(f"{path} is a folder; name a file in it")
            if os.path.lexists(path) and not (overwrite or skip_existing):
                raise LleError(
                    f"{path} exists already; --overwrite replaces it, and --skip-existing does "
                    "only the others"
                )
    for folder in sorted({os.path.dirname(job.target) for job in jobs if job.target != STANDARD}):
        _check_folder(folder)
    return [job for job in jobs if not (skip_existing and os.path.lexists(job.target))]


def file_state(path: str) -> tuple[int, ...] | None:
    """Return what identifies a file and changes when it is replaced; None if there is no file."""
    with suppress(OSError, ValueError):
        status = os.stat(path)
        return status.st_dev, status.st_ino, status.st_mtime_ns
    return None


def _check_kind(job: Job, maps: bool) -> None:
    """Make sure that a result is of a kind that can be written where it goes."""
    video, to_file = is_video(job.source), job.target != STANDARD
    if maps and (video or not to_file):
        raise LleError(f"{job.source}: --maps is for pictures that are written to files")
    if video and not to_file:
        raise LleError(f"{job.source}: a video cannot go to standard output; use -o FILE")
    if video:
        kind, ending = (os.path.splitext(path)[1] for path in (job.source, job.target))
        if ending.lower() != kind.lower():
            raise LleError(
                f"{job.target}: {job.source} is written as {kind} again, not as {ending}"
            )
    elif to_file:
        check_ending(job.target)


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
    enhance: Callable,
    *,
    draw: Callable | None = None,
    side_by_side: bool = False,
    progress: Callable = lambda frames, total: frames,
) -> Iterator[Outcome]:
    """Enhance files one by one, and yield what became of each.

    `enhance` takes a `photos.View` or a frame of a video; `draw`, which is for maps, a view, and
    returns a PNG file. `progress` wraps the frames of a video, as in `video.enhance_video`.
    `LleError` if the disk is full, so that the other files would also fail.
    """
    for job in jobs:
        start, notes, problem = time.perf_counter(), [], None
        try:
            with small_memory_named(job.source):
                notes = _enhance_file(job, enhance, draw, side_by_side, progress)
        except LleError as error:
            problem = error
        raise_if_stopped()  # what failed may have failed because of Ctrl-C
        seconds = round(time.perf_counter() - start, 3)
        error = None if problem is None else str(problem)
        yield Outcome(job.source, None if error else job.target, seconds, error, notes)
        cause = getattr(problem, "__cause__", None)
        if isinstance(cause, OSError) and cause.errno in _DISK_IS_FULL:
            raise LleError("stopped; free some space, then run it again with --skip-existing")


def _enhance_file(
    job: Job, enhance: Callable, draw: Callable | None, side_by_side: bool, progress: Callable
) -> list[str]:
    """Enhance a video or a picture; return in words what could not be kept."""
    if is_video(job.source):
        clip = Clip(job.source)
        Path(job.target).parent.mkdir(parents=True, exist_ok=True)
        enhance_video(clip, job.target, enhance, side_by_side=side_by_side, progress=progress)
        return []
    photo = _read(job.source)
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
    return photo.notes


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


def _write(content: bytes, target: str) -> None:
    if target == STANDARD:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    path = Path(target)
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, lambda partial: Path(partial).write_bytes(content))
