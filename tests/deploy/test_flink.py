"""Ingest and infer on a Flink cluster of five processes, one of which is killed while it works."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import string
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.inference.conftest import shouter  # noqa: F401  # a fixture: a published model, tiny
from tests.waiting import wait_until

pytestmark = [pytest.mark.flink, pytest.mark.slow, pytest.mark.timeout(900)]

FILES, LINES, TEXTS = 8, 20_000, 6_000


class Cluster:
    """A cluster of deploy/flink, seen through its `cluster.json` and Flink's REST interface."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def state(self) -> Any:
        return json.loads((self.folder / "cluster.json").read_text(encoding="utf-8"))

    def options(self) -> list[str]:
        """What to add to a command so that it runs here, on both TaskManagers."""
        state = self.state()
        where = [f"job_endpoint={state['job_endpoint']}", f"environment_config={state['worker_pool']}"]
        return [
            "--runner",
            "flink",
            "--workers",
            "2",
            *(word for option in where for word in ("--beam-option", option)),
        ]

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.state()["dashboard"] + path, timeout=10) as reply:
            return json.load(reply)

    def busy(self) -> list[str]:
        """Names the TaskManagers with work."""
        managers = self.get("/taskmanagers")["taskmanagers"]
        return [manager["id"] for manager in managers if manager["freeSlots"] < manager["slotsNumber"]]

    def running(self) -> list[str]:
        """Returns the jobs with a task that runs."""
        jobs = [job["id"] for job in self.get("/jobs")["jobs"] if job["status"] == "RUNNING"]
        return [job for job in jobs if any(v["status"] == "RUNNING" for v in self.get(f"/jobs/{job}")["vertices"])]

    def kill_a_task_manager(self) -> None:
        """Kills one that works, with SIGKILL."""
        name = wait_until(self.busy, "a TaskManager at work")[0].rsplit("-", 1)[0]
        os.kill(self.state()["processes"][name], signal.SIGKILL)

    def restarts(self) -> int:
        """How often jobs were started again, in the life of the cluster."""
        log = (self.folder / "jobmanager.log").read_text(encoding="utf-8")
        return log.count("from state RUNNING to RESTARTING")

    def logs(self) -> str:
        return "\n".join(f"== {log.name}\n{log.read_text()[-3000:]}" for log in sorted(self.folder.glob("*.log")))


@pytest.fixture(scope="module")
def cluster(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster for all tests of this module, with two TaskManagers, on free ports."""
    if shutil.which("java") is None:
        pytest.skip("no java on this machine")
    jars = root / "build" / "flink" / "jars"
    fetch = [sys.executable, root / "deploy" / "flink" / "fetch.py", "--folder", jars]
    fetched = subprocess.run(fetch, capture_output=True, text=True, check=False)
    if fetched.returncode:
        pytest.skip(f"the jars cannot be fetched: {fetched.stderr.strip()}")
    made = Cluster(tmp_path_factory.mktemp("flink"))
    command = [sys.executable, root / "deploy" / "flink" / "cluster.py", "--free-ports", "--folder", made.folder]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    log = made.folder / "cluster.log"
    with log.open("w") as stream:
        supervisor = subprocess.Popen([*command, "--jars", jars], env=environment, stdout=stream, stderr=stream)
    try:
        wait_until(lambda: "ready" in log.read_text() or supervisor.poll() is not None, "the cluster")
        assert supervisor.poll() is None, made.logs()
        yield made
    finally:
        supervisor.terminate()
        supervisor.wait(60)


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recipe and its corpus: files some of whose lines become dead letters."""
    folder = tmp_path_factory.mktemp("corpus")
    draw = random.Random(1)
    words = ["".join(draw.choices(string.ascii_lowercase, k=draw.randint(2, 9))) for _ in range(500)]
    for number in range(FILES):
        lines = [" ".join(draw.choices(words, k=12)).encode() for _ in range(LINES)]
        lines[7 * number + 1] = b"not \xff UTF-8"
        (folder / f"part-{number}.txt").write_bytes(b"\n".join(lines) + b"\n")
    texts = (json.dumps({"text": " ".join(draw.choices(words, k=8))}) for _ in range(TEXTS))
    (folder / "texts.jsonl").write_text("\n".join(texts) + "\n{\n")
    corpus = f"{{root: {folder}, train: part-*.txt, valid_fraction: 0.1, shards: 3}}"
    path = folder / "recipe.yaml"
    path.write_text(f"name: flink\ntask: generate\noutput: {folder}/runs\ncorpus: {corpus}\n")
    return path


class Command:
    """`lstmlm` in a process of its own."""

    def __init__(self, root: Path, *arguments: object) -> None:
        command = [sys.executable, "-m", "lstmlm", *map(str, arguments)]
        environment = {**os.environ, "PYTHONPATH": str(root), "NO_COLOR": "1"}
        self._process = subprocess.Popen(
            command, cwd=root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def finish(self) -> tuple[int, str]:
        """Waits for the end; returns the exit code and what was said on standard error."""
        _, said = self._process.communicate(timeout=600)
        return self._process.returncode, said

    def has_ended(self) -> bool:
        return self._process.poll() is not None


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_ingest_outlives_a_killed_task_manager_which_is_replaced(
    cluster: Cluster, recipe: Path, root: Path, tmp_path: Path
) -> None:
    """The part files of the draft show that the job is in the middle of its work."""
    direct, there = tmp_path / "direct", tmp_path / "there"
    assert Command(root, "ingest", recipe, "-o", direct).finish()[0] == 0
    before = cluster.restarts()
    command = Command(root, "ingest", recipe, "-o", there, *cluster.options())
    wait_until(lambda: any(tmp_path.glob(".there.partial-*/.*/*")) or command.has_ended(), "part files")
    cluster.kill_a_task_manager()
    code, said = command.finish()
    assert code == 0, said + (tmp_path / "there.log").read_text()[-5000:] + cluster.logs()
    assert cluster.restarts() > before
    assert contents(there) == contents(direct)
    wait_until(lambda: cluster.get("/overview")["slots-available"] == 4, "another TaskManager, and all slots free")


def test_infer_outlives_a_killed_task_manager(
    cluster: Cluster,
    recipe: Path,
    shouter: Path,  # noqa: F811
    root: Path,
    tmp_path: Path,
) -> None:
    direct, there = tmp_path / "direct", tmp_path / "there"
    arguments = ["infer", recipe, "--export", shouter, "--input", recipe.with_name("texts.jsonl")]
    assert Command(root, *arguments, "-o", direct).finish()[0] == 0
    before = cluster.restarts()
    command = Command(root, *arguments, "-o", there, *cluster.options())
    wait_until(lambda: cluster.running() or command.has_ended(), "the job")
    cluster.kill_a_task_manager()
    code, said = command.finish()
    assert code == 0, said + (tmp_path / "there.log").read_text()[-5000:] + cluster.logs()
    assert cluster.restarts() > before
    assert contents(there) == contents(direct)
    assert len(contents(there)["predictions-00000-of-00002.jsonl"].splitlines()) > TEXTS // 3


def test_an_error_the_user_can_fix_arrives_in_one_line(
    cluster: Cluster, recipe: Path, root: Path, tmp_path: Path
) -> None:
    """Found by a worker, two processes away."""
    (recipe.parent / "bad.csv").write_text("text,text\na,b\n")
    arguments = ["ingest", recipe, "-o", tmp_path / "out", "--set", "corpus.train=bad.csv"]
    code, said = Command(root, *arguments, *cluster.options()).finish()
    assert code == 2, said + (tmp_path / "out.log").read_text()[-5000:]
    (line,) = (line for line in said.splitlines() if line.startswith("lstmlm: "))
    assert "bad.csv:1: duplicate column name" in line
    assert "Traceback" not in said
    assert not (tmp_path / "out").exists()
