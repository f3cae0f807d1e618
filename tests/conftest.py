"""What every test relies on."""

import signal

import pytest
from calling import brighten, everything

from lle_utils import cli

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
