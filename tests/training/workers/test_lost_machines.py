"""Training that loses its driver, or loses or gains a node, ends with the loss of the run that nothing befell."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from lstmlm.publish.folder import MANIFEST
from lstmlm.recipe.file import parse_recipe
from lstmlm.recipe.recipe import Recipe
from lstmlm.training.metrics.log import read_metrics
from lstmlm.training.run import train
from lstmlm.training.workers import distributed
from lstmlm.training.workers.all_reduce import SingleWorker
from lstmlm.training.workers.worker import train_worker
from tests.ray_nodes import MARK, kill_marked, marked, ray_head, ray_worker_node
from tests.tiny import RECIPE
from tests.training.recovery import Recovery
from tests.waiting import wait_until

pytestmark = [pytest.mark.ray, pytest.mark.slow]

PLAN = {"steps": 600, "evaluate_every": 200, "checkpoint_every": 20, "collective_timeout": 30, "threads": 1}
"""Enough steps that there is time to hit between two checkpoints."""
PATIENCE = 300


def losses(metrics: Path) -> list[float]:
    return [row["valid_loss"] for row in read_metrics(metrics) if "valid_loss" in row]


def planned(recipe: Recipe, **training: object) -> Recipe:
    return recipe.model_copy(update={"training": recipe.training.model_copy(update=PLAN | training)})


@pytest.fixture(scope="module")
def undisturbed(stages: Path, tmp_path_factory: pytest.TempPathFactory) -> list[float]:
    """The losses of one worker without Ray."""
    work = tmp_path_factory.mktemp("undisturbed")
    recipe = planned(parse_recipe(RECIPE, "tiny", [f"corpus.root={stages}"]))
    train_worker(recipe, stages / "examples", stages / "tokenizer", work, SingleWorker(), lambda row: None)
    return losses(work / "metrics.jsonl")


@pytest.fixture
def mark() -> Iterator[str]:
    """Marks processes that must not outlive the test."""
    name = uuid.uuid4().hex
    yield name
    kill_marked(name)


def test_a_killed_driver_leaves_no_process_and_the_next_goes_on(
    stages: Path, tmp_path: Path, root: Path, mark: str, undisturbed: list[float], record_property: Callable[..., None]
) -> None:
    plan = [f"training.{name}={value}" for name, value in (PLAN | {"workers": 2}).items()]
    changes = [f"corpus.root={stages}", f"output={tmp_path / 'runs'}", *plan]
    (tmp_path / "tiny.yaml").write_text(RECIPE, encoding="utf-8")
    command = [sys.executable, "-m", "lstmlm", "train", str(tmp_path / "tiny.yaml"), "-o", str(tmp_path / "model")]
    command += ["--examples", str(stages / "examples"), "--tokenizer", str(stages / "tokenizer")]
    command += [word for change in changes for word in ("--set", change)]
    # A Unix socket's path must be short, so Ray's folder is not one of pytest's.
    with tempfile.TemporaryDirectory(prefix="ray", ignore_cleanup_errors=True) as folder:
        environment = {**os.environ, "PYTHONPATH": str(root), "RAY_TMPDIR": folder, MARK: mark}
        environment.pop("RAY_ADDRESS", None)
        driver = subprocess.Popen(command, env=environment)
        work = tmp_path / "runs" / "tiny" / "checkpoints"
        wait_until(
            lambda: driver.poll() is not None or any(work.glob(f"*/step-*/{MANIFEST}")), "a checkpoint", PATIENCE
        )
        driver.send_signal(signal.SIGKILL)
        killed = time.monotonic()
        assert driver.wait() == -signal.SIGKILL
        wait_until(lambda: not marked(mark), "the end of all that the driver had started", 90)
        (metrics,) = work.glob("*/metrics.jsonl")
        rows = read_metrics(metrics)
        assert not (tmp_path / "model").exists()
        driver = subprocess.Popen(command, env=environment)
        wait_until(lambda: driver.poll() is not None or step_in(metrics) > rows[-1]["step"], "a later step", PATIENCE)
        record_property("SIGKILL of the driver, which is started again at once", time.monotonic() - killed)
        assert driver.wait(PATIENCE) == 0
    assert read_metrics(tmp_path / "model" / "metrics.jsonl")[0] == rows[0]  # these steps were not taken again
    np.testing.assert_allclose(losses(tmp_path / "model" / "metrics.jsonl"), undisturbed, atol=1e-4)


def step_in(metrics: Path) -> int:
    """Returns the last step of a file of metrics; 0: there is no such file, or none any more."""
    with contextlib.suppress(FileNotFoundError):
        return max((row["step"] for row in read_metrics(metrics)), default=0)
    return 0


def trains_on(mark: str) -> bool:
    """Says whether a worker runs on the node with a mark."""
    return any("RayTrainWorker" in " ".join(process.cmdline()) for process in marked(mark))


class LoseOnce:
    """Kills all processes of a node the first time that training has passed a step."""

    def __init__(self, mark: str, checkpoints: Path, step: int) -> None:
        self.mark, self.step, self.hit = mark, step, False
        self.recovery = Recovery(checkpoints)

    def update(self, done: float, total: float | None = None, **said: object) -> None:
        if self.hit:
            self.recovery.look(done)
        elif done >= self.step:
            self.hit = True
            assert trains_on(self.mark)
            self.recovery.begin(done)
            kill_marked(self.mark)


def test_a_lost_node_leaves_the_work_to_the_other(
    recipe: Recipe,
    stages: Path,
    tmp_path: Path,
    root: Path,
    undisturbed: list[float],
    record_property: Callable[..., None],
) -> None:
    changed = planned(recipe, workers=(1, 2))
    # A node has room for one worker.
    with ray_head(1, root) as cluster, ray_worker_node(cluster, 1, root) as mark:
        loss = LoseOnce(mark, changed.run_folder / "checkpoints", 30)
        folders = stages / "examples", stages / "tokenizer", tmp_path / "model"
        train(changed, *folders, loss, ray_address=cluster.address)
    assert loss.hit
    np.testing.assert_allclose(losses(tmp_path / "model" / "metrics.jsonl"), undisturbed, atol=1e-4)
    record_property("loss of a node: two workers become one", loss.recovery.seconds)


class JoinOnce:
    """Adds a node the first time that training has passed a step, and looks whether training takes it in.

    Ray looks for new nodes every 20 seconds, so the lone worker is held back until then: there must be something left
    to do.
    """

    def __init__(self, join: Callable[[], str], checkpoints: Path, step: int) -> None:
        self.step, self.taken_in = step, threading.Event()
        self._join, self._checkpoints, self._mark = join, checkpoints, ""
        self.recovery = Recovery(checkpoints)

    def update(self, done: float, total: float | None = None, **said: object) -> None:
        if self._mark:
            self.recovery.look(done)
            if trains_on(self._mark):
                self.taken_in.set()
        elif done >= self.step:
            (pid,) = self._checkpoints.glob("*/worker-0.pid")
            worker = psutil.Process(int(pid.read_text()))
            worker.suspend()
            try:
                self._mark = self._join()
            finally:
                worker.resume()
            self.recovery.begin(done)
            threading.Thread(target=hold_back, args=(worker, self.taken_in), daemon=True).start()


def hold_back(process: psutil.Process, enough: threading.Event) -> None:
    """Lets a process run for a twentieth of the time, until it has ended or something has happened."""
    with contextlib.suppress(psutil.NoSuchProcess):
        while not enough.wait(0.05):
            process.suspend()
            enough.wait(1.0)
            process.resume()


def test_a_node_that_joins_is_taken_in(
    recipe: Recipe,
    stages: Path,
    tmp_path: Path,
    root: Path,
    undisturbed: list[float],
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[..., None],
) -> None:
    monkeypatch.setattr(distributed, "RESIZE_SECONDS", 1.0)
    changed = planned(recipe, workers=(1, 2))
    with ray_head(1, root) as cluster, contextlib.ExitStack() as nodes:
        folders = stages / "examples", stages / "tokenizer", tmp_path / "model"
        checkpoints = changed.run_folder / "checkpoints"
        join = JoinOnce(lambda: nodes.enter_context(ray_worker_node(cluster, 1, root)), checkpoints, 30)
        train(changed, *folders, join, ray_address=cluster.address)
    assert join.taken_in.is_set()
    np.testing.assert_allclose(losses(tmp_path / "model" / "metrics.jsonl"), undisturbed, atol=1e-4)
    record_property("a node that joins: one worker becomes two", join.recovery.seconds)
