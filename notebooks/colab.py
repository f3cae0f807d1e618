"""Make this clone ready on Google Colab: install the package, and go to the notebooks' folder.

Each notebook's set-up cell clones the workbook and runs this. Colab has all dependencies, in its
own versions, so none is installed.
"""

import os
import subprocess
import sys
from pathlib import Path

NOTEBOOKS = Path(__file__).resolve().parent
ROOT = str(NOTEBOOKS.parent)

pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--editable", ROOT]
subprocess.run(pip, check=True)
sys.path.insert(0, ROOT)  # a kernel that runs already does not see what was just installed
os.chdir(NOTEBOOKS)
