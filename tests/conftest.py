"""What every test relies on."""

import signal

import pytest

# A shell that starts `make test` in the background has it ignore Ctrl-C, and every process below
# inherits that. The tests that interrupt a process need the usual handling.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def data_dir(tmp_path, monkeypatch):
    """Return a data folder that does not exist yet, chosen as a user would."""
    monkeypatch.setenv("LLE_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def miniature_lol(data_dir, monkeypatch):
    """Let the miniature be LOL; return the data folder."""
    from miniature import make_registry

    from lle_utils.fetch import verify

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(verify, "LOL", make_registry())
    return data_dir
