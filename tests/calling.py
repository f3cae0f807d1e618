"""What tests of the command line share; see also conftest.py."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]


def save(name, picture=None) -> Path:
    """Save a picture, by default a small dark one, in a folder that is made; return its path."""
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = np.full((4, 6, 3), 30, np.uint8) if picture is None else picture
    Image.fromarray(picture).save(path)
    return path


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


def run_python(code: str, *arguments, cwd=None, **added: str) -> subprocess.CompletedProcess:
    """Run code in a new process, with arguments and variables of the environment."""
    call = [sys.executable, "-c", code, *map(str, arguments)]
    options = {"env": environment(**added), "cwd": cwd}
    return subprocess.run(call, **options, capture_output=True, text=True)
