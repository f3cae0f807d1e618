"""The minutes that are told are those that were measured: heads and README against minutes.csv."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
sys.path.insert(0, str(NOTEBOOKS))

import render  # noqa: E402

TIMES = render.read_times()
NAMES = sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))


def test_each_notebook_was_timed():
    assert sorted(TIMES) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_head_tells_the_minutes(name):
    for path in (NOTEBOOKS / "py" / f"{name}.py", NOTEBOOKS / f"{name}.ipynb"):
        (told,) = re.findall(r"\*\*Minutes:\*\* (\d+) on two CPU cores", path.read_text("utf-8"))
        assert int(told) == render.minutes(TIMES[name]), f"{path.name}: render it again"


@pytest.mark.parametrize("name", NAMES)
def test_the_readme_tells_the_minutes(name):
    (row,) = re.findall(
        rf"^\|.*\(notebooks/{name}\.ipynb\).*$", render.README.read_text("utf-8"), re.M
    )
    assert int(row.split("|")[4]) == render.minutes(TIMES[name])


def test_no_notebook_takes_longer_than_a_lesson_allows():
    assert max(TIMES.values()) <= 180 and sum(TIMES.values()) <= 600


@pytest.mark.parametrize(
    ("seconds", "told"), [(3, 1), (60, 1), (60.4, 1), (61, 2), (120, 2), (121, 3)]
)
def test_minutes_are_rounded_up(seconds, told):
    assert render.minutes(seconds) == told


def test_the_table_is_written(tmp_path):
    table = tmp_path / "minutes.csv"
    table.write_text("notebook,seconds\nb,7\n")
    render.write_time("a", 61.4, table)
    render.write_time("b", 8.6, table)
    assert table.read_bytes() == b"notebook,seconds\na,61\nb,9\n"
    assert render.read_times(table) == {"a": 61, "b": 9}


def test_the_words_are_written():
    head = "# **Minutes:** 1 on two CPU cores (on Colab 2)\n# **Minutes:** 1 on two CPU cores\n"
    assert render.reword_head(head, 3) == head.replace("1", "3", 1)
    rows = (
        "| 0 | [A](notebooks/a.ipynb) | 2 things | 1 | [open](x) |",
        "| 1 | [B](notebooks/b.ipynb) | y | 1 |",
    )
    table = "\n".join(rows)
    assert render.reword_table(table, "a", 5) == table.replace("| 1 | [open]", "| 5 | [open]")
    assert render.reword_table(table, "b", 5) == table[: -len("1 |")] + "5 |"


def test_every_head_and_row_can_be_reworded():
    readme = render.README.read_text("utf-8")
    for name in NAMES:
        for path in (NOTEBOOKS / "py" / f"{name}.py", NOTEBOOKS / f"{name}.ipynb"):
            assert "**Minutes:** 77 on" in render.reword_head(path.read_text("utf-8"), 77)
        assert render.reword_table(readme, name, 77) != readme


def test_a_time_counts_only_on_two_cores(monkeypatch, tmp_path):
    written = []
    monkeypatch.setattr(render, "render", lambda script, notebook: 100.0)
    monkeypatch.setattr(render, "write_time", lambda name, seconds: written.append(name))
    monkeypatch.setattr(render, "reword", lambda name, number: written.append(number))
    monkeypatch.delenv("LLE_DATASET", raising=False)
    command = ["render.py", "--force", "02"]
    for cores, output, data in (
        (1, [], "sample"),
        (2, ["--output", str(tmp_path)], "sample"),
        (2, [], "lol"),
    ):
        monkeypatch.setattr(render, "cores", lambda cores=cores: cores)
        monkeypatch.setenv("LLE_DATASET", data)
        monkeypatch.setattr(sys, "argv", command + output)
        assert render.main() == 0 and written == []
    monkeypatch.setenv("LLE_DATASET", "sample")
    monkeypatch.setattr(sys, "argv", command)
    assert render.main() == 0 and written == ["02_bend_one_curve", 2]
