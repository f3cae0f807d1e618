"""The two data sets behind their one interface."""

import shutil

import numpy as np
import pytest

from lle_utils import data, images
from lle_utils.errors import LleError

SPLITS = ("train", "validation", "test")


def test_the_sample_loads_without_a_network_and_shares_no_scene_between_splits():
    names = []
    for split in SPLITS:
        pairs = data.load("sample", split)
        names += pairs.names
        assert len(pairs) >= 2
        for pair in pairs:
            assert pair.low.shape == pair.high.shape
            assert pair.low.dtype == pair.high.dtype == np.float32
            assert pair.low.mean() < 0.5 * pair.high.mean()
    assert len(set(names)) == len(names)


def test_further_exposures_are_of_the_same_scene_and_always_the_same():
    pairs, again = (data.load("sample", "validation", exposures=3) for _ in range(2))
    one, two, three = pairs[:3]
    assert [pair.name.split("#")[0] for pair in (one, two, three)] == [one.name] * 3
    np.testing.assert_array_equal(two.high, one.high)
    assert np.abs(two.low - three.low).mean() > 1e-3
    for pair, twin in zip(pairs, again, strict=True):
        np.testing.assert_array_equal(pair.low, twin.low)


def test_indexing():
    pairs = data.load("sample", "train", lazy=True)
    name = pairs.names[2]
    np.testing.assert_array_equal(pairs[name].low, pairs[2].low)
    assert pairs[-1].name == pairs.names[-1]
    assert pairs[1:3].names == pairs.names[1:3]
    assert len(list(pairs)) == len(pairs)
    with pytest.raises(IndexError):
        pairs[len(pairs)]
    with pytest.raises(KeyError, match="no pair is called 'nothing'"):
        pairs["nothing"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: data.load("lola"), "none called 'lola'"),
        (lambda: data.load("sample", "dev"), "none called 'dev'"),
        (lambda: data.load("sample", "unseen"), "none called 'unseen'"),
        (lambda: data.load("sample", exposures=0), "0"),
        (lambda: data.load("sample", exposures=1.5), "1.5"),
    ],
)
def test_what_is_not_there_is_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.fixture
def lol(tmp_path, monkeypatch):
    """Return a folder laid out like LOL, with the real names and tiny pictures."""
    picture = tmp_path / "picture.png"
    images.write_image(picture, np.full((4, 6, 3), 0.25))
    names = {file for group in data.lol_scenes()["groups"] for file in group}
    for file in names:
        part, name = file.split("/")
        for side in ("low", "high"):
            target = tmp_path / "lol" / part / side / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(picture, target)
    monkeypatch.setenv("LLE_DATA_DIR", str(tmp_path))
    return tmp_path / "lol"


def test_lol_is_cut_by_scene():
    names, scenes = data.lol_split_names(), data.lol_scenes()
    assert {split: len(found) for split, found in names.items()} == {
        "train": 386,
        "validation": 50,
        "unseen": 48,
        "test": 15,
    }
    for group in scenes["groups"]:
        stems = {file.split("/")[1].removesuffix(".png") for file in group}
        touched = [split for split, found in names.items() if found & stems]
        assert len(touched) <= 1 or sorted(touched) == ["test", "train"], group
    assert not any("648" in found for found in names.values())


@pytest.mark.filterwarnings("ignore:this copy of LOL was never verified")
def test_lol_loads_by_split_in_numerical_order(lol):
    train = data.load("lol", "train", lazy=True)
    assert list(train.names) == sorted(data.lol_split_names()["train"], key=int)
    assert len(data.load("lol", "test")) == 15
    shutil.rmtree(lol)
    with pytest.raises(LleError, match=r"fetch lol.*LLE_DATA_DIR"):
        data.load("lol")


@pytest.fixture
def folder(tmp_path):
    for side in ("low", "high"):
        (tmp_path / side).mkdir()
        for name in ("a", "b"):
            images.write_image(tmp_path / side / f"{name}.png", np.full((4, 6, 3), 0.5))
    return tmp_path


@pytest.mark.parametrize("lazy", [False, True])
def test_sets_can_be_joined(lazy):
    ours = data.load("sample", "validation", lazy=lazy)
    theirs = data.load("sample", "test", lazy=not lazy)
    both = ours[:1] + theirs
    assert both.names == (ours.names[0], *theirs.names)
    assert both.title == "sample, validation + sample, test"
    np.testing.assert_array_equal(both[1].low, theirs[0].low)
    np.testing.assert_array_equal((ours + ours)[-1].high, ours[-1].high)


def test_any_folder_of_pairs_whatever_their_endings(folder):
    (folder / "low" / "notes.txt").write_text("not a picture")
    (folder / "high" / "a.png").rename(folder / "high" / "a.PNG")
    pairs = data.load_folder(folder)
    assert pairs.names == ("a", "b") and pairs["a"].high.shape == (4, 6, 3)


def test_a_slice_of_a_lazy_set_can_be_held_in_memory(folder):
    lazy = data.load_folder(folder, lazy=True)
    held = lazy[1:].in_memory()
    expected = [lazy.uint8(name) for name in held.names]
    shutil.rmtree(folder)  # it was read already
    assert held.names == lazy.names[1:]
    for name, pair in zip(held.names, expected, strict=True):
        np.testing.assert_array_equal(held.uint8(name), pair)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda low: (low / "b.png").unlink(), r"high/b\.png has no partner in .*low"),
        (lambda low: images.write_image(low / "a.jpg", np.zeros((4, 6, 3))), "the same name"),
        (lambda low: [path.unlink() for path in low.iterdir()], "low holds no pictures"),
        (shutil.rmtree, "low: no such folder"),
    ],
)
def test_folders_that_hold_no_pairs(folder, spoil, message):
    spoil(folder / "low")
    with pytest.raises(LleError, match=message):
        data.load_folder(folder)


def test_sizes_that_differ(folder):
    images.write_image(folder / "low" / "b.png", np.zeros((6, 4, 3)), overwrite=True)
    with pytest.raises(LleError, match=r"4 x 6 pixels.*6 x 4: sizes differ"):
        data.load_folder(folder)[1]


# What training takes of the world


@pytest.fixture
def cameras(tmp_path, monkeypatch):
    """Return a data folder with photographs and pairs of two cameras."""
    photos = tmp_path / "cameras" / "photos" / "holidays"
    photos.mkdir(parents=True)
    picture = np.random.default_rng(0).random((40, 60, 3))
    for name in ("beach", "friends_by_Aitzol_Berasategi"):
        images.write_image(photos / f"{name}.png", picture)
    for camera_set in ("stack_mercury", "mine"):
        for side in ("low", "high"):
            folder = tmp_path / "cameras" / "pairs" / camera_set / side
            folder.mkdir(parents=True)
            images.write_image(folder / "one.png", picture)
    monkeypatch.setenv("LLE_DATA_DIR", str(tmp_path))
    return tmp_path / "cameras"


def test_photographs_are_darkened_always_alike_and_none_of_a_held_out_scene(cameras, monkeypatch):
    list_pairs = data.list_pairs
    monkeypatch.setattr(data, "list_pairs", lambda folder: list_pairs(folder)[:2])
    photos = data.load_source("photos")
    assert len(photos) == 4 * (1 + 2)  # and the sample's training scenes, of which two will do
    assert not any("friends" in name for name in photos.names)
    assert photos.names[:4] == tuple(f"holidays/beach#{number}" for number in (1, 2, 3, 4))
    again = data.load_source("photos")
    lows = [photos.uint8(number)[0] for number in range(4)]
    for number, low in enumerate(lows):
        np.testing.assert_array_equal(low, again.uint8(number)[0])
    assert len({low.tobytes() for low in lows}) == 4


def test_cameras_for_validation_are_not_trained_on(cameras):
    assert data.load_source("pairs").names == ("mine/one",)
    assert data.load_camera_pairs("validation").names == ("stack_mercury/one",)


def test_absent_cameras_are_asked_for_politely(tmp_path, monkeypatch):
    monkeypatch.setenv("LLE_DATA_DIR", str(tmp_path))
    for source in ("photos", "pairs"):
        with pytest.raises(LleError, match="--sources lol sample"):
            data.load_source(source)
    with pytest.raises(ValueError, match="no.* called 'moon'"):
        data.load_source("moon")


def test_every_fourth_of_your_own_pairs_is_for_validation(tmp_path):
    for name in "abcdefghi":
        for side in ("low", "high"):
            (tmp_path / side).mkdir(exist_ok=True)
            images.write_image(tmp_path / side / f"{name}.png", np.zeros((4, 6, 3), np.float32))
    assert data.load_own(tmp_path, "validation").names == ("d", "h")
    assert data.load_source(str(tmp_path)).names == tuple("abcefgi")
    for path in tmp_path.glob("*/[d-i].png"):
        path.unlink()
    with pytest.raises(LleError, match="holds 3 pairs; training needs 4 or more"):
        data.load_own(tmp_path)
