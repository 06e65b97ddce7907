"""A job server that cannot be used is reported in one line, with the exit code that fits."""

from __future__ import annotations

import contextlib
import http.server
import socket
import threading
from collections.abc import Iterator

import pytest
import ray

from lstmlm.errors import TryAgain, UserError
from lstmlm.jobs.server import JobServer, job_server_url
from tests.ray_nodes import RayCluster


def ignore(reason: str) -> None:
    """Takes the reason of a wait that a test does not look at."""


@pytest.mark.parametrize("address", ["HEAD:8265", "http://HEAD:8265", " http://HEAD:8265/ "])
def test_a_job_server_is_named_by_its_url_or_its_host_and_port(address: str) -> None:
    assert job_server_url(address) == "http://HEAD:8265"


@pytest.mark.parametrize("address", ["ray://HEAD:10001", "", "auto node", "http://HEAD:8265/api", "http://"])
def test_another_kind_of_address_is_refused(address: str) -> None:
    with pytest.raises(UserError, match=r"^--address: .* is not the address of a Ray job server\. Name the URL"):
        job_server_url(address)


def test_nobody_there_is_for_another_try() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        reasons = list[str]()
        with pytest.raises(TryAgain, match=f"^--address: no Ray job server answers at {address}. Check the address"):
            JobServer(address, 1.0, reasons.append)
        assert reasons == [f"no Ray job server answers at {address}"]


def test_another_server_is_named_as_such() -> None:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    with server, pytest.raises(UserError, match="is no Ray job server") as caught:
        JobServer(f"http://127.0.0.1:{server.server_port}", 0.0, ignore)
    server.shutdown()
    assert not isinstance(caught.value, TryAgain)


@contextlib.contextmanager
def forwarded(port: int, target: int) -> Iterator[None]:
    """Forwards the connections to a port of this machine to another."""
    with socket.create_server(("127.0.0.1", port)) as listener:

        def pump(source: socket.socket, sink: socket.socket) -> None:
            with contextlib.suppress(OSError):
                while data := source.recv(1 << 16):
                    sink.sendall(data)
                sink.shutdown(socket.SHUT_WR)

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    ours, _ = listener.accept()
                    theirs = socket.create_connection(("127.0.0.1", target))
                    for pair in ((ours, theirs), (theirs, ours)):
                        threading.Thread(target=pump, args=pair, daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield


@pytest.mark.ray
@pytest.mark.slow
def test_a_server_that_comes_up_later_is_waited_for(ray_cluster: RayCluster) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with contextlib.ExitStack() as stack:

        def come_up(reason: str) -> None:
            stack.enter_context(forwarded(port, int(ray_cluster.dashboard.rpartition(":")[2])))

        server = JobServer(f"127.0.0.1:{port}", 60.0, come_up)
        assert server.find("no such job") is None


@pytest.mark.ray
@pytest.mark.slow
def test_another_version_of_ray_is_named_with_both(ray_cluster: RayCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    there = ray.__version__
    monkeypatch.setattr(ray, "__version__", "2.48.0")
    with pytest.raises(UserError, match=f"runs Ray {there}, and here is Ray 2.48.0: the version must be the same"):
        JobServer(ray_cluster.dashboard, 0.0, ignore)
