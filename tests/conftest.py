"""What every test relies on."""

import signal

import pytest
from calling import brighten, everything
from miniature import make_registry

from lle_utils import cli
from lle_utils.fetch import verify

# A shell that starts `make test` in the background has it ignore Ctrl-C, and every process below
# inherits that. The tests that interrupt a process need the usual handling.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def in_tmp_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def stand_in(monkeypatch):
    """Let the command line enhance without a network."""
    monkeypatch.setattr(cli, "load", lambda weights, backend: "model")
    monkeypatch.setattr(cli, "_enhance_picture", lambda model, picture, args: brighten(picture))
    monkeypatch.setattr(cli, "_draw_maps", lambda model, picture, args: b"maps")


@pytest.fixture
def lle(capsys, in_tmp_path):
    """Return a function that runs a command in this process: (exit code, stdout, stderr)."""

    def run(*arguments):
        try:
            code = cli.main([str(argument) for argument in arguments])
        except SystemExit as stop:
            code = stop.code
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def refused(lle):
    """Return a function that runs a command which must fail in one line and change nothing."""

    def run(*arguments, says):
        before = everything()
        code, out, err = lle(*arguments)
        assert (code, out) == (1, "")
        assert err.startswith("lle: ") and err.count("\n") == 1
        assert says in err
        assert everything() == before

    return run


@pytest.fixture
def data_dir(tmp_path, monkeypatch):
    """Return a data folder that does not exist yet, chosen as a user would."""
    monkeypatch.setenv("LLE_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def miniature_lol(data_dir, monkeypatch):
    """Let the miniature be LOL; return the data folder."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(verify, "LOL", make_registry())
    return data_dir
