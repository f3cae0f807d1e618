"""What tests of the command line share; see also conftest.py."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]


def brighten(picture) -> np.ndarray:
    """Stand in for the network."""
    return np.clip(3 * np.asarray(picture), 0, 1)


def everything() -> dict[str, bytes | None]:
    """Return every file and folder of the working folder, with what is in the files."""
    return {str(path): path.read_bytes() if path.is_file() else None for path in Path().rglob("*")}


def environment(**added: str) -> dict[str, str]:
    """Return this process's environment, without what would hide noise of TensorFlow."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    return {**kept, "PYTHONPATH": str(ROOT), **added}


def run_python(code: str, **options) -> subprocess.CompletedProcess:
    """Run code in a new process."""
    call = [sys.executable, "-c", code]
    return subprocess.run(call, env=environment(), capture_output=True, text=True, **options)
