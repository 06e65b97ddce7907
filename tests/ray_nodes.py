"""Ray nodes for tests: each with all its processes on free ports, so that it can be lost as a machine is lost."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from tests.waiting import wait_until

MARK = "LSTMLM_TEST_MARK"
"""A variable of the environment that a process hands on to all that it starts."""

HELPER_PORTS = (
    "dashboard-agent-grpc-port",
    "dashboard-agent-listen-port",
    "metrics-export-port",
    "runtime-env-agent-port",
)

PATIENT = {
    "RAY_raylet_start_wait_time_s": "180",
    "RAY_DASHBOARD_SUBPROCESS_MODULE_WAIT_READY_TIMEOUT": "180",
    "RAY_DASHBOARD_STARTUP_TIMEOUT_S": "180",
}


@dataclasses.dataclass(frozen=True)
class RayCluster:
    """A Ray cluster of the tests."""

    address: str
    dashboard: str


@contextlib.contextmanager
def ray_head(cpus: int, root: Path) -> Iterator[RayCluster]:
    """Runs the first node of a cluster, whose workers import from `root`."""
    ports = {name: _free_port() for name in ("port", "dashboard-port", "ray-client-server-port")}
    cluster = RayCluster(f"127.0.0.1:{ports['port']}", f"http://127.0.0.1:{ports['dashboard-port']}")
    # A Unix socket's path must be short, so the folder is not one of pytest's.
    with tempfile.TemporaryDirectory(prefix="ray", ignore_cleanup_errors=True) as folder:
        arguments = ["--head", "--dashboard-host=127.0.0.1", f"--temp-dir={folder}"]
        arguments += [f"--{name}={port}" for name, port in ports.items()]

        def ready(log: str) -> bool:
            # The dashboard answers before the node is known to the cluster.
            return "Ray runtime started" in log and _answers(f"{cluster.dashboard}/api/version")

        with _node(arguments, cpus, root, ready):
            yield cluster


@contextlib.contextmanager
def ray_worker_node(cluster: RayCluster, cpus: int, root: Path) -> Iterator[str]:
    """Adds a node to a cluster; yields the mark of its processes."""
    with _node([f"--address={cluster.address}"], cpus, root, lambda log: "Ray runtime started" in log) as mark:
        yield mark


@contextlib.contextmanager
def _node(arguments: list[str], cpus: int, root: Path, ready: Callable[[str], bool]) -> Iterator[str]:
    """Runs `ray start` until the end of the context; `ready` receives what it printed."""
    mark = uuid.uuid4().hex
    command = [str(Path(sys.executable).with_name("ray")), "start", "--block", f"--num-cpus={cpus}"]
    command += ["--node-ip-address=127.0.0.1", "--object-store-memory=200000000", *arguments]
    # A node whose helpers choose their own ports gives up where a busy machine starts them too slowly.
    command += [f"--{name}={_free_port()}" for name in HELPER_PORTS]
    environment = {**os.environ, **PATIENT, "PYTHONPATH": str(root), MARK: mark}
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "start.log"
        with log.open("wb") as stream:
            process = subprocess.Popen(
                command, env=environment, stdout=stream, stderr=stream, start_new_session=True, cwd=folder
            )
        try:
            wait_until(lambda: process.poll() is not None or ready(log.read_text()), "the start of a Ray node", 300)
            assert process.poll() is None, log.read_text()
            yield mark
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=30)
            kill_marked(mark)
            process.wait()


def marked(mark: str) -> list[psutil.Process]:
    """Returns the living processes with a mark."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def kill_marked(mark: str) -> None:
    """Kills all processes with a mark, those that they start meanwhile too."""
    while processes := marked(mark):
        for process in processes:
            with contextlib.suppress(psutil.Error):
                process.send_signal(signal.SIGKILL)
        psutil.wait_procs(processes, timeout=30)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as reply:
            return bool(reply.status == 200)
    except urllib.error.HTTPError as error:
        return error.code == 401  # it asks for a token
    except OSError:
        return False
