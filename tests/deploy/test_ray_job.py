"""Training as a job of a Ray cluster that is already running."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from lstmlm.publish import read_manifest

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(1200)]

Lstmlm = Callable[..., "subprocess.CompletedProcess[str]"]

BIN = Path(sys.executable).parent
PORTS = 4
STOP_SECONDS = 60


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for found in sockets:
            found.bind(("127.0.0.1", 0))
        return [int(found.getsockname()[1]) for found in sockets]


@pytest.fixture
def cluster(root: Path) -> Iterator[str]:
    """The address of the job server of a cluster with one node, this machine.

    The head stays in the foreground (`--block`), so that ending its process ends this cluster and no other.
    """
    head, dashboard, client, agent = free_ports(PORTS)
    environment = {**os.environ, "PYTHONPATH": str(root), "RAY_USAGE_STATS_ENABLED": "0"}
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as scratch:  # a short path: sockets
        command = [BIN / "ray", "start", "--head", "--block", "--num-cpus=2", "--include-dashboard=true"]
        command += [f"--port={head}", f"--dashboard-port={dashboard}", f"--ray-client-server-port={client}"]
        command += ["--dashboard-host=127.0.0.1", "--node-ip-address=127.0.0.1", f"--temp-dir={scratch}"]
        command += [f"--dashboard-agent-listen-port={agent}", "--object-store-memory=200000000"]
        process = subprocess.Popen(list(map(str, command)), env=environment, stdout=subprocess.DEVNULL)
        try:
            yield f"http://127.0.0.1:{dashboard}"
        finally:
            process.terminate()
            process.wait(timeout=STOP_SECONDS)


def test_a_submitted_job_trains_to_the_end(cluster: str, tiny_recipe: Path, lstmlm: Lstmlm, tmp_path: Path) -> None:
    records, tokenizer, examples, model = (tmp_path / name for name in ("records", "tokenizer", "examples", "model"))
    for command in (
        ("ingest", tiny_recipe, "-o", records),
        ("tokenizer", tiny_recipe, "--records", records, "-o", tokenizer),
        ("examples", tiny_recipe, "--records", records, "--tokenizer", tokenizer, "-o", examples),
    ):
        done = lstmlm(*command)
        assert done.returncode == 0, done.stderr
    job = tmp_path / "job"
    job.mkdir()
    shutil.copy(tiny_recipe, job / "recipe.yaml")
    train = [sys.executable, "-m", "lstmlm", "train", "recipe.yaml", "--examples", examples, "--tokenizer", tokenizer]
    command = [BIN / "ray", "job", "submit", "--address", cluster, "--working-dir", job, "--", *train, "-o", model]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert "succeeded" in done.stdout, done.stdout[-5000:] + done.stderr[-5000:]
    assert done.returncode == 0
    assert read_manifest(model, "model", verify=True).facts["steps"] == 4
