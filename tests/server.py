"""An HTTP server on loopback that misbehaves on request, for the tests of the download."""

import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class File:
    """What the server does when one address is asked for."""

    body: bytes = b""
    ranges: bool = True  # False ignores Range and always sends the whole file
    statuses: list = field(default_factory=list)  # answered, one a request, before anything else
    headers: dict = field(default_factory=dict)  # more headers, with those statuses too
    cuts: list = field(default_factory=list)  # bytes after which a request is cut, or None
    stalls: list = field(default_factory=list)  # the same for sending nothing more
    speed: float | None = None  # bytes a second
    length: bool = True  # False sends no Content-Length
    redirect: str | None = None  # the path to look at instead


class Server:
    """A server in a thread; use it in a ``with`` statement.

    Attributes
    ----------
    files : dict of str to File
        By path.
    requests : list of tuple
        Path and ``Range`` header (or None) of each request, in order.
    sent : int
        Bytes of bodies that were sent.
    """

    def __init__(self):
        self.files = {}
        self.requests = []
        self.sent = 0
        self.closing = threading.Event()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        self._http.handle_error = lambda request, address: None

    def __enter__(self):
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.closing.set()
        self._http.shutdown()
        self._http.server_close()

    def url(self, path):
        """Return the address of a path on this server."""
        return f"http://127.0.0.1:{self._http.server_port}/{path}"

    def offer(self, path, body=b"", **behavior):
        """Put a file on the server; return its address."""
        self.files[path] = File(body, **behavior)
        return self.url(path)

    def ranges(self, path="a.zip"):
        """Return the ``Range`` headers of all requests for a path."""
        return [asked for wanted, asked in self.requests if wanted == path]

    def _handler(self):
        server = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                path = self.path.lstrip("/")
                asked = self.headers.get("Range")
                server.requests.append((path, asked))
                file = server.files[path]
                if file.redirect:
                    self._headers(302, {"Location": server.url(file.redirect)})
                elif file.statuses:
                    self._headers(file.statuses.pop(0), file.headers)
                elif asked and file.ranges:
                    self._send(file, int(asked.removeprefix("bytes=").removesuffix("-")))
                else:
                    self._send(file)

            def _headers(self, status, headers):
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()

            def _send(self, file, start=None):
                total = len(file.body)
                headers = dict(file.headers)
                if start is not None and start >= total:
                    self._headers(416, {"Content-Range": f"bytes */{total}"})
                    return
                if start is not None:
                    headers["Content-Range"] = f"bytes {start}-{total - 1}/{total}"
                body = file.body[start or 0 :]
                if file.length:
                    headers["Content-Length"] = str(len(body))
                self._headers(200 if start is None else 206, headers)
                cut = file.cuts.pop(0) if file.cuts else None
                stall = file.stalls.pop(0) if file.stalls else None
                self._body(body[:cut][:stall], file.speed)
                if stall is not None:
                    server.closing.wait(5)

            def _body(self, body, speed):
                step = max(1, int(speed / 50) if speed else len(body))
                for start in range(0, len(body), step):
                    piece = body[start : start + step]
                    self.wfile.write(piece)
                    server.sent += len(piece)
                    if speed:
                        time.sleep(len(piece) / speed)

        return Handler
