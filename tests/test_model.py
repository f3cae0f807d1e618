"""The seven-layer network and the enhancer that unrolls it."""

import json
import zipfile

import keras
import numpy as np
import pytest

from lle_utils import curve, data, founding, model, scaling
from lle_utils.errors import LleError

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def network():
    return model.build_network(seed=1, initial_map=0.38)


@pytest.mark.parametrize(
    ("channels", "merge", "parameters"),
    [
        (3, "concatenate", 67_299),
        (1, "concatenate", 66_145),
        (3, "add", 48_003),
        (1, "add", 47_425),
    ],
)
def test_parameters(channels, merge, parameters):
    assert model.build_network(channels, merge).count_params() == parameters


def test_the_network_is_that_of_the_founding_document(network):
    layers = [layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D)]
    assert len(layers) == 7
    assert {(layer.kernel_size, layer.strides) for layer in layers} == {((3, 3), (1, 1))}
    assert [layer.filters for layer in layers] == [32] * 6 + [3]
    assert [layer.activation.__name__ for layer in layers] == ["relu"] * 6 + ["sigmoid"]
    meets = [layer for layer in network.layers if isinstance(layer, keras.layers.Concatenate)]
    names = [sorted(tensor._keras_history.operation.name for tensor in m.input) for m in meets]
    assert names == [["layer_3", "layer_4"], ["layer_2", "layer_5"], ["layer_1", "layer_6"]]


def test_conditioning_has_no_parameters_and_changes_what_the_network_sees():
    plain = model.build_network(seed=3)
    conditioned = model.build_network(seed=3, conditioned=True)
    assert conditioned.count_params() == plain.count_params()
    picture = RNG.random((1, 9, 9, 3), dtype=np.float32)
    found = keras.ops.convert_to_numpy(conditioned(picture))
    np.testing.assert_allclose(found, plain(4 * picture - 1), atol=1e-6)


def test_the_initial_map_is_near_what_was_asked_for(network):
    parameter_map = keras.ops.convert_to_numpy(network(np.full((1, 20, 20, 3), 0.1, np.float32)))
    assert abs(parameter_map.mean() - 0.38) < 0.1


def test_one_seed_gives_one_network_whose_layers_differ():
    first, second = (model.build_network(seed=5).get_weights() for _ in range(2))
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.allclose(first[2], first[4])  # the kernels of layers 2 and 3


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"channels": 2}, "2"), ({"merge": "mix"}, "mix"), ({"initial_map": 1.0}, "1.0")],
)
def test_networks_that_are_none_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        model.build_network(**wrong)


@pytest.mark.parametrize("factor", [1, 2, 4, 7])
@pytest.mark.parametrize("size", [(32, 44), (41, 63), (2, 1), (1, 1)])
def test_shrink_averages_and_grow_comes_back_to_size(size, factor):
    picture = RNG.random((2, *size, 3), dtype=np.float32)
    small = keras.ops.convert_to_numpy(scaling.shrink(picture, factor))
    assert small.shape == (2, -(-size[0] // factor), -(-size[1] // factor), 3)
    if size[0] >= factor and size[1] >= factor:
        np.testing.assert_allclose(
            small[:, 0, 0], picture[:, :factor, :factor].mean((1, 2)), rtol=1e-5
        )
    assert scaling.grow(small, factor, *size).shape == picture.shape


def test_grow_is_bilinear():
    ramp = np.arange(6, dtype=np.float32)[None, :, None, None] * np.ones((1, 6, 5, 3), np.float32)
    grown = keras.ops.convert_to_numpy(scaling.grow(ramp, 4, 24, 20))
    expected = np.clip((np.arange(24) + 0.5) / 4 - 0.5, 0, 5)
    np.testing.assert_allclose(grown[0, :, 7, 1], expected, atol=1e-5)


def test_the_enhancer_is_the_recursion_around_its_network(network):
    picture = RNG.random((1, 12, 15, 3), dtype=np.float32) / 5
    enhancer = model.RecursiveEnhancer(network, iterations=5)
    expected = curve.recurse(
        np.maximum(picture, curve.FLOOR),
        lambda image, step: keras.ops.convert_to_numpy(network(image)),
        5,
    )
    np.testing.assert_allclose(enhancer.predict(picture, verbose=0), expected, atol=1e-5)


def test_the_last_entry_of_the_schedule_repeats(network):
    picture = RNG.random((1, 16, 16, 3), dtype=np.float32)
    short, long = (
        model.RecursiveEnhancer(network, schedule, 4) for schedule in ((4, 1), (4, 1, 1, 1))
    )
    np.testing.assert_array_equal(
        short.predict(picture, verbose=0), long.predict(picture, verbose=0)
    )


@pytest.mark.parametrize(
    "beside",
    [
        {},
        {"companion": 4},
        {
            "companion": 4,
            "keep_colors": True,
            "evenness": 0.5,
            "mirrored": True,
            "grayness": 0.3,
            "settle": 0.05,
        },
    ],
)
@pytest.mark.parametrize("jit", [False, True])
def test_one_enhancer_takes_every_size_in_a_row(network, jit, beside):
    enhancer = model.RecursiveEnhancer(network, (4, 2, 1), 3, **beside)
    enhancer.compile(loss="mse", jit_compile=jit)
    for size in ((32, 44), (41, 63), (2, 1), (32, 44)):
        picture = RNG.random((1, *size, 3), dtype=np.float32)
        found = enhancer.predict(picture, verbose=0)
        assert found.shape == picture.shape
        np.testing.assert_allclose(found, keras.ops.convert_to_numpy(enhancer(picture)), atol=1e-5)


def test_coarse_maps_come_from_a_companion_that_is_brightened_beside_the_picture(network):
    enhancer = model.RecursiveEnhancer(network, (8, 4, 1, 4), 4, companion=4)
    picture = RNG.random((1, 21, 30, 3), dtype=np.float32) / 8
    expected = np.maximum(picture, curve.FLOOR)
    companion = np.maximum(scaling.shrink(picture, 4), curve.FLOOR)
    for further, fine in ((2, False), (1, False), (1, True), (1, False)):
        coarse = model.predict_at_scale(network, companion, further)
        grown = network(expected) if fine else scaling.grow(coarse, 4, 21, 30)
        expected = curve.brighten(expected, np.asarray(grown))
        companion = curve.brighten(companion, np.asarray(coarse))
    np.testing.assert_allclose(enhancer.predict(picture, verbose=0), expected, atol=1e-5)
    # A second run starts from a companion of its own.
    np.testing.assert_allclose(enhancer(picture), expected, atol=1e-5)


def test_whole_maps_have_one_tint_and_fine_ones_none_but_in_their_grain():
    maps = RNG.random((2, 48, 32, 3), dtype=np.float32) * 0.2 + 0.4
    maps[..., 0] += 0.3
    gray = maps.mean(-1, keepdims=True)
    whole = keras.ops.convert_to_numpy(model.one_tint(maps))
    np.testing.assert_allclose(whole.mean(-1, keepdims=True), gray, atol=1e-6)
    tint = (maps - gray).mean((1, 2), keepdims=True)
    np.testing.assert_allclose(whole - gray, np.broadcast_to(tint, maps.shape), atol=1e-6)
    fine = keras.ops.convert_to_numpy(model.no_tint(maps))
    np.testing.assert_allclose(fine.mean(-1, keepdims=True), gray, atol=1e-6)
    before, after = maps - gray, fine - gray
    assert np.abs(before.mean((1, 2))).max() > 0.15 and np.abs(after.mean((1, 2))).max() < 0.002
    grain = [part.std((1, 2)).mean() for part in (before, after)]
    assert grain[1] == pytest.approx(grain[0], rel=0.05), "the grain stays"
    for extreme in (np.zeros_like(maps), np.eye(3, dtype=np.float32)[None, None]):
        for tinted in (model.one_tint, model.no_tint):
            found = keras.ops.convert_to_numpy(tinted(extreme))
            assert 0 <= found.min() <= found.max() <= 1


def test_an_enhancer_that_keeps_colors_tints_a_picture_as_a_whole(network):
    enhancer = model.RecursiveEnhancer(network, (4, 1, 4), 3, companion=4, keep_colors=True)
    picture = RNG.random((1, 20, 28, 3), dtype=np.float32) / 8
    steps = list(enhancer.steps(picture))
    for step in (steps[0], steps[2]):
        differences = np.diff(np.asarray(step.parameter_map), axis=-1)
        np.testing.assert_allclose(differences, differences[:, :1, :1].repeat(20, 1).repeat(28, 2),
                                   atol=1e-6)  # fmt: skip
    companion = np.maximum(scaling.shrink(picture, 4), curve.FLOOR)
    first = model.predict_at_scale(network, companion, 1, model.one_tint)
    fine = model.no_tint(network(steps[0].image))
    np.testing.assert_allclose(steps[0].parameter_map, scaling.grow(first, 4, 20, 28), atol=1e-6)
    np.testing.assert_allclose(steps[1].parameter_map, fine, atol=1e-6)


@pytest.mark.parametrize("keep_colors", [False, True])
def test_evenness_draws_the_companions_maps_to_their_mean(network, keep_colors):
    companion = RNG.random((2, 8, 11, 3), dtype=np.float32) / 8
    maps, half, even = (
        np.asarray(
            model.predict_whole(network, companion, keep_colors=keep_colors, evenness=evenness)
        )
        for evenness in (0.0, 0.5, 1.0)
    )
    mean = maps.mean((1, 2), keepdims=True)
    assert np.ptp(maps[..., 0]) > 0.001
    np.testing.assert_allclose(even, np.broadcast_to(mean, maps.shape), atol=1e-6)
    np.testing.assert_allclose(half, (maps + mean) / 2, atol=1e-6)


def test_grayness_draws_the_channels_of_the_companions_maps_to_their_mean(network):
    companion = RNG.random((2, 8, 11, 3), dtype=np.float32) / 8
    maps, half, gray = (
        np.asarray(model.predict_whole(network, companion, keep_colors=True, grayness=grayness))
        for grayness in (0.0, 0.5, 1.0)
    )
    mean = maps.mean(-1, keepdims=True)
    assert np.ptp(maps, axis=-1).min() > 0.001
    np.testing.assert_allclose(gray, np.broadcast_to(mean, maps.shape), atol=1e-6)
    np.testing.assert_allclose(half, (maps + mean) / 2, atol=1e-6)


def test_maps_that_are_nearly_0_settle_there():
    def network(pictures):  # any function of pictures will do
        return pictures

    maps = np.float32([0, 0.001, 0.01, 0.05, 0.2, 0.9]).reshape(1, 2, 3, 1)
    found = np.asarray(model.predict_whole(network, maps, settle=0.05)).ravel()
    assert found[0] == 0 and found[1] < 1e-6 and found[2] < 1e-4
    assert found[3] == pytest.approx(0.025) and found[4] > 0.199 and found[5] > 0.8999
    even = np.asarray(model.predict_whole(network, maps, evenness=1.0, settle=0.05))
    np.testing.assert_allclose(even, 0.1935, rtol=0.01)  # settled last: the mean is kept


def test_a_mirrored_enhancer_enhances_mirror_images_alike(network):
    """And one that is not does not: the test could fail."""
    picture = RNG.random((1, 24, 32, 3), dtype=np.float32) / 8
    for mirrored in (True, False):
        enhancer = model.RecursiveEnhancer(network, (4,), 3, companion=4, mirrored=mirrored)
        plain = enhancer.predict(picture, verbose=0)
        for axes in model.MIRRORS[1:]:
            found = enhancer.predict(np.flip(picture, axes), verbose=0)
            difference = np.abs(np.flip(found, axes) - plain).max()
            assert (difference < 1e-5) == mirrored


def test_what_is_said_of_a_companion_needs_one(network):
    for settings in ({"keep_colors": True}, {"evenness": 0.5}, {"mirrored": True},
                     {"grayness": 0.5}, {"settle": 0.1}):  # fmt: skip
        with pytest.raises(ValueError, match=f"{next(iter(settings))} needs a companion"):
            model.RecursiveEnhancer(network, **settings)


@pytest.mark.parametrize("share", ["evenness", "grayness", "settle"])
@pytest.mark.parametrize("wrong", [-0.1, 1.5, float("nan")])
def test_a_share_that_is_none_is_refused(network, share, wrong):
    enhancer = model.RecursiveEnhancer(network, companion=4)
    with pytest.raises(ValueError, match=f"{share} must be from 0 to 1"):
        enhancer.with_settings(**{share: wrong})
    changed = enhancer.with_settings(**{share: 0.5})
    assert getattr(changed, share) == 0.5 and getattr(enhancer, share) == 0


@pytest.mark.parametrize("wrong", [0, 2.5, -4, "4", True])
def test_a_companion_that_is_none_is_refused(network, wrong):
    with pytest.raises(ValueError, match="companion must be a whole number of 1 or more, or None"):
        model.RecursiveEnhancer(network, companion=wrong)


def test_fit_takes_two_sizes_and_lowers_the_loss():
    enhancer = model.RecursiveEnhancer(model.build_network(seed=2), (4, 1), 3)
    enhancer.compile(optimizer=keras.optimizers.Adam(2e-3), loss="mse")
    losses = []
    for size in ((24, 30), (17, 19), (24, 30), (17, 19)):
        high = np.full((2, *size, 3), 0.6, np.float32)
        history = enhancer.fit(high / 20, high, epochs=4, verbose=0)
        losses.append(history.history["loss"][-1])
    assert losses[-1] < 0.8 * losses[0]


def test_save_and_load(network, tmp_path):
    enhancer = model.RecursiveEnhancer(
        network,
        (8, 1),
        6,
        floor=0.001,
        companion=8,
        keep_colors=True,
        evenness=0.7,
        mirrored=True,
        grayness=0.3,
        settle=0.05,
    )
    enhancer.save(tmp_path / "mine.keras")
    loaded = model.load_model(tmp_path / "mine.keras")
    assert (loaded.schedule, loaded.iterations, loaded.floor) == ((8, 1), 6, 0.001)
    assert (loaded.companion, loaded.keep_colors) == (8, True)
    assert (loaded.evenness, loaded.mirrored) == (0.7, True)
    assert (loaded.grayness, loaded.settle) == (0.3, 0.05)
    picture = RNG.random((1, 20, 20, 3), dtype=np.float32)
    np.testing.assert_array_equal(
        loaded.predict(picture, verbose=0), enhancer.predict(picture, verbose=0)
    )


def test_schedules_scale_with_the_picture(network):
    enhancer = model.RecursiveEnhancer(
        network, (8, 1), companion=8, keep_colors=True, evenness=0.7, mirrored=True
    )
    for side, schedule in ((600, (8, 1)), (6000, (80, 10)), (100, (1, 1))):
        scaled = enhancer.scaled_to(side).with_iterations(3)
        assert (scaled.schedule, scaled.companion, scaled.iterations) == (schedule, schedule[0], 3)
        assert (scaled.keep_colors, scaled.evenness, scaled.mirrored) == (True, 0.7, True)
    assert model.RecursiveEnhancer(network, (8, 1)).scaled_to(100).companion is None


@pytest.mark.parametrize("wrong", [(), (0,), (2.5,), 4, "4", None])
def test_schedules_that_are_none_are_refused(network, wrong):
    with pytest.raises(ValueError, match="schedule must be whole numbers of 1 or more"):
        model.RecursiveEnhancer(network, wrong)


@pytest.mark.parametrize("name", ["anydepth", "curve8", "founding"])
@pytest.mark.parametrize("size", [(1, 1), (1, 400), (30, 20), (97, 131)])
def test_the_packaged_weights_enhance_pictures_of_any_size(name, size):
    picture = RNG.random((*size, 3), dtype=np.float32) / 8
    found = model.enhance_picture(model.load_model(name), picture)
    assert found.shape == picture.shape
    assert found.dtype == np.float32
    assert 0 <= found.min() <= found.max() <= 1
    assert found.mean() > 2 * picture.mean()


def test_maps_can_rest_at_zero():
    picture = RNG.random((1, 8, 9, 3), dtype=np.float32)
    plain = model.build_network(seed=0, initial_map=0.1).predict_on_batch(picture)
    resting = model.build_network(seed=0, initial_map=0.1, rest=0.2).predict_on_batch(picture)
    np.testing.assert_allclose(resting, plain**3 / (plain**2 + 0.04), atol=1e-6)
    assert np.all(resting < 0.4 * plain)


def test_the_packaged_weights_of_any_depth_come_to_rest():
    enhancer = model.load_model("anydepth")
    for pair in data.load("sample", "test", lazy=True)[:3]:
        small = enhancer.scaled_to(max(pair.low.shape[:2])).with_iterations(24)
        steps = list(small.steps(pair.low[None]))
        first, last = (float(np.mean(step.parameter_map)) for step in (steps[0], steps[-1]))
        assert last < 0.1 * first
        assert float(np.mean(steps[23].image)) < 1.25 * float(np.mean(steps[11].image))


def test_founding_weights_run_by_the_founding_function():
    network = model.load_model("founding")
    picture = RNG.random((20, 24, 3), dtype=np.float32) / 8

    def predict(img):
        return keras.ops.convert_to_numpy(network(np.asarray(img, np.float32)[None]))[0]

    expected = founding.enhance(255 * picture, 7, predict=predict)
    np.testing.assert_allclose(model.enhance_picture(network, picture, 7), expected, atol=1e-5)


def test_each_weights_file_has_a_card():
    assert model.list_weights() == ["anydepth", "curve8", "founding"]
    for name in model.list_weights():
        card = model.load_card(name)
        assert card["parameters"] == model.load_model(name).count_params()
        for fact in ("data", "split", "seed", "recipe", "steps", "minutes", "scores"):
            assert fact in card, f"{name}: {fact}"


def test_what_are_no_weights_is_refused_by_name(tmp_path):
    with pytest.raises(
        LleError, match="no weights called 'curve9'; there are anydepth, curve8, founding"
    ):
        model.load_model("curve9")
    with pytest.raises(LleError, match="no such file"):
        model.load_model(tmp_path / "none.keras")
    (tmp_path / "text.keras").write_text("text")
    with pytest.raises(LleError, match="text.keras is not a Keras model"):
        model.load_model(tmp_path / "text.keras")
    dense = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    dense.save(tmp_path / "dense.keras")
    with pytest.raises(LleError, match="does not take pictures"):
        model.load_model(tmp_path / "dense.keras")


def add_argument(saved, written, module: str) -> None:
    """Write a model file anew, with an argument that no Keras knows in each class of a module."""

    def visit(node):
        for child in node.values() if isinstance(node, dict) else node:
            if isinstance(child, dict | list):
                visit(child)
        if isinstance(node, dict) and node.get("module") == module:
            node["config"]["argument_of_tomorrow"] = None

    with zipfile.ZipFile(saved) as old, zipfile.ZipFile(written, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "config.json":
                visit(config := json.loads(content))
                content = json.dumps(config)
            new.writestr(name, content)


def test_weights_saved_by_a_newer_keras(tmp_path, network):
    enhancer = model.RecursiveEnhancer(network, schedule=(2, 1), iterations=3)
    enhancer(np.zeros((1, 8, 8, 3), "float32"))
    enhancer.save(tmp_path / "mine.keras")

    add_argument(tmp_path / "mine.keras", tmp_path / "newer.keras", "keras.initializers")
    loaded = model.load_model(tmp_path / "newer.keras")
    assert (loaded.schedule, loaded.iterations) == ((2, 1), 3)
    for ours, theirs in zip(enhancer.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)

    # What a layer would do with the argument we cannot know, so such a file is refused.
    add_argument(tmp_path / "mine.keras", tmp_path / "strange.keras", "keras.layers")
    with pytest.raises(LleError, match="can be loaded"):
        model.load_model(tmp_path / "strange.keras")
