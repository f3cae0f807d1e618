"""Which files ``enhance`` reads and writes; a stand-in for the network brightens them."""

import errno
import functools
import io
import json
import os
import shlex
import signal
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
from calling import environment, everything, run_python, save

from lle_utils import cli
from lle_utils.photos import FORMATS, Photo, encode, read_photo

pytestmark = pytest.mark.usefixtures("in_tmp_path")


@pytest.fixture
def lle(lle, stand_in):
    """Return a function that runs ``enhance`` with a stand-in: (exit code, stdout, stderr)."""
    return functools.partial(lle, "enhance")


def level(name) -> float:
    return read_photo(name).frames[0].mean()


# Where results go


@pytest.mark.parametrize(
    ("files", "call", "results"),
    [
        ("a.jpg in/b.png", "a.jpg in/b.png", "a_enhanced.jpg in/b_enhanced.png"),
        ("a.jpg", "a.jpg --suffix=-bright", "a-bright.jpg"),
        (
            "in/a.png in/x/a.jpg in/x/y/b.PNG",
            "in -o new/o",
            "new/o/a.png new/o/x/a.jpg new/o/x/y/b.PNG",
        ),
        ("a.png b/.hidden.png .trash/c.png out/d.png", ". -o out", "out/a.png"),
        ("a1.png a2.png b.png x/a3.png", "a*.png -o out", "out/a1.png out/a2.png"),
        ("a1.png x/a3.png", "x/**/a?.png -o out", "out/a3.png"),
        ("odd[1].png", "odd[1].png -o out", "out/odd[1].png"),
        ("a.png", "a.png -o new/a.WebP", "new/a.WebP"),
        ("a.png a.ppm", "a.ppm a.png -o out", "out/a.ppm.png out/a.png"),
        ("a.png", "a.png ./a.png . -o out", "out/a.png"),
        (
            "x/1/a.png x/2/a.png x/2/b.png",
            "x/1/a.png x/2/a.png x/2/b.png -o out",
            "out/1/a.png out/2/a.png out/b.png",
        ),
        # What was made before is not enhanced again.
        ("a.png a_compared.png a_enhanced.png", ". --overwrite", "./a_enhanced.png"),
        ("a.png a_compared.png a_enhanced.png", ". --skip-existing", ""),
        (
            "a.png a_enhanced_maps.png a_compared_maps.png",
            ". --maps --overwrite",
            "./a_enhanced.png",
        ),
        ("a.png b.png a_x.png", ". -o . --suffix _x --skip-existing", "./b_x.png"),
    ],
)
def test_where_results_go(lle, files, call, results):
    for name in files.split():
        save(name)
    code, out, err = lle(*call.split())
    assert (code, out.split(), err) == (0, results.split(), "")
    for result in out.split():
        ending = Path(result).suffix.lower()
        assert read_photo(result).format == FORMATS[ending]
        assert level(result) == pytest.approx(90, abs=2)


def test_side_by_side_and_a_jpeg_that_has_no_ending(lle):
    save("b.jpg").rename("b")
    assert lle("b")[1] == "b_enhanced.jpg\n"
    assert lle("b", "--side-by-side")[1] == "b_compared.jpg\n"
    assert read_photo("b_compared.jpg").frames[0].shape == (4, 12, 3)


def test_other_files_beside_a_picture_are_passed_over_with_a_note(lle):
    save("in/a.jpg")
    Path("in/a.dng").write_bytes(b"II*\0 raw light")
    for name in ("in/a.HDR", "in/x.jp2", "in/y.jp2", "in/.z.tga", "in/a.txt"):
        Path(name).touch()
    code, out, err = lle("in", "-o", "out")
    assert (code, out) == (0, "out/a.jpg\n")
    assert err.startswith("lle: note: in: 1 .dng, 1 .hdr, 2 .jp2 passed over; develop raw")
    assert err.count("\n") == 1
    code, out, err = lle("in/a.dng", "in/a.jpg", "-o", "two")
    assert (code, out) == (1, "two/a.jpg\n")
    assert err.startswith("lle: in/a.dng: a camera's raw file. Develop it")


# What is refused before any work


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("x -o out", "out/s.ppm.png would be written for both x/s.ppm and"),
        ("a.png b.png -o c.png", "OUT must be a folder"),
        ("a.png b.png -o -", "all go to standard output"),
        ("a.png -", "all go to standard output"),
        ("a.png a.jpg -o out --maps", "out/a_maps.png would be written for"),
        ("b.png b_maps.png -o out --maps", "b_maps.png would be written for"),
        ("a.png -o c.png --maps", "c_maps.png exists already"),
        ("a.png -o - --maps", "--maps is for pictures that are written to files"),
        ("a.png --maps --for vision", "neither --maps, --detail"),
        ("a.png --maps --preview", "a preview has no detail maps"),
        ("a.png --maps --iterations 100", "48 iterations at most"),
        ("a.png -o a.png --overwrite", "is an input"),
        ("a.png -o linked.png --overwrite", "is an input"),
        ("a.png b.png -o . --overwrite", "is an input"),
        ("a.png --suffix= --overwrite", "is an input"),
        ("a.png -o b.png", "b.png exists already; --overwrite replaces it, and --skip-"),
        ("a.png -o a.png/x.png", "a.png is not a folder"),
        ("a.png -o c.docx", "c.docx: the name of a picture"),
        ("a.png -o ~nosuchuser/out", "there is no such user"),
        (f"a.png -o {'x' * 300}.png", "too long"),
        ("a.png -o ''", "the path is empty"),
        ("a.png --json gone/r.json", "gone: no such folder"),
        ("b.png --json a.png --overwrite", "a.png: --json writes a report"),
        ("a.png --json ~nosuchuser/r.json", "there is no such user"),
        ("~nosuchuser/a.png", "there is no such user"),
        ("x*.png", "x*.png: no file matches this pattern"),
        ("empty", "empty holds no pictures"),
        ("gone.png -o c.png", "gone.png: no such file"),
        ("''", "the path is empty"),
    ],
)
def test_a_call_that_cannot_be_is_refused(refused, line, says):
    for name in ("a.png", "a.jpg", "b.png", "b_maps.png", "c_maps.png", "x/s.ppm", "x/s.ppm.png"):
        save(name)
    os.link("a.png", "linked.png")
    Path("empty").mkdir()
    refused(*shlex.split(line), says=says)


@pytest.mark.skipif(os.name != "posix", reason="other rights here")
def test_a_folder_without_the_right_to_write():
    """Run as an ordinary user, because root may write anywhere."""
    code = (
        "import os, tqdm.auto\n"
        "from lle_utils import cli, enhance_files\n"
        "os.geteuid() == 0 and os.setuid(65534)\n"
        "for output in ('in/new/out', 'out', 'out/a.png', 'closed/out'):\n"
        "    assert cli.main(['enhance', 'in', 'in/a.png', '-o', output, '--overwrite']) == 1\n"
        "assert cli.main(['enhance', 'in', '-o', '.', '--json', 'out/r.json']) == 1"
    )
    with tempfile.TemporaryDirectory() as folder:  # where everybody may read
        Path(folder).chmod(0o755)
        save(f"{folder}/in/a.png")
        save(f"{folder}/out/a.png")
        Path(folder, "closed").mkdir()
        for name, mode in (("in", 0o555), ("out", 0o555), ("closed", 0)):
            Path(folder, name).chmod(mode)
        done = run_python(code, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert len(done.stderr.splitlines()) == 5
    for line in done.stderr.splitlines():
        assert line.startswith("lle: ")
        assert line.endswith((": this folder cannot be written to", ": Permission denied"))


# A thousand pictures


def test_bad_pictures_are_reported_and_the_others_done(lle):
    for number in range(12):
        save(f"in/{number:02}.png")
    Path("in/03.png").write_text("no picture")
    Path("in/07.png").write_bytes(Path("in/08.png").read_bytes()[:45])
    code, out, err = lle("gone.png", "in", "-o", "out", "--json", "r.json")
    assert (code, out.count("\n"), err.count("\n")) == (1, 10, 3)
    report = json.loads(Path("r.json").read_text())["pictures"]
    assert len(report) == 13
    failed = [entry for entry in report if entry["error"]]
    assert [entry["input"] for entry in failed] == ["gone.png", "in/03.png", "in/07.png"]
    assert [entry["output"] for entry in failed] == [None] * 3
    assert report[1]["output"] == "out/00.png" and report[1]["seconds"] >= 0


def test_an_empty_folder_and_a_name_that_gets_too_long_leave_the_others_to_be_done(lle):
    save("in/a.png")
    save(f"in/{'x' * 246}.png")
    Path("empty").mkdir()
    code, out, err = lle("empty", "in")
    assert (code, out) == (1, "in/a_enhanced.png\n")
    assert err.startswith("lle: empty holds no pictures\nlle: in/xxx")
    assert err.endswith("cannot be written: File name too long\n")


def test_what_is_wrong_with_a_file_is_said_once(capfd, stand_in):
    content = bytearray(encode(Photo([np.full((4, 6, 3), 9, np.uint8)], "TIFF")))
    channels = content.index(struct.pack("<HHL", 277, 3, 1)) + 8
    content[channels : channels + 2] = struct.pack("<H", 2048)
    Path("a.tif").write_bytes(content)
    assert cli.main(["enhance", "a.tif"]) == 1
    out, err = capfd.readouterr()
    assert out == "" and err.startswith("lle: a.tif: ") and err.count("\n") == 1


def test_ctrl_c_ends_the_run_in_one_line(lle, monkeypatch):
    """A library may swallow KeyboardInterrupt or make an error of its own of it."""
    for number in range(4):
        save(f"in/{number}.png")

    def interrupted(model, picture, args):
        if Path("out/1.png").exists():
            try:
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(10)
            except KeyboardInterrupt:
                raise ValueError("a library's traceback") from None
        return picture

    monkeypatch.setattr(cli, "_enhance_picture", interrupted)
    code, out, err = lle("in", "-o", "out", "--json", "r.json")
    assert (code, err) == (130, "lle: stopped\n")
    assert sorted(os.listdir("out")) == ["0.png", "1.png"]
    assert [e["output"] for e in json.loads(Path("r.json").read_text())["pictures"]][:2]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_at_any_moment_leaves_whole_files():
    """Stop a process again and again, at other moments, until the folder is done."""
    code = (
        "import sys\n"
        "from lle_utils import __main__, cli\n"
        "cli.load = lambda weights, backend: print('ready', file=sys.stderr, flush=True)\n"
        "cli._enhance_picture = lambda model, picture, args: picture\n"
        "sys.argv[1:] = ['enhance', 'in', '-o', 'out', '--skip-existing']\n"
        "__main__.run()"
    )
    for number in range(200):
        save(f"in/{number:03}.png")
    surroundings = environment(PYTHONUNBUFFERED="1")
    call = [sys.executable, "-c", code]
    for wait in (0, 0.06, 0.08, 0.1, 0.15):
        with subprocess.Popen(call, env=surroundings, stdout=-1, stderr=-1) as process:
            process.stderr.readline()
            time.sleep(wait)
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=120)
        assert process.returncode in (0, 130), err
        assert err in (b"", b"lle: stopped\n")
        for path in Path("out").glob("*"):
            assert read_photo(path).frames[0].shape == (4, 6, 3)
    assert not list(Path("out").glob(".*"))


def test_a_full_disk_ends_the_run(lle, monkeypatch):
    for number in range(3):
        save(f"in/{number}.png")

    def full(self, content):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    code, out, err = lle("in", "-o", "out")
    assert (code, out) == (1, "")
    assert "out/0.png cannot be written: No space left on device" in err
    assert err.count("\n") == 2 and "--skip-existing" in err
    assert os.listdir("out") == []


@pytest.mark.skipif(sys.platform != "linux", reason="names are text elsewhere")
def test_odd_names(lle):
    names = ["-o.png", "with space.png", "two\nlines.png", "'\".png", "-.png", "\x1b[31mé.png"]
    names.append("x" * 246 + ".png")
    for name in names:
        save(name)
    code, out, err = lle("-o", "out", "--json", "r.json", "--", *names)
    assert (code, err) == (0, "")
    assert "out/\\x1b[31mé.png\n" in out
    assert sorted(os.listdir("out")) == sorted(names)
    Path("two\nlines.png").write_text("no picture")
    code, _, err = lle("two\nlines.png")
    assert code == 1 and err.count("\n") == 1


@pytest.mark.skipif(sys.platform != "linux", reason="names are text elsewhere")
def test_a_name_that_is_no_text_goes_into_the_report():
    entry = {"input": os.fsdecode(b"caf\xe9.png")}
    cli._write_report(Path("r.json"), {"pictures": [entry]})
    assert json.loads(Path("r.json").read_text())["pictures"] == [entry]


# Pipes


def pipe(content: bytes = b"") -> io.TextIOWrapper:
    """Return standard input or output with bytes, as a pipe has."""
    return io.TextIOWrapper(io.BytesIO(content), "utf-8")


def test_from_a_pipe_to_a_pipe(lle, monkeypatch):
    content = encode(Photo([np.full((4, 6, 3), 30, np.uint8)], dpi=(300, 300)), "TIFF")
    monkeypatch.setattr(sys, "stdin", pipe(content))
    monkeypatch.setattr(sys, "stdout", out := pipe())
    assert lle("-")[0] == 0
    Path("found").write_bytes(out.buffer.getvalue())
    found = read_photo("found")
    assert (found.format, found.dpi, level("found")) == ("TIFF", (300, 300), 90)


@pytest.mark.parametrize(
    ("stream", "closed", "command"),
    [("stdin", "in", "- -o b.png"), ("__stdout__", "out", "a.png -o -")],
)
def test_a_closed_stream_is_said(refused, monkeypatch, stream, closed, command):
    save("a.png")
    monkeypatch.setattr(sys, stream, None)
    refused(*command.split(), says=f"standard {closed}put is not a file")


def test_a_bad_pipe_is_reported(lle, monkeypatch):
    for content, says in ((b"", "empty"), (b"no picture", "not a picture")):
        monkeypatch.setattr(sys, "stdin", pipe(content))
        code, _, err = lle("-", "-o", "a.png")
        assert code == 1 and err.startswith("lle: standard input: ") and says in err
    assert not everything()
