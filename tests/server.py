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
    content_type: str = "application/zip"
    resumed_type: str = ""  # Content-Type of a resumed file, if that differs
    redirect: str | None = None  # where to look instead


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
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.closing.set()
        self._http.shutdown()
        self._http.server_close()

    def url(self, path):
        """Return the address of a path on this server."""
        return f"http://127.0.0.1:{self._http.server_port}/{path}"

    def offer(self, path, body, **behavior):
        """Put a file on the server; return its address."""
        self.files[path] = File(body, **behavior)
        return self.url(path)

    def ranges(self, path):
        """Return the ``Range`` headers of all requests for a path."""
        return [asked for wanted, asked in self.requests if wanted == path]

    def _handler(self):
        server = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                path = self.path.lstrip("/")
                server.requests.append((path, self.headers.get("Range")))
                file = server.files.get(path)
                if file is None:
                    self.send_error(404)
                elif file.redirect:
                    self._headers(302, {"Location": file.redirect, "Content-Length": "0"})
                elif file.statuses:
                    self._headers(file.statuses.pop(0), file.headers | {"Content-Length": "0"})
                else:
                    self._send(file)

            def _headers(self, status, headers):
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()

            def _start(self, file):
                asked = self.headers.get("Range")
                if not asked or not file.ranges:
                    return None
                return int(asked.removeprefix("bytes=").partition("-")[0])

            def _send(self, file):
                start = self._start(file)
                if start is not None and start >= len(file.body):
                    total = {"Content-Range": f"bytes */{len(file.body)}", "Content-Length": "0"}
                    self._headers(416, total)
                    return
                body = file.body[start or 0 :]
                resumed = start is not None and file.resumed_type
                headers = {"Content-Type": resumed or file.content_type} | file.headers
                if file.length:
                    headers["Content-Length"] = str(len(body))
                if start is not None:
                    total = len(file.body)
                    headers["Content-Range"] = f"bytes {start}-{total - 1}/{total}"
                self._headers(200 if start is None else 206, headers)
                cut = file.cuts.pop(0) if file.cuts else None
                stall = file.stalls.pop(0) if file.stalls else None
                stop = min(len(body) if end is None else end for end in (cut, stall))
                self._body(body[:stop], file.speed)
                if stall is not None:
                    server.closing.wait(5)
                self.close_connection = True

            def _body(self, body, speed):
                step = len(body) if not speed else max(1, int(speed / 50))
                for start in range(0, len(body), step or 1):
                    piece = body[start : start + step]
                    self.wfile.write(piece)
                    server.sent += len(piece)
                    if speed:
                        time.sleep(len(piece) / speed)

        return Handler
