"""``enhance --dask``: one task per file, on the workers of a Dask cluster.

If a worker dies, Dask gives its task to another one. By then the result may already have been
written: a file that changed since the run began is not made again.
"""

import contextlib
import functools
import logging
import os
import pickle
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec

from lle_utils.enhancing import STANDARD, Job
from lle_utils.errors import LleError

LOCAL = "local"
"""The address that stands for a cluster on this computer, with one worker per core."""


def enhance_files(
    jobs: Sequence[Job],
    start: Callable[[], Callable],
    address: str,
    *,
    report: list[dict],
    complain: Callable[[str], None],
    announce: Callable[[str], None],
    progress: Callable,
) -> int:
    """Enhance files on a cluster whose workers see the same folders; return how many failed.

    Parameters
    ----------
    jobs, report, complain, announce
        As for `enhancing.enhance_files`.
    start : callable
        Returns `enhancing.enhance_files` with a model; it is pickled, and called once per process.
    address : str
        The address of Dask's scheduler, or "local".
    progress : callable
        Wraps the iterator of finished tasks.
    """
    if any(STANDARD in (job.source, job.target) for job in jobs):
        raise LleError("--dask is for files, not for standard input or output")
    with _connect(address) as client:
        from distributed import as_completed

        tasks, content, failed = {}, pickle.dumps(start), 0
        for job in jobs:
            place = job._replace(
                source=os.path.abspath(job.source), target=os.path.abspath(job.target)
            )
            asked = (place, job, _stamp(place.target), content)
            tasks[client.submit(enhance_one, *asked, pure=False)] = job
        for future in progress(as_completed(tasks)):
            job, problem = tasks[future], future.exception()
            if isinstance(problem, LleError):
                raise problem
            if problem is None:
                entry, notes = future.result()
            else:  # such as KilledWorker: the file took several workers down
                notes = [f"{job.source}: {' '.join(str(problem).split())}"]
                entry = {"input": job.source, "output": None, "seconds": None, "error": notes[0]}
            failed += entry["error"] is not None
            report.append(entry)
            for note in notes:
                complain(note)
            if entry["output"]:
                announce(entry["output"])
    return failed


def enhance_one(place: Job, job: Job, before, content: bytes) -> tuple[dict, list[str]]:
    """Enhance one file on a worker, unless that was already done since the run began.

    `place` has absolute paths, and `job` the paths to report; `before` is what `_stamp` returned
    for the target when the run began, and `content` the pickled `start`. It returns the entry of
    the report, and the complaints.
    """
    if _stamp(place.target) != before:
        done = {"input": job.source, "output": job.target, "seconds": None, "error": None}
        return done, []
    entries, notes = [], []
    _started(content)(
        [place],
        report=entries,
        complain=lambda note: notes.append(note.replace(place.source, job.source)),
        announce=lambda target: None,
        progress=lambda frames, total: frames,
    )
    (entry,) = entries
    output = entry["output"] and job.target
    error = entry["error"] and entry["error"].replace(place.source, job.source)
    return {**entry, "input": job.source, "output": output, "error": error}, notes


@functools.cache
def _started(content: bytes) -> Callable:
    """Load the model, once per process."""
    return pickle.loads(content)()


def _stamp(path: str) -> tuple[int, int] | None:
    """Return what changes when a file is replaced, or None where there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns


@contextlib.contextmanager
def _connect(address: str) -> Iterator:
    """Connect to a cluster, or start one."""
    if not find_spec("distributed"):
        raise LleError("--dask needs distributed: pip install 'lle-utils[dask]'")
    from distributed import Client, LocalCluster

    # That it repeats the task of a worker that died is no news to the user.
    logging.getLogger("distributed.client").setLevel(logging.ERROR)
    with contextlib.ExitStack() as stack:
        if address == LOCAL:
            # Tiles bound the memory already; Dask's own limit would stop a worker halfway.
            options = {"threads_per_worker": 1, "memory_limit": None, "dashboard_address": None}
            address = stack.enter_context(LocalCluster(**options))
        try:
            client = stack.enter_context(Client(address, timeout=10))
        except (OSError, ValueError) as error:
            raise LleError(f"--dask {address}: no scheduler answers there ({error})") from None
        if not client.scheduler_info()["workers"]:
            raise LleError(f"--dask {address}: this cluster has no workers")
        yield client
