"""The command line as a photographer uses it, and as somebody does who wants to break it."""

import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest
from calling import ROOT, environment, everything, run_python
from calling import save as save_picture
from PIL import Image

from lle_utils import cli, metrics, vision
from lle_utils.enhancer import enhance_picture
from lle_utils.images import read_image, to_uint8
from lle_utils.photos import read_photo
from lle_utils.process import without_log_lines
from lle_utils.weights import load_model

pytestmark = pytest.mark.usefixtures("in_tmp_path")
HELDOUT = ROOT / "data" / "sample" / "heldout"
COFFEE = HELDOUT / "low" / "coffee.png"
DARK = np.random.default_rng(0).integers(0, 60, (40, 60, 3), dtype=np.uint8)


def save(name: str, picture=DARK) -> Path:
    return save_picture(name, picture)


# What the command line says of itself


@pytest.mark.parametrize(
    "command", ["fetch", "verify", "train", "evaluate", "enhance", "export", "figures"]
)
def test_help_explains_every_command_by_an_example_that_can_be_typed(lle, command):
    code, out, _ = lle(command, "--help")
    assert code == 0 and len(out.split()) > 25
    assert command in lle("--help")[1]
    example = " ".join(out.split()).partition("example: python -m lle_utils ")[2]
    if command not in ("fetch", "verify"):
        assert cli._build_parser().parse_args(shlex.split(example)).run


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("", "COMMAND"),
        ("brighten a.png", "brighten"),
        ("enhance", "IN"),
        ("train -o run --recipe curve9", "curve9"),
        ("enhance -o b.png", "IN"),
        ("enhance a.png -o b.png --bright", "--bright"),
        ("evaluate", "FOLDER"),
        ("figures --dataset flowers", "flowers"),
        ("train -o run --epochs 0", "'0'"),
        ("train -o run --seed -1", "'-1'"),
        *(
            (f"enhance a.png --iterations={n}", f"'{n}' is not a whole number from 1 to 1000")
            for n in ("0", "1001", "2.5", "eight", "")
        ),
        *(
            (f"enhance a.png --exposure={n}", f"'{n}' is not a number from -8 to 8")
            for n in ("9", "bright", "nan")
        ),
    ],
)
def test_a_wrong_call_is_told_how_to_call(lle, line, says):
    code, out, err = lle(*line.split())
    assert (code, out) == (2, "")
    assert err.startswith("usage: ")
    assert says in err.splitlines()[-1]
    assert not everything()


# Enhancing


def test_enhance_writes_what_the_function_returns(lle):
    asked = ("enhance", COFFEE, "-o", "bright.png", "--backend", "keras")
    assert lle(*asked) == (0, "bright.png\n", "")
    expected = to_uint8(enhance_picture(load_model(), read_image(COFFEE)))
    np.testing.assert_array_equal(to_uint8(read_image("bright.png")), expected)
    assert list(everything()) == ["bright.png"]
    assert expected.mean() > 3 * to_uint8(read_image(COFFEE)).mean()


@pytest.mark.parametrize("weights", ["enhancer", "founding"])
def test_maps_are_shown_beside_the_result(lle, weights):
    source = save("dark.png", np.tile(DARK, (1, 5, 1)))
    asked = ("enhance", source, "-o", "out/bright.png", "--weights", weights, "--maps")
    assert lle(*asked) == (0, "out/bright.png\n", "")
    assert sorted(os.listdir("out")) == ["bright.png", "bright_maps.png"]
    with Image.open("out/bright_maps.png") as shown:
        assert min(shown.size) > 200 and len(set(shown.convert("L").getdata())) > 50


def unplugged(*_):
    raise OSError("the network is unplugged")


def test_options_reach_the_enhancer_without_a_network(lle, monkeypatch):
    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, unplugged)
    source = save("dark.png")
    for option, numbers in (("--iterations", (1, 4, 12)), ("--exposure", (-1, 0, 1.5))):
        means = []
        for number in numbers:
            assert lle("enhance", source, "-o", "a.png", "--overwrite", option, number)[0] == 0
            means.append(read_image("a.png").mean())
        assert means[0] < means[1] < means[2]
    assert lle("enhance", source, "-o", "seen.png", "--for", "vision")[0] == 0
    expected = vision.enhance_for_vision(load_model(), read_image(source))
    np.testing.assert_allclose(read_image("seen.png"), expected, atol=0.51 / 255)


def test_every_kind_and_size_of_picture_is_brightened(lle):
    save("gray.png", DARK[..., 0])
    save("rgba.png", DARK[..., [0, 1, 2, 0]])
    Image.fromarray(DARK).convert("CMYK").save("cmyk.jpg")
    cv2.imwrite("deep.png", DARK.astype(np.uint16) * 257)
    cv2.imwrite("float.tif", DARK.astype(np.float32) / 255)
    shutil.move(save("plain.png"), "no ending")
    for height, width in ((1, 1), (1, 4000), (4000, 1), (2, 3), (41, 63)):
        save(f"{height}x{width}.png", np.resize(DARK + 20, (height, width, 3)))
    before = everything()
    code, _, err = lle("enhance", *before, "-o", "out")
    assert (code, err) == (0, "lle: note: cmyk.jpg: its CMYK colors are written as RGB\n")
    for name in before:
        found = read_photo(Path("out", name if "." in name else "no ending.png"))
        source = read_photo(name)
        assert found.format == source.format
        assert found.frames[0].shape == source.frames[0].shape
        assert found.frames[0].dtype == source.frames[0].dtype
        assert found.pixels.mean() > 1.5 * source.pixels.mean()
    assert before.items() <= everything().items()


# What is refused, in one line


def other_model():
    """Save a model whose result is smaller than its picture."""
    inputs = keras.Input((None, None, 3))
    keras.Model(inputs, keras.layers.Conv2D(3, 3)(inputs)).save("m.keras")


def spoiled_pair():
    save("pairs/low/a.png")
    shutil.copytree("pairs/low", "pairs/high")
    Path("pairs/high/a.png").write_text("no picture")


@pytest.mark.parametrize(
    ("make", "line", "says"),
    [
        (None, "enhance COFFEE -o a.png --weights curve9", "there are enhancer, founding"),
        (other_model, "enhance COFFEE -o a.png --weights m.keras", "m.keras is a Keras model, but"),
        (spoiled_pair, "evaluate pairs --json f.json", "high/a.png: not a picture"),
        (None, "evaluate gone", "gone: no such folder"),
        (None, "evaluate HELDOUT --json a.png", "writes a report"),
        (None, "evaluate HELDOUT --json gone/a.json", "gone: no such folder"),
        (None, "train --sources moon -o run", "there is none called 'moon'"),
        (None, "figures --output gone/figures", "gone: no such folder"),
        (lambda: save("file.png"), "figures --output file.png", "file.png exists"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(refused, make, line, says):
    if make:
        make()
    places = {"COFFEE": COFFEE, "HELDOUT": HELDOUT}
    refused(*(places.get(word, word) for word in line.split()), says=says)


# Scoring


def test_evaluate_says_what_the_metrics_say(lle):
    save("pairs/low/a.png")
    save("pairs/low/coffee.png", np.asarray(Image.open(COFFEE))[:200, :200])
    save("pairs/high/a.png", 4 * DARK)
    save("pairs/high/coffee.png", np.asarray(Image.open(HELDOUT / "high/coffee.jpg"))[:200, :200])
    asked = ("--exposure", "0.5", "--iterations", "7", "--gt-mean", "--json", "scores.json")
    code, out, err = lle("evaluate", "pairs", *asked)
    assert (code, err) == (0, "") and "uses the reference" in out and "clipped" not in out
    report = json.loads(Path("scores.json").read_text())
    assert (report["iterations"], report["weights"]) == (7, "enhancer")
    assert {"untouched", "gamma 0.4", "CLAHE", "LIME-like"} < set(report["compared"])
    assert [image["name"] for image in report["images"]] == ["a", "coffee"]
    for name in ("a", "coffee", "mean"):
        assert f"\n{name} " in out
    low, high = (read_image(f"pairs/{side}/coffee.png") for side in ("low", "high"))
    enhanced = enhance_picture(load_model(), low, 7, 0.5)
    for metric, value in metrics.score(enhanced, high).items():
        assert report["images"][1][metric] == pytest.approx(value, abs=1e-4)
        mean = np.mean([image[metric] for image in report["images"]])
        assert report[metric] == pytest.approx(mean, abs=2e-4)


def test_evaluate_measures_harm_where_there_is_no_reference(lle):
    save("dark/b/coffee.png", np.asarray(Image.open(COFFEE))[:200, :200])
    save("dark/flat.png", np.full_like(DARK, 6))
    save("dark/.hidden/c.png")
    Path("dark/bad.png").write_text("no picture")
    code, out, err = lle("evaluate", "dark", "--json", "harm.json")
    assert code == 1 and err.startswith("lle: dark/bad.png: not a picture") and "LIME-like" in out
    report = json.loads(Path("harm.json").read_text())
    images = {image["name"]: image for image in report["images"]}
    assert list(images) == ["b/coffee.png", "flat.png"]
    assert images["b/coffee.png"]["reversed"] < 1 and images["flat.png"]["reversed"] is None
    source = read_image("dark/b/coffee.png")
    enhanced = enhance_picture(load_model(), source)
    noise = metrics.harm(enhanced, source)["noise"]
    assert images["b/coffee.png"]["noise"] == pytest.approx(noise, abs=1e-3)
    assert lle("evaluate", "dark", "--gt-mean")[2].startswith("lle: --gt-mean needs references")


# As a process


def command(*arguments) -> list[str]:
    return [sys.executable, "-m", "lle_utils", *map(str, arguments)]


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is a signal here only")
def test_a_process_stopped_by_ctrl_c_logs_nothing_and_leaves_whole_pictures():
    # On Linux a file's name is bytes, and need not be text.
    name = os.fsdecode(b"caf\xe9.png") if sys.platform == "linux" else "a.png"
    for number in range(40):
        save(f"in/{number:02}{name}", np.tile(DARK, (5, 5, 1)))
    call, surroundings = command("enhance", "in", "-o", "out"), environment(PYTHONUNBUFFERED="1")
    with subprocess.Popen(call, env=surroundings, stdout=-1, stderr=-1) as process:
        assert process.stdout.readline() == os.fsencode(f"out/00{name}\n")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, b"lle: stopped\n")
    written = os.listdir("out")
    assert 1 <= len(written) < 40
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


def test_log_lines_are_dropped_and_all_else_is_kept(capfd, monkeypatch):
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)
    with pytest.raises(SystemExit), without_log_lines():
        os.write(2, b"I0000 00:00:1795350582.451126    7070 stub.cc:31] No cuda.\n")
        os.write(2, b"F0000 00:00:1795350582.451126    7070 cpu.cc:31] No AVX.\n")
        os.write(2, b"ImportError: libGL.so.1\n")
        raise SystemExit
    lines = capfd.readouterr().err.splitlines()
    assert [line.split()[0] for line in lines] == ["F0000", "ImportError:"]


def test_importing_and_loading_print_nothing():
    code = "from lle_utils import training, weights; weights.load_model()"
    done = run_python(code)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
