"""A proxy in front of an S3 server that refuses, resets, delays and cuts some of its requests, by a seed."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import random
import socket
import struct
import threading
import time
import urllib.parse
from collections import Counter
from collections.abc import Iterator

_SLOW_DOWN = b"""<?xml version="1.0" encoding="UTF-8"?>
<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"""
_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "expect"}


class FaultyStore:
    """Faults in front of a server.

    Attributes:
        url: Where it listens.
        faults: How often each fault occurred.
    """

    def __init__(self, upstream: str, *, seed: int = 1, **shares: float) -> None:
        """Takes the server and the share of requests that get each fault.

        Args:
            upstream: The URL of the server.
            seed: Decides which requests get a fault.
            shares: `refused`: 503 SlowDown; `reset`: the connection is reset before an answer, after the server has
                done what it was asked; `cut`: it is reset in the middle of the body of an answer; `late`: the answer
                takes `seconds`.
        """
        self.faults: Counter[str] = Counter()
        self.seconds = shares.pop("seconds", 30.0)
        self._upstream = urllib.parse.urlsplit(upstream)
        self._shares, self._random, self._lock = shares, random.Random(seed), threading.Lock()
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("_Bound", (_Handler,), {"store": self}))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stops it."""
        self._server.shutdown()
        self._server.server_close()

    def fault(self) -> str:
        """Draws the fault of a request; empty: none."""
        with self._lock:
            drawn, found = self._random.random(), ""
            for name, share in self._shares.items():
                if drawn < share:
                    found = name
                    break
                drawn -= share
            if found:
                self.faults[found] += 1
            return found

    def ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> http.client.HTTPResponse:
        """Passes a request on."""
        connection = http.client.HTTPConnection(self._upstream.hostname or "", self._upstream.port or 80, timeout=120)
        connection.request(method, path, body, headers)
        return connection.getresponse()


@contextlib.contextmanager
def faulty(upstream: str, *, seed: int = 1, **shares: float) -> Iterator[FaultyStore]:
    """Yields a proxy with faults; see `FaultyStore`."""
    store = FaultyStore(upstream, seed=seed, **shares)
    try:
        yield store
    finally:
        store.close()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    store: FaultyStore

    def log_message(self, format: str, *args: object) -> None:
        pass

    def handle_one_request(self) -> None:
        with contextlib.suppress(ConnectionError):
            super().handle_one_request()

    def _pass_on(self) -> None:
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.send_response_only(100)
            self.end_headers()
        body = self._body()
        fault = self.store.fault()
        if fault == "refused":
            self._answer(503, {"Content-Type": "application/xml"}, b"" if self.command == "HEAD" else _SLOW_DOWN)
            return
        if fault == "late":
            time.sleep(self.store.seconds)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
        response = self.store.ask(self.command, self.path, body, headers)
        content = response.read()
        if fault == "reset":
            self._reset()
            return
        kept = {name: value for name, value in response.getheaders() if name.lower() not in _HOP}
        length = int(response.getheader("Content-Length") or 0) if self.command == "HEAD" else len(content)
        self._answer(response.status, kept, content, length, cut=fault == "cut" and len(content) > 1)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _pass_on  # noqa: N815

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        found = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            found += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return found

    def _answer(
        self, status: int, headers: dict[str, str], content: bytes, length: int | None = None, *, cut: bool = False
    ) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content) if length is None else length))
        self.end_headers()
        if cut:
            self.wfile.write(content[: len(content) // 2])
            self._reset()
        elif self.command != "HEAD":
            self.wfile.write(content)

    def _reset(self) -> None:
        """Ends the connection as a machine does that lost it."""
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()
