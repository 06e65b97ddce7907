"""Local worker processes for Beam's direct runner, with detection of dead workers.

Beam's own (`direct_running_mode=multi_processing`) waits forever for a worker that was killed, and leaves workers
behind when it is killed itself. Its servers, which take pickled code, listen on every address of the machine; here they
listen on 127.0.0.1.
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
import threading
from collections.abc import Iterable
from multiprocessing import connection
from typing import Any

import grpc
from apache_beam.runners.portability.fn_api_runner import worker_handlers
from apache_beam.runners.portability.fn_api_runner.worker_handlers import GrpcWorkerHandler, WorkerHandler
from apache_beam.transforms import environments

from lstmlm.runners.worker_pool import STOP_SECONDS, work

URN = "lstmlm:environment:process:v1"
_LOOK_SECONDS = 0.2
_CONTEXT = multiprocessing.get_context("forkserver")
_numbers = itertools.count()


class _Loopback:
    """gRPC as Beam's local runner sees it: a port that it opens on every address is opened on this machine's own."""

    def __getattr__(self, name: str) -> Any:
        return getattr(grpc, name)

    def server(self, *given: Any, **options: Any) -> grpc.Server:
        """See `grpc.server`."""
        server = grpc.server(*given, **options)
        listen = server.add_insecure_port
        server.add_insecure_port = lambda address: listen(address.replace("[::]", "127.0.0.1"))
        return server


worker_handlers.grpc = _Loopback()


class WorkerDied(RuntimeError):
    """A worker process ended in the middle of its work."""


class _Group:
    """The workers of a pipeline: when one dies, all of them end, so that the work can be spread anew."""

    def __init__(self) -> None:
        self.error: WorkerDied | None = None


_groups: dict[bytes, _Group] = {}


@environments.Environment.register_urn(URN, None)
class ProcessEnvironment(environments.Environment):
    """Makes the direct runner start workers as `ProcessHandler` does.

    Args:
        name: Of the group that its workers belong to; absent: a new one.
    """

    def __init__(self, name: bytes | None = None, **beam: Any) -> None:
        super().__init__(**({"capabilities": environments.python_sdk_capabilities()} | beam))
        self._name = name or f"{os.getpid()}-{next(_numbers)}".encode()
        _groups.setdefault(self._name, _Group())

    def to_runner_api_parameter(self, context: object) -> tuple[str, bytes]:
        """See Beam."""
        return URN, self._name

    @staticmethod
    def from_runner_api_parameter(
        payload: bytes, capabilities: Iterable[str], artifacts: Iterable[Any], resource_hints: Any, context: object
    ) -> ProcessEnvironment:
        """See Beam."""
        return ProcessEnvironment(
            payload, capabilities=capabilities, artifacts=artifacts, resource_hints=resource_hints
        )


@WorkerHandler.register_environment(URN, bytes)
class ProcessHandler(GrpcWorkerHandler):
    """Starts a worker, watches it and stops it. Forked from a process that has imported Beam already."""

    def __init__(self, payload: bytes, state: Any, provision_info: Any, grpc_server: Any) -> None:
        super().__init__(state, provision_info, grpc_server)
        self._group = _groups[payload]
        self._stopping = threading.Event()

    def start_worker(self) -> None:
        """See Beam."""
        _CONTEXT.set_forkserver_preload(["lstmlm.runners.worker_pool", "lstmlm.runners.pipeline"])
        # The process that it is forked from keeps the environment that it was started with, perhaps by an earlier job.
        words = (self.control_address, self.worker_id, os.getcwd(), dict(os.environ))
        self._process = _CONTEXT.Process(target=work, args=words, name="lstmlm-worker", daemon=True)
        self._process.start()
        self._watcher = threading.Thread(target=self._watch, name="lstmlm-worker-watch", daemon=True)
        self._watcher.start()

    def _watch(self) -> None:
        """Fails all that waits for the worker once it, or another one of the group, is dead."""
        while not self._stopping.is_set():
            ended = connection.wait([self._process.sentinel], _LOOK_SECONDS)
            if ended and not self._stopping.is_set() and self._group.error is None:
                self._process.join()
                self._group.error = WorkerDied(f"a worker process died (exit code {self._process.exitcode})")
            if self._group.error is not None:
                self._process.kill()
                self.control_conn.abort(self._group.error)
                self._stopping.wait(_LOOK_SECONDS)  # the runner may still ask for more before it closes

    def close(self) -> None:
        """See Beam."""
        self._stopping.set()
        super().close()

    def stop_worker(self) -> None:
        """See Beam."""
        self._process.join(STOP_SECONDS)
        self._process.kill()
        self._process.join()
        self._watcher.join()
