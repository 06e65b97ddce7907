"""A pool of Beam SDK workers: a cluster's task managers ask it for processes that run this project's Python.

Beam's own pool listens on every address of the machine and lets a worker whose task manager died finish its bundle.
This one listens where it is told, and such a worker ends at once: the bundle is being repeated elsewhere.

`python -m lstmlm.worker_pool --port 50000` serves until it is told to stop (SIGTERM, SIGINT).
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent import futures
from pathlib import Path

import grpc
from apache_beam.portability.api import beam_fn_api_pb2, beam_fn_api_pb2_grpc
from apache_beam.runners.worker.sdk_worker import SdkHarness

from lstmlm.runner import FOLDER

STOP_SECONDS = 5
_REQUESTS = 8  # answered side by side; each takes milliseconds


class WorkerPool(beam_fn_api_pb2_grpc.BeamFnExternalWorkerPoolServicer):
    """Starts and stops worker processes as Beam's `EXTERNAL` environment asks for them."""

    def __init__(self) -> None:
        self._workers: dict[str, subprocess.Popen[bytes]] = {}
        self._lock = threading.Lock()

    def StartWorker(  # Beam's protocol names it so
        self, request: beam_fn_api_pb2.StartWorkerRequest, context: object
    ) -> beam_fn_api_pb2.StartWorkerResponse:
        """Starts a process in the folder that the pipeline was submitted from, so that relative paths mean the same."""
        command = [sys.executable, "-m", "lstmlm.worker_pool"]
        command += ["--control", request.control_endpoint.url, "--id", request.worker_id]
        try:
            worker = subprocess.Popen(command, cwd=request.params.get(FOLDER), env=_environment())
        except OSError as error:
            # On a line of its own and marked, so that it reaches the user: see lstmlm.beam.find_user_error.
            told = f"\nlstmlm.errors.UserError: the worker pool cannot start a worker: {error}\n"
            return beam_fn_api_pb2.StartWorkerResponse(error=told)
        with self._lock:
            self._workers = {name: old for name, old in self._workers.items() if old.poll() is None}
            self._workers[request.worker_id] = worker
        return beam_fn_api_pb2.StartWorkerResponse()

    def StopWorker(
        self, request: beam_fn_api_pb2.StopWorkerRequest, context: object
    ) -> beam_fn_api_pb2.StopWorkerResponse:
        """Ends a worker; one that is gone already is no error."""
        with self._lock:
            worker = self._workers.pop(request.worker_id, None)
        if worker is not None:
            _end(worker)
        return beam_fn_api_pb2.StopWorkerResponse()

    def close(self) -> None:
        """Ends every worker."""
        with self._lock:
            workers, self._workers = list(self._workers.values()), {}
        for worker in workers:
            worker.terminate()
        for worker in workers:
            _end(worker)


def _environment() -> dict[str, str]:
    """Returns the environment of workers: this very lstmlm is found from whatever folder they start in."""
    here = str(Path(__file__).resolve().parents[1])
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH")]))}


def _end(worker: subprocess.Popen[bytes]) -> None:
    worker.terminate()
    try:
        worker.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        worker.kill()
        worker.wait()


def start(address: str) -> tuple[WorkerPool, grpc.Server, int]:
    """Starts a pool in this process; returns it, its server and the port.

    Args:
        address: `host:port`; port 0 takes a free one.

    Raises:
        RuntimeError: The address is taken.
    """
    pool = WorkerPool()
    server = grpc.server(futures.ThreadPoolExecutor(_REQUESTS))
    beam_fn_api_pb2_grpc.add_BeamFnExternalWorkerPoolServicer_to_server(pool, server)
    port = int(server.add_insecure_port(address))
    server.start()
    return pool, server, port


def serve(address: str) -> None:
    """Serves until SIGTERM or SIGINT, then ends every worker."""
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    pool, server, port = start(address)
    print(f"worker pool on port {port}", flush=True)
    stopped.wait()
    server.stop(0)
    pool.close()


def work(control: str, worker: str) -> None:
    """Takes work until the task manager ends the connection or is gone, then leaves the process, come what may."""
    status = 1
    try:
        SdkHarness(control, worker_id=worker).run()
        status = 0
    except grpc.RpcError as error:
        print(f"worker {worker}: the connection to its task manager broke ({error.code()})", file=sys.stderr)
    finally:
        sys.stderr.flush()
        os._exit(status)  # threads of a bundle that nobody waits for would go on writing


def main(arguments: Sequence[str] | None = None) -> None:
    """See the module; with `--control` and `--id` it is one worker of a pool."""
    parser = argparse.ArgumentParser(prog="python -m lstmlm.worker_pool", description="Pool of Beam SDK workers.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=50000, help="port to listen on (%(default)s); 0: a free one")
    parser.add_argument("--control", help=argparse.SUPPRESS)
    parser.add_argument("--id", help=argparse.SUPPRESS)
    words = parser.parse_args(arguments)
    if words.control:
        work(words.control, words.id)
    serve(f"{words.host}:{words.port}")


if __name__ == "__main__":
    main()
