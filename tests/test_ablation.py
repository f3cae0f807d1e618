"""The ablation: its rows, its results, and a run of one row."""

import subprocess
import sys

import numpy as np
import pytest

from lle_utils import ablation, model
from lle_utils.data import Pair
from lle_utils.recipes import Recipe

ROWS = ablation.read_rows()


def test_each_row_is_a_recipe_that_differs_from_the_others():
    recipes = {}
    for (section, name), row in ROWS.items():
        recipe = Recipe(**row["recipe"])
        key = (recipe, row["start"])
        assert key not in recipes.values(), (section, name)
        recipes[section, name] = key
        if row["start"]:
            start = Recipe(**ROWS[section, row["start"]]["recipe"])
            assert (start.channels, start.merge) == (recipe.channels, recipe.merge)
    assert sum(section == "exposure" for section, _ in ROWS) <= 16


def test_rows_of_a_section_take_as_many_steps():
    for section in {section for section, _ in ROWS}:
        rows = [
            row["recipe"] for key, row in ROWS.items() if key[0] == section and not row["start"]
        ]
        seen = {row["epochs"] * row.get("exposures", 1) * 386 for row in rows}
        assert len(seen) == 1, section


def test_committed_results_are_of_rows_that_there_are():
    results = ablation.read_results()
    assert results
    for result in results:
        row = ROWS[result["section"], result["row"]]
        assert result["seed"] in row["seeds"]
        assert 5 < result["psnr_8"] < 30 and 0 < result["ssim"] < 1 and result["steps"] > 0
        assert result["commit"].rstrip("+").isalnum()
        assert result["command"].startswith("python -m lle_utils.ablation ")


def test_a_score_stands_for_each_depth():
    high = np.random.default_rng(0).random((36, 48, 3), dtype=np.float32)
    pairs = [Pair("a", high / 5, high)]
    enhancer = model.RecursiveEnhancer(model.build_network(seed=0, initial_map=0.2), (8,), 8)
    scores = ablation.score_row(enhancer, pairs, 8, 3)
    assert list(scores) == list(ablation.SCORES) and np.all(np.isfinite(list(scores.values())))
    assert len(set(scores.values())) == len(scores)
    founding = ablation.score_row(model.build_network(1, seed=0), pairs, 8, 3)
    assert np.isfinite(founding["psnr_8"]) and np.isnan(founding["psnr_12"])


def test_results_survive_the_file(tmp_path):
    result = {field: 1.5 for field in ablation.SCORES}
    result |= {"section": "exposure", "row": 'a, "b"', "seed": 1, "steps": 3, "seconds": 4}
    result |= {"commit": "abc", "command": "python -m lle_utils.ablation 'a'", "psnr_24": np.nan}
    ablation._write_results(tmp_path / "ablation.csv", [result])
    (found,) = ablation.read_results(tmp_path / "ablation.csv")
    np.testing.assert_equal(found, result)


def test_an_unknown_row_is_told_which_there_are():
    done = subprocess.run(
        [sys.executable, "-m", "lle_utils.ablation", "no such row"], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "there is no row 'no such row'; there are: base, " in done.stderr


@pytest.mark.parametrize("name", ["fine iterations, MSE"])
def test_the_fine_rows_start_from_the_coarse_one(name):
    assert ROWS["fine", name]["start"] == "coarse iterations alone"
