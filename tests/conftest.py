"""Fixtures shared by all tests, and limits that keep many tests on a small machine quick."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

from tests.ray_nodes import RayCluster, ray_head

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

pytest_plugins = ["tests.stores", "tests.tiny"]

ROOT = Path(__file__).resolve().parents[1]

Lstmlm = Callable[..., "subprocess.CompletedProcess[str]"]

# A shell without job control ignores Ctrl-C for what it starts in the background, and whatever that starts inherits it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


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


@pytest.fixture(scope="session")
def ray_cluster() -> Iterator[RayCluster]:
    """One cluster for every test that needs no other: started on free ports, stopped with all its processes."""
    with ray_head(4, ROOT) as cluster:
        yield cluster
