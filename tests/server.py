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
    cuts: list = field(default_factory=list)  # bytes after which a request is cut, or None
    stalls: list = field(default_factory=list)  # the same for sending nothing more
    speed: float | None = None  # bytes a second
    length: bool = True  # False sends no Content-Length
    headers: dict = field(default_factory=dict)  # sent as well


class Server(ThreadingHTTPServer):
    """A server in a thread; use it in a ``with`` statement."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = {}  # by path
        self.requests = []  # path and first byte of each request, in order
        self.sent = 0  # bytes of bodies
        self.closing = threading.Event()
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def __exit__(self, *details):
        self.closing.set()
        self.shutdown()
        super().__exit__(*details)

    def handle_error(self, *_):
        """Say nothing: a client that goes away is part of the tests."""

    def offer(self, path, body=b"", **behavior):
        """Put a file on the server; return its address."""
        self.files[path] = File(body, **behavior)
        return f"http://127.0.0.1:{self.server_port}/{path}"

    def asked_from(self, path):
        """Return from which bytes on a path was asked for, in order."""
        return [begin for wanted, begin in self.requests if wanted == path]


class Handler(BaseHTTPRequestHandler):
    """The answer to one request."""

    def log_message(self, *_):
        pass

    def do_GET(self):
        path = self.path.lstrip("/")
        file = self.server.files[path]
        begin = int(self.headers.get("Range", "bytes=0-")[len("bytes=") : -1])
        self.server.requests.append((path, begin))
        begin = begin if file.ranges else 0
        body = file.body[begin:]
        if file.statuses or not body:
            self.send_response(file.statuses.pop(0) if file.statuses else 416)
            self.end_headers()
            return
        self.send_response(206 if begin else 200)
        if file.length:
            self.send_header("Content-Length", str(len(body)))
        for header in file.headers.items():
            self.send_header(*header)
        self.end_headers()
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
