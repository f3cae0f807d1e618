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

from lle_utils.enhance_files import STANDARD, Job, Outcome, file_state
from lle_utils.errors import LleError


def enhance_files(jobs: Sequence[Job], start: Callable, address: str) -> Iterator[Outcome]:
    """Enhance files on a cluster whose workers see the same folders, and yield what became of each.

    `start`, which is pickled and called once per process, returns `enhance_files.enhance_files`
    with a model. `address` is that of Dask's scheduler, or "local": one worker per core.
    """
    if any(STANDARD in (job.source, job.target) for job in jobs):
        raise LleError("--dask is for files, not for standard input or output")
    with _connect(address) as client:
        from distributed import as_completed

        folder, content = os.getcwd(), pickle.dumps(start)
        tasks = {}
        for job in jobs:
            asked = (job, folder, file_state(job.target), content)
            tasks[client.submit(enhance_one, *asked, pure=False)] = job.source
        for future in as_completed(tasks):
            problem = future.exception()
            if isinstance(problem, LleError):
                raise problem
            if problem is None:
                yield future.result()
            else:  # such as KilledWorker: the file took several workers down
                yield Outcome(tasks[future], error=f"{tasks[future]}: {problem}")


def enhance_one(job: Job, folder: str, before: tuple | None, content: bytes) -> Outcome:
    """Enhance one file on a worker, unless that was already done since the run began.

    The paths of `job` start in `folder`; `before` is what `file_state` said of the target when the
    run began, and `content` the pickled `start`.
    """
    source, target = (os.path.join(folder, path) for path in (job.source, job.target))
    if file_state(target) != before:
        return Outcome(job.source, job.target)
    (outcome,) = _started(content)([job._replace(source=source, target=target)])
    output = outcome.output and job.target
    error = outcome.error and outcome.error.replace(folder + os.sep, "")
    return outcome._replace(input=job.source, output=output, error=error)


@functools.cache
def _started(content: bytes) -> Callable:
    """Load the model, once per process."""
    return pickle.loads(content)()


@contextlib.contextmanager
def _connect(address: str) -> Iterator:
    """Connect to a cluster, or start one."""
    if not find_spec("distributed"):
        raise LleError("--dask needs distributed: pip install 'lle-utils[dask]'")
    from distributed import Client, LocalCluster

    # That it repeats the task of a worker that died is no news to the user.
    logging.getLogger("distributed.client").setLevel(logging.ERROR)
    with contextlib.ExitStack() as stack:
        if address == "local":
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
