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


class Server(ThreadingHTTPServer):
    """A server in a thread; use it in a ``with`` statement."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = {}  # by path
        self.requests = []  # path and Range header (or None) of each request, in order
        self.sent = 0  # bytes of bodies
        self.closing = threading.Event()
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def __exit__(self, *details):
        self.closing.set()
        self.shutdown()
        super().__exit__(*details)

    def handle_error(self, *_):
        """Say nothing: a client that goes away is part of the tests."""

    def url(self, path):
        """Return the address of a path on this server."""
        return f"http://127.0.0.1:{self.server_port}/{path}"

    def offer(self, path, body=b"", **behavior):
        """Put a file on the server; return its address."""
        self.files[path] = File(body, **behavior)
        return self.url(path)

    def ranges(self, path):
        """Return the ``Range`` headers of all requests for a path."""
        return [asked for wanted, asked in self.requests if wanted == path]


class Handler(BaseHTTPRequestHandler):
    """The answer to one request."""

    def log_message(self, *_):
        pass

    def do_GET(self):
        path, asked = self.path.lstrip("/"), self.headers.get("Range")
        self.server.requests.append((path, asked))
        file = self.server.files[path]
        if file.redirect:
            self.start(302, {"Location": self.server.url(file.redirect)})
        elif file.statuses:
            self.start(file.statuses.pop(0), file.headers)
        elif asked and file.ranges:
            begin = int(asked.removeprefix("bytes=").removesuffix("-"))
            last = len(file.body) - 1
            if begin > last:
                self.start(416, {})
            else:
                headers = {"Content-Range": f"bytes {begin}-{last}/{last + 1}"}
                self.send(206, file, file.body[begin:], headers)
        else:
            self.send(200, file, file.body, {})

    def start(self, status, headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def send(self, status, file, body, headers):
        length = {"Content-Length": str(len(body))} if file.length else {}
        self.start(status, file.headers | headers | length)
        cut = file.cuts.pop(0) if file.cuts else None
        stall = file.stalls.pop(0) if file.stalls else None
        self.send_slowly(body[:cut][:stall], file.speed)
        if stall is not None:
            self.server.closing.wait(5)

    def send_slowly(self, body, speed):
        step = max(1, int(speed / 50) if speed else len(body))
        for start in range(0, len(body), step):
            piece = body[start : start + step]
            self.wfile.write(piece)
            self.server.sent += len(piece)
            if speed:
                time.sleep(len(piece) / speed)
