"""Run notebooks as Colab would: each alone in an empty folder, with Colab's versions.

    python tests/colab.py            all notebooks, one after the other; `make colab` runs it
    python tests/colab.py 01 05      those whose names begin so

The environment is made once, in .venv-colab, from tests/colab.txt. The set-up cell clones the files
as they are here (those that git tracks, with your changes), and installs them. A notebook passes
if it runs through and no package that was there before has changed or gone.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
VERSIONS = ROOT / "tests" / "colab.txt"
ENVIRONMENT = ROOT / ".venv-colab"
PYTHON = ENVIRONMENT / "bin" / "python"
PACKAGE = "lle-utils"
SECONDS = 600  # for one notebook
COLORS = re.compile(r"\x1b\[[\d;]*m")


def changes(before: str, after: str) -> list[str]:
    """Compare two lists of `pip freeze`; return what changed or went, but not what came."""
    old, new = (set(text.split("\n")) - {""} for text in (before, after))
    by_name = {line.partition("==")[0].lower(): line for line in new}
    return [
        f"{line} became {by_name.get(line.partition('==')[0].lower(), 'nothing')}"
        for line in sorted(old - new)
    ]


def find_python() -> str:
    """Return the newest Python that the project runs on and that can make an environment."""
    for name in ("python3.13", "python3.12", "python3.11", sys.executable):
        call = [name, "-c", "import ensurepip, venv"]
        if shutil.which(name) and not subprocess.run(call, capture_output=True).returncode:
            return name
    raise SystemExit("colab: no Python 3.11, 3.12 or 3.13 with venv: apt-get install python3-venv")


def make_environment() -> None:
    """Install Colab's versions, unless that was done before with the same list."""
    done = ENVIRONMENT / "installed.txt"
    if done.exists() and done.read_text() == VERSIONS.read_text():
        return
    shutil.rmtree(ENVIRONMENT, ignore_errors=True)
    subprocess.run([find_python(), "-m", "venv", ENVIRONMENT], check=True)
    pip("install", "--quiet", "--requirement", VERSIONS)
    shutil.copy(VERSIONS, done)


def pip(*arguments) -> str:
    """Call the environment's pip; return what it prints."""
    command = [PYTHON, "-m", "pip", "--disable-pip-version-check", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def make_repository(folder: Path) -> str:
    """Commit the tracked files, as they are now, to a new repository; return its address."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    for name in os.fsdecode(listed.stdout).split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    for command in (
        "init",
        "config user.name Colab",
        "config user.email colab@example.org",
        "config core.compression 0",  # pictures and weights are compressed already
        "config pack.window 0",
        "add --all --force",
        "commit --message now",
    ):
        subprocess.run(["git", *command.split()], cwd=folder, check=True, capture_output=True)
    return folder.as_uri()


def run(notebook: Path, repository: str) -> list[str]:
    """Run one notebook alone in an empty folder; return what is to be complained of."""
    own = ("LLE_", "PYTHON", "JUPYTER", "MPL", "IPYTHON", "KERAS")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(own)}
    environment |= {
        "COLAB_RELEASE_TAG": "release-colab-simulated",
        "LLE_REPOSITORY": repository,
        "PATH": f"{PYTHON.parent}{os.pathsep}{os.environ['PATH']}",
    }
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(notebook, folder)
        before = pip("freeze", "--all")
        try:
            command = [PYTHON, "-m", "jupyter", "execute", f"--timeout={SECONDS}", notebook.name]
            options = {"cwd": folder, "env": environment, "capture_output": True, "text": True}
            done = subprocess.run(command, **options)
            complaints = changes(before, pip("freeze", "--all"))
        finally:
            pip("uninstall", "--quiet", "--yes", PACKAGE)
        if done.returncode:
            complaints.append(f"it fails:\n{COLORS.sub('', done.stderr)[-2500:]}")
        elif not (Path(folder) / "low-light-workbook" / "notebooks").is_dir():
            complaints.append("the set-up cell has not cloned the repository")
    return complaints


def main(beginnings) -> int:
    """Run the notebooks whose names begin so; return 1 if one of them does not pass."""
    notebooks = sorted(NOTEBOOKS.glob("*.ipynb"))
    chosen = [one for one in notebooks if one.name.startswith(tuple(beginnings) or "")]
    make_environment()
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        repository = make_repository(Path(folder))
        for notebook in chosen:
            started = time.perf_counter()
            complaints = run(notebook, repository)
            seconds = time.perf_counter() - started
            print(f"{notebook.name}: {'FAILED' if complaints else 'passed'}, {seconds:.0f} s")
            for complaint in complaints:
                print(f"  {complaint}")
            sys.stdout.flush()
            failed += bool(complaints)
    return 1 if failed or not chosen else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
