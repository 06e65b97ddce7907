"""Fixtures shared by all tests, and limits that keep many tests on a small machine quick."""

from __future__ import annotations

import dataclasses
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

# How long an example takes says nothing on a machine that does other things too.
hypothesis.settings.register_profile("lstmlm", deadline=None)
hypothesis.settings.load_profile("lstmlm")

# Before any test module imports TensorFlow: it reads these once.
for name, value in {
    "CUDA_VISIBLE_DEVICES": "-1",
    "OMP_NUM_THREADS": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
}.items():
    os.environ.setdefault(name, value)

pytest_plugins = ["tests.tiny"]

ROOT = Path(__file__).resolve().parents[1]

Lstmlm = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def corpora() -> Path:
    """The folder of small real corpora."""
    folder = Path(os.environ.get("LSTMLM_CORPORA") or ROOT.parent / "shared" / "corpora").resolve()
    if not folder.is_dir():
        pytest.skip(f"no corpora at {folder}: set LSTMLM_CORPORA to the folder that holds them")
    return folder


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte and a bit."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1200k", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"cannot mount a small file system here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def lstmlm() -> Lstmlm:
    """Runs the command line in a process of its own."""

    def run(
        *arguments: object, cwd: Path | None = None, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "lstmlm", *map(str, arguments)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "160", "NO_COLOR": "1", **(env or {})}
        return subprocess.run(
            command, cwd=cwd or ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120
        )

    return run


@dataclasses.dataclass(frozen=True)
class RayCluster:
    """A Ray cluster of this test session."""

    address: str
    dashboard: str


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as reply:
            return bool(reply.status == 200)
    except OSError:
        return False


@pytest.fixture(scope="session")
def ray_cluster() -> Iterator[RayCluster]:
    """One cluster for every test that needs Ray: started on free ports, stopped with its own process group."""
    ports = {name: _free_port() for name in ("port", "dashboard-port", "ray-client-server-port")}
    # A Unix socket's path must be short, so the folder is not one of pytest's.
    with tempfile.TemporaryDirectory(prefix="ray") as folder:
        command = [str(Path(sys.executable).with_name("ray")), "start", "--head", "--block", "--num-cpus=4"]
        command += ["--node-ip-address=127.0.0.1", "--dashboard-host=127.0.0.1", f"--temp-dir={folder}"]
        command += ["--object-store-memory=200000000", *(f"--{name}={port}" for name, port in ports.items())]
        patience = {"RAY_raylet_start_wait_time_s": "180", "RAY_DASHBOARD_SUBPROCESS_MODULE_WAIT_READY_TIMEOUT": "180"}
        environment = {**os.environ, **patience, "PYTHONPATH": str(ROOT)}
        log = Path(folder) / "start.log"
        with log.open("wb") as stream:
            head = subprocess.Popen(
                command, env=environment, stdout=stream, stderr=stream, start_new_session=True, cwd=folder
            )
        cluster = RayCluster(f"127.0.0.1:{ports['port']}", f"http://127.0.0.1:{ports['dashboard-port']}")
        try:
            deadline = time.monotonic() + 300
            while not _answers(f"{cluster.dashboard}/api/version"):
                assert head.poll() is None, log.read_text()
                assert time.monotonic() < deadline, "Ray did not start: " + log.read_text()
                time.sleep(0.5)
            yield cluster
        finally:
            os.killpg(head.pid, signal.SIGTERM)
            try:
                head.wait(timeout=30)
            except subprocess.TimeoutExpired:
                os.killpg(head.pid, signal.SIGKILL)
