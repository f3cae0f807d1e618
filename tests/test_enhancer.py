"""The network, the resampling around it, and the enhancer that unrolls it."""

import keras
import numpy as np
import pytest
from keras import ops

from lle_utils import data, enhancer, network, resample
from lle_utils.batches import make_thumbnail
from lle_utils.enhancer import Enhancer, enhance_picture, trace
from lle_utils.weights import load_model

RNG = np.random.default_rng(0)
SIZES = [(32, 44), (41, 63), (2, 1), (1, 1)]


def random_network(seed=0, spread=0.1):
    """A network whose maps differ from place to place, as those of trained weights do."""
    built = network.build_network(seed=seed, conditioned=True)
    rng = np.random.default_rng(seed)
    built.set_weights([rng.normal(0, spread, w.shape) for w in built.get_weights()])
    return built


@pytest.fixture(scope="module")
def random():
    return Enhancer(random_network())


# The network


def test_the_network_is_that_of_the_founding_document():
    built = network.build_network()
    assert built.count_params() == 67_299
    assert network.build_network(channels=1).count_params() == 66_145
    layers = [layer for layer in built.layers if isinstance(layer, keras.layers.Conv2D)]
    assert len(layers) == 7
    assert {(layer.kernel_size, layer.strides) for layer in layers} == {((3, 3), (1, 1))}
    assert [layer.filters for layer in layers] == [32] * 6 + [3]
    assert [layer.activation.__name__ for layer in layers] == ["relu"] * 6 + ["sigmoid"]
    joined = [layer for layer in built.layers if isinstance(layer, keras.layers.Concatenate)]
    names = [sorted(tensor._keras_history.operation.name for tensor in j.input) for j in joined]
    assert names == [["layer_3", "layer_4"], ["layer_2", "layer_5"], ["layer_1", "layer_6"]]


def test_conditioning_has_no_parameters_and_changes_what_the_network_sees():
    plain = network.build_network(seed=3)
    conditioned = network.build_network(seed=3, conditioned=True)
    assert conditioned.count_params() == plain.count_params()
    picture = RNG.random((1, 9, 9, 3), dtype=np.float32)
    found = ops.convert_to_numpy(conditioned(picture))
    np.testing.assert_allclose(found, plain(4 * picture - 1), atol=1e-6)


def test_one_seed_gives_one_network_near_the_neutral_map():
    built, again = (network.build_network(seed=5) for _ in range(2))
    first, second = built.get_weights(), again.get_weights()
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.allclose(first[2], first[4])  # the kernels of layers 2 and 3
    parameter_map = ops.convert_to_numpy(built(np.full((1, 20, 20, 3), 0.1, np.float32)))
    assert abs(parameter_map.mean() - 0.5) < 0.1


# Resampling


@pytest.mark.parametrize("size", [(32, 44), (97, 131)])
def test_training_and_the_enhancer_average_thumbnails_alike(size):
    picture = RNG.random((1, *size, 3), dtype=np.float32)
    ours = ops.convert_to_numpy(resample.make_thumbnail(picture, enhancer.SIDE))[0]
    np.testing.assert_allclose(make_thumbnail(picture[0]), ours, atol=1e-5)


def test_a_box_is_a_part_of_the_enlarged_map():
    maps = RNG.random((2, 6, 6, 3), dtype=np.float32)
    whole = ops.convert_to_numpy(resample.enlarge_thumbnail(maps, 40, 60))
    boxes = [[10 / 40, 15 / 60, 20 / 40, 30 / 60], [0, 30 / 60, 20 / 40, 30 / 60]]
    parts = ops.convert_to_numpy(resample.enlarge_thumbnail(maps, 20, 30, boxes))
    np.testing.assert_allclose(parts[0], whole[0, 10:30, 15:45], atol=1e-5)
    np.testing.assert_allclose(parts[1], whole[1, :20, 30:], atol=1e-5)


# The enhancer


def test_one_enhancer_takes_every_size_in_a_row(random):
    compiled = keras.Sequential([random])
    for size in [*SIZES, (32, 44)]:
        picture = RNG.random((2, *size, 3), dtype=np.float32)
        found = compiled.predict(picture, verbose=0)
        np.testing.assert_allclose(found, random(picture), atol=1e-5)


def test_a_gray_picture_stays_gray(random):
    gray = np.repeat(RNG.random((1, 50, 60, 1), dtype=np.float32), 3, axis=-1)
    assert np.ptp(ops.convert_to_numpy(random(gray)), axis=-1).max() < 1e-6


def test_training_has_no_gradient_through_the_colorfulness():
    """TensorFlow's gradient of a maximum that it computes twice can be 0 / 0."""
    tensorflow = pytest.importorskip("tensorflow")
    tinted = random_network()
    bias = tinted.layers[-1].bias
    tinted.set_weights([np.zeros(w.shape) for w in tinted.get_weights()])
    bias.assign([-1, 0, 1])  # maps of one color, whatever the picture
    picture = tensorflow.Variable(RNG.random((1, 20, 20, 3), dtype=np.float32))
    with tensorflow.GradientTape() as tape:
        maps = Enhancer(tinted).thumbnail_map(picture, average_flips=False)
    assert np.ptp(maps, axis=(0, 1, 2)).max() > 0.01  # they do depend on the picture
    assert not np.any(tape.gradient(maps, picture, unconnected_gradients="zero"))


def test_detail_maps_move_no_light_from_place_to_place(random):
    """What the network says of a whole region is not in them, only what differs inside of it."""
    picture = RNG.random((1, 90, 120, 3), dtype=np.float32) / 5
    picture[:, :, 60:] *= 4
    for factor in (1, 2):
        details = ops.convert_to_numpy(random.detail_map(picture, factor))[0, 20:-20]
        assert details.std() > 0.05
        for region in (details[:, 20:40], details[:, 80:100]):
            assert np.abs(region.mean((0, 1))).max() < 0.02


def test_the_soft_threshold_keeps_large_maps_and_drops_small_ones():
    t = enhancer.TOLERANCE
    maps = np.array([0.0, t / 10, t, 10 * t, 1.0])
    found = enhancer.soft_threshold(maps)
    assert found[1] < 0.02 * maps[1] and found[2] == pytest.approx(maps[2] / 2)
    assert np.all(found[3:] > 0.98 * maps[3:]) and np.all(np.diff(found) > 0)


@pytest.mark.parametrize("wrong", [("where",), (0,), (2.5,), ("4",), (None,)])
def test_schedules_that_are_none_are_refused(wrong):
    with pytest.raises(ValueError, match="an entry of schedule is"):
        Enhancer(random_network(), wrong)


# The packaged weights


@pytest.mark.parametrize("name", ["enhancer", "founding"])
def test_the_packaged_weights_enhance_pictures_of_any_size(name):
    model = load_model(name)
    for size in ((1, 1), (1, 400), (97, 131)):
        picture = RNG.random((*size, 3), dtype=np.float32) / 8
        found = enhance_picture(model, picture)
        assert (found.shape, found.dtype) == (picture.shape, np.float32)
        assert 0 <= found.min() <= found.max() <= 1
        assert found.mean() > 1.5 * picture.mean()


@pytest.fixture(scope="module")
def trained():
    return load_model()


@pytest.fixture(scope="module")
def dark():
    return [pair.low for pair in data.load("sample", "test", lazy=True)[:2]]


def test_the_packaged_weights_find_little_left_to_do(trained, dark):
    for low in dark:
        steps = trace(trained, low[:300, :400], 24)
        means = [float(step.image.mean()) for step in steps]
        assert abs(means[11] - means[7]) < 0.1
        assert steps[23].parameter_map.mean() < 0.1 * steps[0].parameter_map.mean()


def test_no_frame_is_painted_around_a_picture(trained, dark):
    """The outer 16 pixels come out as they would inside of a mirrored, larger picture."""
    for low in dark:
        low = low[:240, :240]
        larger = np.pad(low, ((64, 64), (64, 64), (0, 0)), "symmetric")
        ours, theirs = (enhance_picture(trained, one) for one in (low, larger))
        difference = 255 * np.abs(ours - theirs[64:304, 64:304]).mean(axis=-1)
        is_rim = np.ones(difference.shape, bool)
        is_rim[16:-16, 16:-16] = False
        # The mirrored picture has another thumbnail, so all of it shifts, the rim a little more.
        assert difference[is_rim].mean() < difference[~is_rim].mean() + 2, "code values"
