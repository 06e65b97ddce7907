"""A pool of Beam SDK workers: a cluster's task managers ask it for processes that run this project's Python.

Beam's own pool listens on every address of the machine, mixes up workers of task managers that count alike, and lets
a worker whose task manager died finish its bundle. This one listens on the given address, leaves a worker to its task
manager, and such a worker ends at once: the bundle is being repeated elsewhere.

`python -m lstmlm.runners.worker_pool --port 50000` serves until it is stopped (SIGTERM, SIGINT).
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from concurrent import futures
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import grpc
from apache_beam.portability.api import beam_fn_api_pb2, beam_fn_api_pb2_grpc
from apache_beam.runners.worker.sdk_worker import SdkHarness

from lstmlm.runners.runner import FOLDER

STOP_SECONDS = 5
_REQUESTS = 8  # answered side by side; each takes milliseconds


class WorkerPool(beam_fn_api_pb2_grpc.BeamFnExternalWorkerPoolServicer):
    """Starts worker processes as Beam's `EXTERNAL` environment asks for them.

    They are forked from a process that has imported Beam already, which takes several seconds, and nothing else.
    """

    def __init__(self) -> None:
        self._workers: list[ForkServerProcess] = []
        self._lock = threading.Lock()
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([__spec__.name, "lstmlm.runners.pipeline"])

    def StartWorker(  # noqa: N802 (Beam's protocol names it so)
        self, request: beam_fn_api_pb2.StartWorkerRequest, context: object
    ) -> beam_fn_api_pb2.StartWorkerResponse:
        """Starts a process in the folder that the pipeline was submitted from, so that relative paths mean the same."""
        folder = request.params.get(FOLDER, ".")
        if not Path(folder).is_dir():
            # On a line of its own and marked, so that it reaches the user: see lstmlm.runners.pipeline.find_user_error.
            message = (
                f"\nlstmlm.errors.UserError: {folder}: the worker pool sees no such folder. Share it with the cluster\n"
            )
            return beam_fn_api_pb2.StartWorkerResponse(error=message)
        words = (request.control_endpoint.url, request.worker_id, folder)
        worker = self._context.Process(target=work, args=words, name="lstmlm-worker")
        with self._lock:
            worker.start()
            self._workers = [*(old for old in self._workers if old.is_alive()), worker]
        return beam_fn_api_pb2.StartWorkerResponse()

    def StopWorker(  # noqa: N802
        self, request: beam_fn_api_pb2.StopWorkerRequest, context: object
    ) -> beam_fn_api_pb2.StopWorkerResponse:
        """Leaves it to the worker, which ends when its task manager hangs up.

        The request names a worker by an id that each task manager counts for itself: it may mean any of several.
        """
        return beam_fn_api_pb2.StopWorkerResponse()

    def processes(self) -> list[int]:
        """Returns the process ids of the workers that are alive."""
        with self._lock:
            return [worker.pid for worker in self._workers if worker.pid is not None and worker.is_alive()]

    def close(self) -> None:
        """Ends every worker."""
        with self._lock:
            workers, self._workers = self._workers, []
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.join(STOP_SECONDS)
            worker.kill()
            worker.join()


def start(address: str) -> tuple[WorkerPool, grpc.Server, int]:
    """Starts a pool in this process; returns it, its server and the port.

    Args:
        address: `host:port`; port 0 takes a free one.

    Raises:
        RuntimeError: The address is taken.
    """
    pool = WorkerPool()
    server = grpc.server(futures.ThreadPoolExecutor(_REQUESTS), options=[("grpc.so_reuseport", 0)])
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


def work(control: str, worker: str, folder: str, environment: Mapping[str, str] | None = None) -> None:
    """Takes work until the task manager ends the connection or is gone, then leaves the process, come what may.

    Args:
        control: Address of the task manager.
        worker: What it calls this worker.
        folder: Where to work.
        environment: Its environment variables; absent: those of the process that it is forked from.
    """
    if environment is not None:
        os.environ.clear()
        os.environ.update(environment)
    os.chdir(folder)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends Ctrl-C to it too; it ends with its parent
    threading.Thread(target=_end_with_parent, name="lstmlm-parent-watch", daemon=True).start()
    try:
        SdkHarness(control, worker_id=worker).run()
    except grpc.RpcError as error:
        code = error.code() if isinstance(error, grpc.Call) else error
        print(f"worker {worker}: the connection to its task manager broke ({code})", file=sys.stderr)
    finally:
        sys.stderr.flush()
        os._exit(0)  # threads of a bundle that nobody waits for would continue to write


def _end_with_parent() -> None:
    """Ends this process with the one that asked for it, killed though it may be."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def main(arguments: Sequence[str] | None = None) -> None:
    """See the module."""
    parser = argparse.ArgumentParser(
        prog="python -m lstmlm.runners.worker_pool", description="Pool of Beam SDK workers."
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=50000, help="port to listen on (%(default)s); 0: a free one")
    words = parser.parse_args(arguments)
    serve(f"{words.host}:{words.port}")


if __name__ == "__main__":
    main()
