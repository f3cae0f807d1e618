"""The two data sets behind their one interface, and what training takes of the world."""

import shutil
import warnings

import numpy as np
import pytest
from miniature import encode, put

from lle_utils import cli, data
from lle_utils.errors import LleError
from lle_utils.fetch import verify

PICTURE = np.random.default_rng(0).integers(0, 256, (4, 6, 3), dtype=np.uint8)


def make_pairs(folder, names):
    """Make a folder of pairs with these names; return it."""
    for side in ("low", "high"):
        put(folder / side, {f"{name}.png": encode(PICTURE) for name in names})
    return folder


def test_the_sample_loads_without_a_network_and_shares_no_scene_between_splits():
    names = []
    for split in data.SPLITS:
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
    np.testing.assert_array_equal(pairs[pairs.names[2]].low, pairs[2].low)
    assert pairs[-1].name == pairs.names[-1] and pairs[1:3].names == pairs.names[1:3]
    for absent, error in ((len(pairs), IndexError), ("nothing", KeyError)):
        with pytest.raises(error):
            pairs[absent]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: data.load("lola"), "the data sets are sample, lol; there is none called 'lola'"),
        (lambda: data.load("sample", "unseen"), "none called 'unseen'"),
        (lambda: data.load_source("photos", "validation"), "none called 'validation'"),
        (lambda: data.load_source("moon"), "none called 'moon'"),
    ],
)
def test_what_is_not_there_is_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.fixture
def lol(data_dir, monkeypatch):
    """Return a folder with tiny pictures under the names of LOL."""
    monkeypatch.setattr(verify.LOL, "width", 6)
    monkeypatch.setattr(verify.LOL, "height", 4)
    put(data_dir / "lol", dict.fromkeys(verify.LOL.md5, encode(PICTURE)))
    return data_dir / "lol"


def test_lol_is_cut_by_scene_groups_that_cover_every_pair_once():
    names, scenes = data.lol_split_names(), data.lol_scenes()
    sizes = {split: len(found) for split, found in names.items()}
    assert sizes == {"train": 386, "validation": 50, "unseen": 48, "test": 15}
    published = {name.replace("/low/", "/") for name in verify.LOL.md5 if "/low/" in name}
    assert sorted(file for group in scenes["groups"] for file in group) == sorted(published)
    leaked = 0
    for group in scenes["groups"]:
        stems = {file.split("/")[1].removesuffix(".png") for file in group}
        touched = [split for split, found in names.items() if found & stems]
        assert len(touched) <= 1 or sorted(touched) == ["test", "train"], group
        leaked += len(names["test"] & stems) if len(touched) == 2 else 0
    assert leaked == 14
    assert list(scenes["left_out"]) == ["our485/648.png"]
    assert published.issuperset(scenes["faults"])


def test_published_lol_loads_without_a_warning_in_numerical_order(lol, monkeypatch):
    monkeypatch.setattr(verify, "_judge", lambda *_: verify.Kind.PUBLISHED)
    assert cli.main(["verify"]) == 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        train = data.load("lol", "train", lazy=True)
        assert len(data.load("lol", "test")) == 15
    assert list(train.names) == sorted(data.lol_split_names()["train"], key=int)


def test_an_incomplete_copy_is_refused_and_a_near_one_warns(lol, capsys):
    with pytest.warns(UserWarning, match="LOL is unverified: .*verify"):
        data.load("lol", "test", lazy=True)
    assert cli.main(["verify"]) == 1
    assert "1000 x a different picture of the right size" in capsys.readouterr().out
    with pytest.warns(UserWarning, match="LOL is modified"):
        data.load("lol", "train", lazy=True)
    (lol / "eval15" / "high" / "1.png").unlink()
    with pytest.raises(LleError, match=r"1\.png is missing.*fetch lol.*LLE_DATA_DIR"):
        data.load("lol", "test")


@pytest.fixture
def folder(tmp_path):
    return make_pairs(tmp_path, "abcdefghi")


def test_any_folder_of_pairs_whatever_their_endings_and_a_slice_held_in_memory(folder):
    (folder / "low" / "notes.txt").write_text("not a picture")
    (folder / "high" / "a.png").rename(folder / "high" / "a.PNG")
    lazy = data.load_folder(folder)
    assert lazy.names == tuple("abcdefghi")
    held = lazy[:2].in_memory()
    shutil.rmtree(folder)  # it was read already
    assert held.names == ("a", "b")
    for picture in held.uint8("b"):
        np.testing.assert_array_equal(picture, PICTURE)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda low: (low / "b.png").unlink(), "low/ and high/ do not hold .* called b"),
        (lambda low: put(low, {"a.jpg": encode(PICTURE, "JPEG")}), "called a"),
        (lambda low: [path.unlink() for path in low.iterdir()], "low holds no pictures"),
        (shutil.rmtree, "low: no such folder"),
        (lambda low: put(low, {"b.png": encode(PICTURE[:2])}), r"low/b\.png and .*differ in size"),
    ],
)
def test_what_is_wrong_with_a_folder_is_said(folder, spoil, message):
    spoil(folder / "low")
    with pytest.raises(LleError, match=message):
        data.load_folder(folder).in_memory()


def test_every_fourth_of_your_own_pairs_is_for_validation(folder):
    assert data.load_source(str(folder), "validation").names == ("d", "h")
    assert data.load_source(str(folder)).names == tuple("abcefgi")
    for path in folder.glob("*/[d-i].png"):
        path.unlink()
    with pytest.raises(LleError, match="holds 3 pairs; training needs 4 or more"):
        data.load_source(str(folder))


@pytest.fixture
def cameras(data_dir):
    """Make photographs and pairs of two cameras."""
    names = ("beach.png", "friends_by_Aitzol_Berasategi.png")  # the second is of the sample's
    large = encode(PICTURE.repeat(8, 0).repeat(8, 1))
    put(data_dir / "cameras" / "photos" / "holidays", dict.fromkeys(names, large))
    for camera_set in ("stack_mercury", "mine"):
        make_pairs(data_dir / "cameras" / "pairs" / camera_set, ["one"])


def test_photographs_are_darkened_always_alike_and_none_of_a_held_out_scene(cameras, monkeypatch):
    list_pairs = data.list_pairs
    monkeypatch.setattr(data, "list_pairs", lambda folder: list_pairs(folder)[:2])
    photos, again = data.load_source("photos"), data.load_source("photos")
    assert len(photos) == 4 * (1 + 2)  # and the sample's training scenes, of which two will do
    assert not any("friends" in name for name in photos.names)
    assert photos.names[:4] == tuple(f"holidays/beach#{number}" for number in (1, 2, 3, 4))
    lows, same = (
        [some.uint8(number)[0].tobytes() for number in range(4)] for some in (photos, again)
    )
    assert lows == same and len(set(lows)) == 4


def test_cameras_for_validation_are_not_trained_on(cameras):
    assert data.load_source("pairs").names == ("mine/one",)
    assert data.load_source("pairs", "validation").names == ("stack_mercury/one",)


def test_absent_cameras_are_asked_for_politely(data_dir):
    with pytest.raises(LleError, match="cameras/pairs: no such folder.*--sources lol sample"):
        data.load_source("pairs")
