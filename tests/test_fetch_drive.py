"""Google Drive by the real gdown, against a server that plays Drive behind a proxy on loopback.

gdown asks for https://drive.google.com and nothing else will do, so the test runs a proxy that
answers for that name itself, with a certificate made for the occasion.
"""

import shutil
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from miniature import make_files, make_pictures, make_registry, pack

from lle_utils import fetch
from lle_utils.errors import LleError
from lle_utils.fetch.verify import State, state_of

PICTURES = make_pictures()
FILES = make_files(PICTURES)
ARCHIVE = pack(FILES | {"notes.txt": bytes(2_000_000)})
ID = "157bjO1_cFuSd0HWDUuAmcHRJDVyWpOxB"

CONFIRM_PAGE = b"""<!DOCTYPE html><html><head><title>Virus scan warning</title></head>
<body><form id="download-form" action="https://drive.usercontent.google.com/download" method="get">
<input type="hidden" name="id" value="x"/><input type="hidden" name="confirm" value="t"/></form>
</body></html>"""

QUOTA_PAGE = b"""<!DOCTYPE html><html><head><title>Google Drive - Quota exceeded</title></head>
<body><p class="uc-error-subcaption">Too many users have viewed or downloaded this file.</p>
</body></html>"""

PRIVATE_PAGE = b"<!DOCTYPE html><html><head><title>Google Drive: Sign-in</title></head></html>"


class Drive:
    """A pretended Google Drive; ``page`` is what it answers first, ``cuts`` as in `server`."""

    def __init__(self, certificate, key):
        self.page = CONFIRM_PAGE
        self.cuts = []
        self.stall = False
        self.ranges = []
        self.closing = threading.Event()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        drive = self

        class Proxy(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_CONNECT(self):
                self.send_response(200, "Connection established")
                self.end_headers()
                self.connection = context.wrap_socket(self.connection, server_side=True)
                self.rfile = self.connection.makefile("rb", 0)
                self.wfile = self.connection.makefile("wb", 0)
                self.handle_one_request()
                self.close_connection = True
                self.connection.close()

            def do_GET(self):
                if self.path.startswith("/uc"):
                    self.answer(drive.page, {"Content-Type": "text/html; charset=utf-8"})
                    return
                asked = self.headers.get("Range")
                drive.ranges.append(asked)
                start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
                headers = {
                    "Content-Type": "application/octet-stream",
                    "Content-Disposition": 'attachment; filename="LOLdataset.zip"',
                }
                if asked:
                    end = len(ARCHIVE) - 1
                    headers["Content-Range"] = f"bytes {start}-{end}/{len(ARCHIVE)}"
                cut = drive.cuts.pop(0) if drive.cuts else None
                self.answer(ARCHIVE[start:], headers, 206 if asked else 200, cut)

            def answer(self, body, headers, status=200, cut=None):
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                try:
                    self.wfile.write(body[:cut])
                    if drive.stall and cut is not None:
                        drive.closing.wait(10)
                except OSError:
                    pass
                self.close_connection = True

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
        self.http.daemon_threads = True
        self.http.handle_error = lambda request, address: None
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Return the paths of a certificate for Drive's names and of its key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is needed to make a certificate")
    folder = tmp_path_factory.mktemp("certificate")
    names = ["drive.google.com", "drive.usercontent.google.com", "docs.google.com"]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
        + ["-subj", "/CN=drive.google.com", "-keyout", "key.pem", "-out", "certificate.pem"]
        + ["-addext", "subjectAltName=" + ",".join(f"DNS:{name}" for name in names)],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    return folder / "certificate.pem", folder / "key.pem"


@pytest.fixture
def drive(certificate, monkeypatch):
    """Return a running pretended Drive that gdown is led to."""
    pytest.importorskip("gdown")
    playing = Drive(*certificate)
    address = f"http://127.0.0.1:{playing.http.server_port}"
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, address)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate[0]))
    playing.thread.start()
    yield playing
    playing.closing.set()
    playing.http.shutdown()
    playing.http.server_close()


@pytest.fixture(autouse=True)
def hasty(monkeypatch):
    """Wait for nothing for long."""
    monkeypatch.setattr(fetch.download, "BACKOFF_SECONDS", 0.01)
    monkeypatch.setattr(fetch.download, "TIMEOUT", (5, 1.0))


def run(tmp_path):
    """Fetch the miniature from the pretended Drive."""
    registry = make_registry(FILES, PICTURES)
    url = f"https://drive.google.com/file/d/{ID}/view?usp=sharing"
    folder = fetch.obtain(registry, url, tmp_path / "data", progress=False)
    assert state_of(folder, registry) == State.PUBLISHED
    assert [path.name for path in (tmp_path / "data/.fetch").iterdir()] == ["mini.lock"]


def refused(tmp_path):
    """Return the message of a fetch that must fail."""
    with pytest.raises(LleError, match="Google Drive failed") as caught:
        run(tmp_path)
    assert not (tmp_path / "data" / "mini").exists()
    return str(caught.value)


def test_by_way_of_the_confirmation_page(drive, tmp_path):
    run(tmp_path)


def test_quota_page(drive, tmp_path):
    drive.page = QUOTA_PAGE
    assert "Too many users have viewed or downloaded" in refused(tmp_path)
    assert [path.name for path in (tmp_path / "data/.fetch").iterdir()] == ["mini.lock"]


def test_private_file(drive, tmp_path):
    drive.page = PRIVATE_PAGE
    assert "permission" in refused(tmp_path)


# gdown writes pieces of 512 kB: two whole ones had arrived when the connection broke.
CUT, ARRIVED = 1_200_000, 2 * 512 * 1024


@pytest.mark.parametrize("stall", [False, True])
def test_cut_or_stalled_and_resumed_in_one_call(drive, tmp_path, stall):
    drive.cuts, drive.stall = [CUT], stall
    run(tmp_path)
    assert drive.ranges[-1] >= f"bytes={ARRIVED}-"


def test_cut_for_good_and_resumed_by_the_next_call(drive, tmp_path):
    drive.cuts = [CUT] + [100] * 30
    refused(tmp_path)
    drive.cuts = []
    run(tmp_path)
    assert drive.ranges[-1] >= f"bytes={ARRIVED}-"


def test_a_damaged_part_is_started_again(drive, tmp_path):
    drive.cuts = [CUT] + [100] * 30
    refused(tmp_path)
    (part,) = (tmp_path / "data/.fetch").glob("*.part")
    part.write_bytes(bytes(part.stat().st_size))
    drive.cuts = []
    run(tmp_path)
    assert drive.ranges[-1] is None


@pytest.mark.parametrize(
    "url, expected",
    [
        (f"https://drive.google.com/file/d/{ID}/view", ID),
        (f"https://drive.google.com/uc?export=download&id={ID}", ID),
        (f"https://docs.google.com/uc?id={ID}", ID),
        ("https://drive.google.com/", None),
        (f"https://example.org/file/d/{ID}/view", None),
    ],
)
def test_links_to_drive(url, expected):
    assert fetch.download.drive_id(url) == expected
