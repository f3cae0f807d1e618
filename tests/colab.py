"""Run notebooks as Colab would: each alone in an empty folder, with Colab's versions.

    python tests/colab.py            all notebooks, one after the other; `make colab` runs it
    python tests/colab.py 01 05      those whose names begin so

The environment is made once, in .venv-colab, from tests/colab.txt, with the Python that runs this.
The set-up cell clones the files as they are here (those that git tracks, with your changes), and
installs them. A notebook passes if it runs through and no package that was there before has changed
or gone.
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


def changes(before: str, after: str) -> list[str]:
    """Compare two lists of `pip freeze`; return what changed or went, but not what came."""
    old, new = (set(text.split("\n")) - {""} for text in (before, after))
    by_name = {line.partition("==")[0].lower(): line for line in new}
    return [
        f"{line} became {by_name.get(line.partition('==')[0].lower(), 'nothing')}"
        for line in sorted(old - new)
    ]


def make_environment() -> None:
    """Install Colab's versions, unless that was done before with the same list."""
    done = ENVIRONMENT / "installed.txt"
    if done.exists() and done.read_text() == VERSIONS.read_text():
        return
    shutil.rmtree(ENVIRONMENT, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", ENVIRONMENT], check=True)
    pip("install", "--quiet", "--requirement", VERSIONS)
    shutil.copy(VERSIONS, done)


def pip(*arguments) -> str:
    """Call the environment's pip; return what it prints."""
    command = [PYTHON, "-m", "pip", "--disable-pip-version-check", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def make_repository(folder: Path) -> str:
    """Commit the tracked files, as they are now, to a new repository; return its address."""
    options = "-c user.name=Colab -c user.email=colab@example.org -c core.compression=0"
    git = ["git", f"--git-dir={folder}", f"--work-tree={ROOT}", *options.split()]
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, stdout=subprocess.PIPE, check=True)
    add = [*git, "add", "--force", "--pathspec-from-file=-", "--pathspec-file-nul"]
    subprocess.run([*git, "init", "--quiet"], check=True)
    subprocess.run(add, cwd=ROOT, input=listed.stdout, check=True)
    subprocess.run([*git, "commit", "--quiet", "--message=now"], cwd=ROOT, check=True)
    return folder.as_uri()


def run(notebook: Path, repository: str) -> list[str]:
    """Run one notebook alone in an empty folder; return what is to be complained of."""
    own = ("LLE_", "PYTHON", "JUPYTER", "MPL", "IPYTHON", "KERAS")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(own)}
    environment["COLAB_RELEASE_TAG"] = "release-colab-simulated"
    environment["LLE_REPOSITORY"] = repository
    environment["PATH"] = f"{PYTHON.parent}{os.pathsep}{os.environ['PATH']}"
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(notebook, folder)
        before = pip("freeze", "--all")
        try:
            command = [PYTHON, "-m", "jupyter", "execute", "--timeout=600", notebook.name]
            options = {"cwd": folder, "env": environment, "capture_output": True, "text": True}
            done = subprocess.run(command, **options)
            complaints = changes(before, pip("freeze", "--all"))
        finally:
            pip("uninstall", "--quiet", "--yes", "lle-utils")
        if done.returncode:
            without_colors = re.sub(r"\x1b\[[\d;]*m", "", done.stderr)
            complaints.append(f"it fails:\n{without_colors[-2500:]}")
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
            failed += bool(complaints)
            seconds = time.perf_counter() - started
            verdict = f"{'FAILED' if complaints else 'passed'}, {seconds:.0f} s"
            print(f"{notebook.name}: {verdict}", *complaints, sep="\n  ", flush=True)
    return 1 if failed or not chosen else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
