"""A server in a process of its own, as a user starts it."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.tiny import TinyRun

ROOT = Path(__file__).resolve().parents[2]


@dataclasses.dataclass
class Answer:
    status: int
    headers: Any
    body: bytes

    @property
    def content(self) -> Any:
        return json.loads(self.body)


@dataclasses.dataclass
class Running:
    """A server that listens.

    Attributes:
        process: Its process.
        url: Its address.
    """

    process: subprocess.Popen[str]
    url: str

    def ask(self, path: str, body: Any = None, *, timeout: float = 120, **headers: str) -> Answer:
        """Sends a request: GET, or POST of a body, which becomes JSON where it is not bytes."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        found = {"Content-Type": "application/json"} if data is not None else {}
        found |= {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            with urllib.request.urlopen(urllib.request.Request(self.url + path, data, found), timeout=timeout) as got:
                return Answer(got.status, got.headers, got.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.headers, error.read())

    def predict(self, inputs: list[Any], **more: Any) -> list[Any]:
        answer = self.ask("/predict", {"inputs": inputs, **more})
        assert answer.status == 200, answer.body
        found: list[Any] = answer.content["outputs"]
        return found

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Sends a signal; returns the exit code and what was printed since the start."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=120)
        return self.process.returncode, out + err


@contextlib.contextmanager
def serving(export: Path, *options: str, **environment: str) -> Iterator[Running]:
    """Starts a server on a free port, and ends it."""
    words = [sys.executable, "-m", "lstmlm", "serve", str(export), "--port", "0", "--threads", "1", *options]
    variables = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=variables)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"http://\S+", line)
        assert found, line + process.communicate(timeout=60)[1]
        yield Running(process, found[0])
    finally:
        process.kill()
        process.communicate(timeout=60)


Serve = Callable[..., contextlib.AbstractContextManager[Running]]


@pytest.fixture
def serve() -> Serve:
    return serving


@pytest.fixture(scope="session")
def server(exported: TinyRun) -> Iterator[Running]:
    """A server of each tiny model, for tests that leave it as it is."""
    with serving(exported.export, "--queue", "300", "--max-bytes", "20000") as running:
        yield running
