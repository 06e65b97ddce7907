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

from lstmlm.beam import find_user_error
from lstmlm.runner import FOLDER
from lstmlm.worker_pool import start

pytestmark = pytest.mark.timeout(120)


class TaskManager(beam_fn_api_pb2_grpc.BeamFnControlServicer):
    """The control endpoint: takes a worker's connection and holds it."""

    def __init__(self) -> None:
        self.connected = threading.Event()
        self.address = ""

    def Control(self, responses: Any, context: grpc.ServicerContext) -> Iterator[Any]:  # Beam's protocol names it so
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


@pytest.fixture
def pool() -> Iterator[Any]:
    served, server, port = start("127.0.0.1:0")
    try:
        yield beam_fn_api_pb2_grpc.BeamFnExternalWorkerPoolStub(grpc.insecure_channel(f"127.0.0.1:{port}"))
    finally:
        server.stop(0)
        served.close()


def request(manager: TaskManager, folder: Path) -> beam_fn_api_pb2.StartWorkerRequest:
    made = beam_fn_api_pb2.StartWorkerRequest(worker_id="1-1", params={FOLDER: str(folder)})
    made.control_endpoint.url = manager.address
    return made


def workers() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if "lstmlm.worker_pool" in child.cmdline()]


def test_a_worker_starts_in_the_folder_of_the_pipeline_and_stops(
    pool: Any, manager: TaskManager, tmp_path: Path
) -> None:
    assert pool.StartWorker(request(manager, tmp_path)).error == ""
    (worker,) = workers()
    assert manager.connected.wait(60)
    assert Path(worker.cwd()) == tmp_path
    assert pool.StopWorker(beam_fn_api_pb2.StopWorkerRequest(worker_id="1-1")).error == ""
    assert workers() == []
    assert pool.StopWorker(beam_fn_api_pb2.StopWorkerRequest(worker_id="1-1")).error == ""


def test_a_folder_that_the_pool_does_not_see_is_told_to_the_user(
    pool: Any, manager: TaskManager, tmp_path: Path
) -> None:
    error = pool.StartWorker(request(manager, tmp_path / "none")).error
    found = find_user_error(RuntimeError(f"java.lang.IllegalStateException: {error}\n\tat Some.java"))
    assert found is not None
    assert str(tmp_path / "none") in found.what


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


def test_a_worker_ends_when_its_task_manager_is_killed(pool: Any, tmp_path: Path) -> None:
    manager = subprocess.Popen(
        [sys.executable, "-c", CONNECT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert manager.stdout is not None
    made = beam_fn_api_pb2.StartWorkerRequest(worker_id="1-1", params={FOLDER: str(tmp_path)})
    made.control_endpoint.url = f"127.0.0.1:{int(manager.stdout.readline())}"
    assert pool.StartWorker(made).error == ""
    (worker,) = workers()
    assert manager.stdout.readline() == "connected\n"
    manager.kill()
    manager.communicate()
    assert worker.wait(30) is not None or not worker.is_running()
