"""The command line as a photographer uses it, and as somebody does who wants to break it."""

import json
import math
import os
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms

from lle_utils import cli, metrics, vision
from lle_utils.enhancer import Enhancer, enhance_picture
from lle_utils.images import read_image, to_uint8, write_image
from lle_utils.network import build_network
from lle_utils.photos import read_photo
from lle_utils.weights import load_model

ROOT = Path(__file__).resolve().parents[1]
HELDOUT = ROOT / "data" / "sample" / "heldout"
COFFEE = HELDOUT / "low" / "coffee.png"
COMMANDS = ("fetch", "verify", "train", "evaluate", "enhance", "export", "figures")


@pytest.fixture(autouse=True)
def in_tmp_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def lle(capsys):
    """Return a function that runs a command in this process: (exit code, stdout, stderr)."""

    def run(*arguments):
        try:
            code = cli.main([str(argument) for argument in arguments])
        except SystemExit as stop:
            code = stop.code
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.fixture
def refused(lle):
    """Return a function that runs a command which must fail in one line and change nothing."""

    def run(*arguments, says):
        before = everything()
        code, out, err = lle(*arguments)
        assert code == 1
        assert out == ""
        assert err.startswith("lle: ")
        assert err.count("\n") == 1
        assert says in err
        assert everything() == before
        return err

    return run


def everything() -> dict[str, bytes | None]:
    """Return every file and folder of the working folder, with what is in the files."""
    return {str(path): path.read_bytes() if path.is_file() else None for path in Path().rglob("*")}


def dark(height: int = 40, width: int = 60) -> np.ndarray:
    """Return a noisy dark picture of 8-bit code values."""
    return np.random.default_rng(0).integers(0, 60, (height, width, 3), dtype=np.uint8)


def save(path: str, values=None, **options) -> Path:
    """Save a picture by Pillow; return its path."""
    Image.fromarray(dark() if values is None else values).save(path, **options)
    return Path(path)


# What the command line says of itself


@pytest.mark.parametrize("command", COMMANDS)
def test_help_explains_every_command(lle, command):
    code, out, _ = lle(command, "--help")
    assert code == 0
    assert len(out.split()) > 25
    assert command in lle("--help")[1]


@pytest.mark.parametrize("command", ["train", "evaluate", "enhance", "export", "figures"])
def test_the_example_in_the_help_can_be_typed(lle, command):
    out = " ".join(lle(command, "--help")[1].split())
    example = shlex.split(out.partition("example: python -m lle_utils ")[2])
    assert cli._build_parser().parse_args(example).run


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("", "COMMAND"),
        ("brighten a.png", "brighten"),
        ("enhance", "IN"),
        ("enhance a.png --suffix a/b", "a/b"),
        ("enhance -o b.png", "IN"),
        ("enhance a.png -o b.png --bright", "--bright"),
        ("evaluate", "PAIRS_FOLDER"),
        ("figures --dataset flowers", "flowers"),
        ("train -o run --epochs 0", "'0'"),
        ("train -o run --seed -1", "'-1'"),
    ],
)
def test_a_wrong_call_is_told_how_to_call(lle, line, says):
    code, out, err = lle(*line.split())
    assert (code, out) == (2, "")
    assert err.startswith("usage: ")
    assert says in err.splitlines()[-1]


@pytest.mark.parametrize("number", ["0", "-3", "2.5", "1e9", "eight", "nan", "inf", ""])
def test_iterations_are_a_whole_number_within_reason(lle, number):
    code, _, err = lle("enhance", COFFEE, "-o", "a.png", "--iterations", number)
    assert code == 2
    assert f"{number!r} is not a whole number from 1 to 1000" in err
    assert not everything()


@pytest.mark.parametrize("stops", ["9", "-8.5", "bright", "nan", ""])
def test_exposure_is_a_number_of_stops_within_reason(lle, stops):
    code, _, err = lle("enhance", COFFEE, "-o", "a.png", f"--exposure={stops}")
    assert code == 2 and f"{stops!r} is not a number of stops from -8 to 8" in err


# Enhancing


def test_enhance_for_vision_is_what_the_vision_module_makes(lle):
    assert lle("enhance", COFFEE, "-o", "seen.png", "--for", "vision")[0] == 0
    expected = vision.enhance_for_vision(load_model(), read_image(COFFEE))
    np.testing.assert_allclose(read_image("seen.png"), expected, atol=0.51 / 255)


def test_enhance_writes_what_the_function_returns(lle):
    assert lle("enhance", COFFEE, "-o", "bright.png") == (0, "bright.png\n", "")
    expected = enhance_picture(load_model(), read_image(COFFEE))
    expected = to_uint8(expected)
    np.testing.assert_array_equal(to_uint8(read_image("bright.png")), expected)
    assert list(everything()) == ["bright.png"]
    assert expected.mean() > 3 * to_uint8(read_image(COFFEE)).mean()


@pytest.mark.parametrize(
    ("option", "numbers"), [("--iterations", (1, 4, 12)), ("--exposure", (-1, 0, 1.5))]
)
def test_more_is_brighter(lle, option, numbers):
    source = save("dark.png")
    means = []
    for number in numbers:
        assert lle("enhance", source, "-o", f"bright{number}.png", option, number)[0] == 0
        means.append(read_image(f"bright{number}.png").mean())
    assert means == sorted(means)
    assert means[0] < means[-1]


def _gray():
    return save("gray.png", dark()[..., 0])


def _rgba():
    return save("rgba.png", np.dstack([dark(), dark()[..., 0]]))


def _palette():
    Image.fromarray(dark()).quantize(16).save("palette.png")
    return Path("palette.png")


def _cmyk():
    Image.fromarray(dark()).convert("CMYK").save("cmyk.jpg")
    return Path("cmyk.jpg")


def _sixteen_bits():
    cv2.imwrite("deep.png", dark().astype(np.uint16) * 257)
    return Path("deep.png")


def _floating_point():
    cv2.imwrite("float.tif", dark().astype(np.float32) / 255)
    return Path("float.tif")


def _no_ending():
    shutil.move(save("dark.png"), "dark")
    return Path("dark")


def test_every_kind_of_picture_is_brightened(lle):
    makers = (_gray, _rgba, _palette, _cmyk, _sixteen_bits, _floating_point, _no_ending)
    sources = [make() for make in makers]
    contents = [source.read_bytes() for source in sources]
    code, _, err = lle("enhance", *sources, "-o", "out")
    assert (code, err) == (0, "lle: note: cmyk.jpg: its CMYK colors are written as RGB\n")
    for source in sources:
        found = read_photo(Path("out", source.name if source.suffix else "dark.png"))
        before = read_photo(source)
        assert found.format == before.format
        assert found.frames[0].shape == before.frames[0].shape
        assert found.frames[0].dtype == before.frames[0].dtype
        assert found.pixels.mean() > 2 * before.pixels.mean()
    assert [source.read_bytes() for source in sources] == contents


def test_every_size_is_brightened(lle):
    sizes = [(1, 1), (1, 4000), (4000, 1), (2, 3), (41, 63)]
    sources = [save(f"{height}x{width}.png", dark(height, width)) for height, width in sizes]
    assert lle("enhance", *sources, "-o", "out")[0] == 0
    for source, size in zip(sources, sizes, strict=True):
        assert read_image(Path("out") / source).shape == (*size, 3)


def test_a_phone_photo_taken_sideways_keeps_all_that_it_says(lle):
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8825)[1] = "N"
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    save("side.jpg", exif=exif, icc_profile=icc, dpi=(72, 72))
    assert lle("enhance", "side.jpg", "-o", "up.jpg")[0] == 0
    with Image.open("up.jpg") as written:
        assert written.size == (40, 60)
        assert written.getexif()[0x0112] == 1
        assert written.getexif().get_ifd(0x8825)[1] == "N"
        assert written.info["icc_profile"] == icc


def _truncated(ending):
    def make():
        path = write_image(f"half{ending}", np.tile(dark(), (4, 4, 1)) / 255)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        return path

    return make


def _text():
    Path("text.png").write_text("not a picture\n")
    return Path("text.png")


def _empty():
    Path("empty.png").touch()
    return Path("empty.png")


def _folder():
    Path("folder.png").mkdir()
    return Path("folder.png")


def _nan():
    values = dark().astype(np.float32) / 255
    values[3, 4, 1] = np.nan
    cv2.imwrite("nan.tif", values)
    return Path("nan.tif")


def _out_of_range():
    cv2.imwrite("codes.tif", dark().astype(np.float32))
    return Path("codes.tif")


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Path("gone.png"), "no such file"),
        (lambda: Path(f"{'x' * 300}.png"), "too long"),
        (_text, "not a picture"),
        (_empty, "is empty"),
        (_folder, "holds no pictures"),
        (_nan, "not finite"),
        (_out_of_range, "[0, 59]"),
        (_truncated(".png"), "damaged"),
        (_truncated(".jpg"), "damaged"),
        (_truncated(".tif"), "damaged"),
        (_truncated(".webp"), "damaged"),
    ],
)
def test_what_is_no_picture_is_refused_by_name(refused, make, says):
    source = make()
    assert source.name in refused("enhance", source, "-o", "out.png", says=says)


@pytest.mark.parametrize(
    ("output", "says"),
    [
        ("there.png", "there.png exists already; --overwrite"),
        ("nowhere.png", "nowhere.png exists already"),
        ("a.docx", "not as .docx"),
        ("there.png/a.png", "there.png is not a folder"),
        (f"{'x' * 300}.png", "too long"),
    ],
)
def test_an_output_that_cannot_be_is_refused_before_any_work(refused, output, says):
    save("there.png")
    os.symlink("gone.png", "nowhere.png")
    refused("enhance", COFFEE, "-o", output, says=says)


def test_an_output_is_replaced_when_asked(lle):
    save("dark.png")
    Path("a.png").write_text("before")
    assert lle("enhance", "dark.png", "-o", "a.png", "--overwrite")[0] == 0
    assert read_image("a.png").shape == (40, 60, 3)
    assert sorted(everything()) == ["a.png", "dark.png"]


@pytest.mark.parametrize("link", [shutil.copyfile, os.symlink, os.link])
def test_the_input_is_never_the_output(refused, link):
    save("dark.png")
    output = "dark.png"
    if link is not shutil.copyfile:
        output = "linked.png"
        link("dark.png", output)
    refused("enhance", "dark.png", "-o", output, "--overwrite", says="is the input itself")


def _keras_text(path):
    path.write_text("not weights\n")


def _keras_half(path):
    whole = (Path(cli.__file__).parent / "weights" / "founding.keras").read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


def _keras_zip(path):
    shutil.make_archive("zipped", "zip", root_dir=ROOT / "notebooks" / "py")
    shutil.move("zipped.zip", path)


def _keras_other(path):
    import keras

    inputs = keras.Input((None, None, 3))
    keras.Model(inputs, keras.layers.Conv2D(3, 3)(inputs)).save(path)  # its result is smaller


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: None, "no such file"),
        (_keras_text, "is not a Keras model file"),
        (_keras_half, "is not a Keras model file"),
        (_keras_zip, "is not a Keras model"),
        (_keras_other, "is a Keras model, but"),
    ],
)
def test_weights_that_are_none(refused, make, says):
    make(Path("mine.keras"))
    for command in (["enhance", COFFEE, "-o", "a.png"], ["evaluate", HELDOUT]):
        assert "mine.keras" in refused(*command, "--weights", "mine.keras", says=says)


def test_unknown_weights_are_told_which_there_are(refused):
    refused(
        "enhance", COFFEE, "-o", "a.png", "--weights", "curve9", says="there are enhancer, founding"
    )


# Scoring


def make_pairs(low: dict[str, np.ndarray], high: dict[str, np.ndarray]) -> Path:
    """Make a folder of pairs, as PNG files."""
    for side, pictures in (("low", low), ("high", high)):
        Path("pairs", side).mkdir(parents=True)
        for name, values in pictures.items():
            save(f"pairs/{side}/{name}.png", values)
    return Path("pairs")


def test_evaluate_says_what_the_metrics_say(lle):
    asked = ("--exposure", "0.5", "--json", "scores.json")
    code, out, err = lle("evaluate", HELDOUT, *asked)
    assert (code, err) == (0, "")
    report = json.loads(Path("scores.json").read_text())
    names = sorted(path.stem for path in (HELDOUT / "low").iterdir())
    assert [image["name"] for image in report["images"]] == names
    for figure in ("psnr", "ssim", "ciede2000"):
        mean = np.mean([image[figure] for image in report["images"]])
        assert report[figure] == pytest.approx(mean, abs=2e-4)
    for name in [*names, "mean"]:
        assert f"\n{name} " in out

    coffee = to_uint8(enhance_picture(load_model(), read_image(COFFEE), exposure=0.5))
    reference = read_image(HELDOUT / "high" / "coffee.jpg")
    found = report["images"][names.index("coffee")]
    assert found["psnr"] == pytest.approx(metrics.psnr(coffee, reference), abs=1e-4)
    assert found["ssim"] == pytest.approx(metrics.ssim(coffee, reference), abs=1e-4)
    assert found["ciede2000"] == pytest.approx(metrics.ciede2000(coffee, reference), abs=1e-4)


def test_evaluate_compares_with_baselines_unless_told_not_to(lle):
    folder = make_pairs({"a": dark()}, {"a": 4 * dark()})
    code, out, _ = lle("evaluate", folder, "--json", "f.json", "--gt-mean", "--iterations", "7")
    report = json.loads(Path("f.json").read_text())
    assert code == 0 and report["iterations"] == 7 and report["weights"] == "enhancer"
    assert {"untouched", "gamma 0.4", "CLAHE", "LIME-like"} < set(report["compared"])
    assert report["images"][0]["psnr after GT-mean"] > 0 and "uses the reference" in out
    code, out, _ = lle("evaluate", folder, "--no-baselines")
    assert code == 0 and "gamma" not in out and "GT-mean" not in out


def test_weights_that_change_nothing_score_as_the_dark_pictures(lle):
    network = build_network(initial_map=1e-12, seed=0)
    for weights in network.weights[:-1]:
        weights.assign(0 * weights)
    Enhancer(network, floor=0).save("nothing.keras")
    low, high = {"a": dark(), "b": dark() // 2}, {"a": dark() * 4, "b": dark() * 3}
    folder = make_pairs(low, high)
    code, _, _ = lle("evaluate", folder, "--weights", "nothing.keras", "--json", "f.json")
    assert code == 0
    for found in json.loads(Path("f.json").read_text())["images"]:
        untouched = metrics.psnr(low[found["name"]], high[found["name"]])
        assert found["psnr"] == pytest.approx(untouched, abs=1e-4)


def test_an_exact_copy_is_no_trouble(lle):
    save("dark.png")
    assert lle("enhance", "dark.png", "-o", "bright.png")[0] == 0
    folder = make_pairs({"a": dark()}, {"a": to_uint8(read_image("bright.png"))})
    code, out, err = lle("evaluate", folder, "--json", "f.json")
    assert (code, err) == (0, "")
    assert "nan" not in out
    report = json.loads(Path("f.json").read_text())
    assert (report["psnr"], report["ssim"], report["ciede2000"]) == (None, 1.0, 0.0)


def test_pictures_too_small_for_ssim_are_scored_without(lle):
    folder = make_pairs({"a": dark(1, 1)}, {"a": 4 * dark(1, 1)})
    assert lle("evaluate", folder, "--json", "f.json")[0] == 0
    report = json.loads(Path("f.json").read_text())
    assert report["ssim"] is None
    assert math.isfinite(report["psnr"])


@pytest.mark.parametrize(
    ("low", "high", "says"),
    [
        ({"a": (9, 9), "b": (9, 9)}, {"a": (9, 9)}, "low/b.png has no partner"),
        ({"a": (9, 9)}, {"a": (9, 9), "b": (9, 9)}, "high/b.png has no partner"),
        ({"a": (9, 9)}, {"a": (9, 8)}, "low/a.png is 9 x 9 pixels and"),
        ({}, {}, "low holds no pictures"),
    ],
)
def test_pairs_that_do_not_match(refused, low, high, says):
    sides = ({name: dark(*size) for name, size in side.items()} for side in (low, high))
    make_pairs(*sides)
    refused("evaluate", "pairs", "--json", "f.json", says=says)


def test_a_folder_that_holds_no_pairs(refused):
    refused("evaluate", "gone", says="gone/low: no such folder")
    Path("low").mkdir()
    refused("evaluate", "", says="low holds no pictures")


def test_pairs_that_are_no_pictures(refused):
    folder = make_pairs({"a": dark()}, {"a": dark()})
    Path("pairs/low/a.png").unlink()
    shutil.move(_nan(), folder / "low" / "a.tif")
    refused("evaluate", folder, "--json", "f.json", says="low/a.tif: the picture has values")
    (folder / "high" / "a.png").write_text("no picture")
    refused("evaluate", folder, "--json", "f.json", says="high/a.png: not a picture")


def test_scores_are_not_written_just_anywhere(refused):
    Path("old.json").write_text("before")
    refused("evaluate", HELDOUT, "--json", "old.json", says="old.json exists already")
    refused("evaluate", HELDOUT, "--json", "gone/a.json", says="gone: no such folder")
    refused("evaluate", HELDOUT, "--json", ".", says="is a folder")


# Training and figures


def test_a_training_that_cannot_be_is_refused_and_claims_no_folder(refused):
    refused("train", "--recipe", "curve9", "-o", "run", says="'curve9'; there are ")
    _keras_text(Path("mine.keras"))
    refused("train", "--sources", "moon", "-o", "run", says="sources must be some of")


def test_figures_go_to_no_folder_that_cannot_be(refused):
    refused("figures", "--output", "gone/figures", says="gone: no such folder")
    Path("file").touch()
    refused("figures", "--output", "file", says="file is a file")


# As a process


def command(*arguments) -> list[str]:
    return [sys.executable, "-m", "lle_utils", *map(str, arguments)]


def environment() -> dict[str, str]:
    """Return this process's environment, without what would hide noise of TensorFlow."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    return {**kept, "PYTHONPATH": str(ROOT)}


def can_unplug() -> bool:
    unplugged = ["unshare", "--map-root-user", "--net", "true"]
    return bool(shutil.which("unshare")) and not subprocess.run(unplugged, stderr=-3).returncode


NO_NETWORK = """
import socket

def refuse(*_):
    raise OSError("the network is unplugged")

socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
"""


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is a signal here only")
def test_a_process_unplugged_and_then_stopped_by_ctrl_c():
    """It works without a network, logs nothing, and when stopped leaves whole pictures only.

    All in one process, because each takes its seconds to import TensorFlow.
    """
    # On Linux a file's name is bytes, and need not be text.
    first = os.fsdecode(b"caf\xe9.png") if sys.platform == "linux" else "first.png"
    sources = [first, *(f"{number}.png" for number in range(200))]
    save(first, dark(200, 300))
    for source in sources[1:]:
        os.symlink(first, source)

    call, surroundings = command("enhance", *sources, "-o", "out"), environment()
    surroundings["PYTHONUNBUFFERED"] = "1"
    if can_unplug():
        call = ["unshare", "--map-root-user", "--net", *call]
    else:
        Path("site").mkdir()
        Path("site/sitecustomize.py").write_text(NO_NETWORK)
        surroundings["PYTHONPATH"] = f"{Path('site').resolve()}{os.pathsep}{ROOT}"
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(call, env=surroundings, **pipes) as process:
        assert process.stdout.readline() == os.fsencode(Path("out", first)) + b"\n"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, b"lle: stopped\n")

    written = os.listdir("out")
    assert 1 <= len(written) < len(sources)
    for name in written:
        assert read_image(Path("out", name)).shape == (200, 300, 3)


@pytest.mark.skipif(os.name != "posix", reason="no such pipes here")
@pytest.mark.parametrize("closed", ["| true", ">&-"])
def test_nobody_listening_is_no_reason_to_complain(closed):
    line = f"{shlex.join(command('fetch', '--where'))} {closed}"
    done = subprocess.run(
        ["bash", "-c", f"{line}; echo ${{PIPESTATUS[0]}}"],
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert done.stdout in ("0\n", "1\n")
    assert "Error" not in done.stderr
    assert "Exception" not in done.stderr


def test_log_lines_are_dropped_and_all_else_is_kept():
    code = (
        "import os\n"
        "from lle_utils.quiet import without_log_lines\n"
        "with without_log_lines():\n"
        "    os.write(2, b'I0000 00:00:1795350582.451126    7070 stub.cc:31] No cuda.\\n')\n"
        "    os.write(2, b'F0000 00:00:1795350582.451126    7070 cpu.cc:31] No AVX.\\n')\n"
        "    os.write(2, b'ImportError: libGL.so.1\\n')\n"
        "    raise SystemExit('and the end')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True
    )
    lines = done.stderr.splitlines()
    assert [line.split()[0] for line in lines] == ["F0000", "ImportError:", "and"]
