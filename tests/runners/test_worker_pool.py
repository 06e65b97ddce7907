"""The pool that a cluster asks for workers, spoken to as a task manager does."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
import psutil
import pytest
from apache_beam.portability.api import beam_fn_api_pb2, beam_fn_api_pb2_grpc

from lstmlm.runners.pipeline import find_user_error
from lstmlm.runners.runner import FOLDER
from lstmlm.runners.worker_pool import WorkerPool, start
from tests.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


class TaskManager(beam_fn_api_pb2_grpc.BeamFnControlServicer):
    """The control endpoint: takes a worker's connection and holds it."""

    def __init__(self) -> None:
        self.connected = threading.Event()
        self.address = ""

    def Control(self, responses: Any, context: grpc.ServicerContext) -> Iterator[Any]:  # noqa: N802
        self.connected.set()
        yield from responses  # a worker says nothing unasked: this waits until the connection ends


@pytest.fixture
def manager() -> Iterator[TaskManager]:
    servicer = TaskManager()
    server = grpc.server(futures.ThreadPoolExecutor(4))
    beam_fn_api_pb2_grpc.add_BeamFnControlServicer_to_server(servicer, server)
    servicer.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield servicer
    finally:
        server.stop(0)


class Pool:
    """A pool and the way to speak to it."""

    def __init__(self, pool: WorkerPool, port: int) -> None:
        self.processes = pool.processes
        self._stub = beam_fn_api_pb2_grpc.BeamFnExternalWorkerPoolStub(grpc.insecure_channel(f"127.0.0.1:{port}"))

    def start(self, control: str, folder: Path) -> str:
        """Asks for a worker; returns the error."""
        request = beam_fn_api_pb2.StartWorkerRequest(worker_id="1-1", params={FOLDER: str(folder)})
        request.control_endpoint.url = control
        return str(self._stub.StartWorker(request).error)

    def stop(self) -> str:
        """Asks for the worker's end; returns the error."""
        return str(self._stub.StopWorker(beam_fn_api_pb2.StopWorkerRequest(worker_id="1-1")).error)


@pytest.fixture
def pool() -> Iterator[Pool]:
    served, server, port = start("127.0.0.1:0")
    try:
        yield Pool(served, port)
    finally:
        server.stop(0)
        served.close()


def test_a_worker_starts_in_the_folder_of_the_pipeline(pool: Pool, manager: TaskManager, tmp_path: Path) -> None:
    assert pool.start(manager.address, tmp_path) == ""
    (worker,) = pool.processes()
    assert manager.connected.wait(60)
    assert Path(psutil.Process(worker).cwd()) == tmp_path


def test_another_task_managers_worker_of_the_same_id_is_left_unchanged(
    pool: Pool, manager: TaskManager, tmp_path: Path
) -> None:
    """Two task managers count alike; one of them asks for an end."""
    assert [pool.start(manager.address, tmp_path) for _ in range(2)] == ["", ""]
    assert pool.stop() == ""
    assert manager.connected.wait(60)
    assert len(pool.processes()) == 2


def test_a_folder_that_the_pool_does_not_see_is_reported_to_the_user(
    pool: Pool, manager: TaskManager, tmp_path: Path
) -> None:
    error = pool.start(manager.address, tmp_path / "none")
    found = find_user_error(RuntimeError(f"java.lang.IllegalStateException: {error}\n\tat Some.java"))
    assert found is not None
    assert str(tmp_path / "none") in found.what
    assert pool.processes() == []


CONNECT = """
import sys
from concurrent import futures
import grpc
from apache_beam.portability.api import beam_fn_api_pb2_grpc

class Manager(beam_fn_api_pb2_grpc.BeamFnControlServicer):
    def Control(self, responses, context):
        print("connected", flush=True)
        yield from responses

server = grpc.server(futures.ThreadPoolExecutor(4))
beam_fn_api_pb2_grpc.add_BeamFnControlServicer_to_server(Manager(), server)
print(server.add_insecure_port("127.0.0.1:0"), flush=True)
server.start()
sys.stdin.read()
"""


def test_a_worker_ends_when_its_task_manager_is_killed(pool: Pool, tmp_path: Path) -> None:
    command = [sys.executable, "-c", CONNECT]
    manager = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert manager.stdout is not None
    assert pool.start(f"127.0.0.1:{int(manager.stdout.readline())}", tmp_path) == ""
    assert len(pool.processes()) == 1
    assert manager.stdout.readline() == "connected\n"
    manager.kill()
    manager.communicate()
    wait_until(lambda: pool.processes() == [], "the worker's end")
