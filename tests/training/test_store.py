"""Training with nothing but a store: the weights of the same on a disk, whatever ends the training on its way."""

from __future__ import annotations

import functools
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from faulty_store import faulty

from lstmlm.errors import TryAgain, UserError
from lstmlm.progress import Silent
from lstmlm.publish.cache import local_copy
from lstmlm.publish.folder import Manifest
from lstmlm.recipe.recipe import Recipe
from lstmlm.storage import StorePath, leases
from lstmlm.storage.clients import forget
from lstmlm.training.checkpoints.checkpoint import Position, checkpoints, restore_newest
from lstmlm.training.checkpoints.keeper import HOLDER_FILE, StoreKeeper
from lstmlm.training.run import train
from lstmlm.training.workers import distributed
from lstmlm.training.workers.all_reduce import SingleWorker
from lstmlm.training.workers.worker import train_worker
from tests.conftest import Lstmlm
from tests.stores import keys, uploaded
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

Reports = list[Callable[[dict[str, float]], None]]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LSTMLM_CACHE", str(tmp_path / "cache"))


def train_in_process(
    recipe: Recipe,
    examples: Path,
    tokenizer: Path,
    work: Path,
    address: str | None,
    report: Callable[[dict[str, float]], None] = lambda row: None,
) -> None:
    """Takes the place of `lstmlm.training.workers.distributed.train_on_ray`."""
    train_worker(recipe, examples, local_copy(tokenizer), work, SingleWorker(), report)


@pytest.fixture
def reports(monkeypatch: pytest.MonkeyPatch) -> Reports:
    """Trains in this process; returns what is called after each evaluation."""
    found: Reports = []

    def report(row: dict[str, float]) -> None:
        for one in found:
            one(row)

    monkeypatch.setattr(distributed, "train_on_ray", functools.partial(train_in_process, report=report))
    return found


@pytest.fixture
def inputs(stages: Path, bucket: StorePath) -> StorePath:
    """A store with the examples and the tokenizer."""
    for name in ("examples", "tokenizer"):
        uploaded(stages / name, bucket / name)
    return bucket


@pytest.fixture
def undisturbed(recipe: Recipe, stages: Path, tmp_path: Path, reports: Reports) -> Manifest:
    """The same training on a disk."""
    run = recipe.model_copy(update={"output": tmp_path / "disk"})
    return train(run, stages / "examples", stages / "tokenizer", tmp_path / "model", Silent())


def train_there(recipe: Recipe, store: StorePath) -> Manifest:
    return train(recipe, store / "examples", store / "tokenizer", store / "model", Silent())


def files(manifest: Manifest) -> dict[str, Any]:
    """What is the same in every run: not how fast it was."""
    return {name: facts for name, facts in manifest.files.items() if name != "metrics.jsonl"}


def test_the_weights_are_those_of_a_disk(
    recipe: Recipe, inputs: StorePath, undisturbed: Manifest, s3: Any, tmp_path: Path, lstmlm: Lstmlm
) -> None:
    found = train_there(recipe, inputs)
    assert (files(found), found.facts, found.fingerprint) == (
        files(undisturbed), undisturbed.facts, undisturbed.fingerprint
    )  # fmt: skip
    kept = {key.split("/")[1] for key in keys(s3, inputs) if key.startswith(".tiny.training.work/")}
    assert kept == {"trained"}
    assert not (tmp_path / "runs").exists()
    assert train_there(recipe, inputs).attempt == found.attempt
    (tmp_path / "r.yaml").write_text(recipe.model_dump_json(exclude_defaults=True))
    places = ["--examples", inputs / "examples", "--tokenizer", inputs / "tokenizer", "-o", inputs / "model"]
    done = lstmlm("train", tmp_path / "r.yaml", *places)
    assert done.returncode == 0, done.stderr
    assert f"{inputs}/model" in done.stdout


def test_a_training_that_is_interrupted_resumes(
    recipe: Recipe, inputs: StorePath, undisturbed: Manifest, reports: Reports
) -> None:
    def interrupt(row: dict[str, float]) -> None:
        if row["step"] == 6:
            raise KeyboardInterrupt

    reports.append(interrupt)
    with pytest.raises(KeyboardInterrupt):
        train_there(recipe, inputs)
    steps: list[float] = []
    reports[:] = [lambda row: steps.append(row["step"])]
    assert files(train_there(recipe, inputs)) == files(undisturbed)
    assert steps == [6, 12]


def test_more_steps_go_on_from_the_last(recipe: Recipe, inputs: StorePath, reports: Reports, tmp_path: Path) -> None:
    train_there(recipe, inputs)
    more = recipe.model_copy(update={"training": recipe.training.model_copy(update={"steps": 18})})
    steps: list[float] = []
    reports.append(lambda row: steps.append(row["step"]))
    longer = train(more, inputs / "examples", inputs / "tokenizer", inputs / "longer", Silent())
    assert steps == [18]
    assert longer.facts["steps"] == 18


TRAIN = """
import sys, time
from lstmlm.progress import Silent
from lstmlm.publish.cache import local_copy
from lstmlm.recipe.recipe import Recipe
from lstmlm.storage import place
from lstmlm.training.run import train
from lstmlm.training.workers import distributed
from lstmlm.training.workers.all_reduce import SingleWorker
from lstmlm.training.workers.worker import train_worker
def wait(row):
    if row["step"] > 6:
        time.sleep(3600)  # until it is killed, behind a checkpoint or two
def here(recipe, examples, tokenizer, work, address):
    train_worker(recipe, examples, local_copy(tokenizer), work, SingleWorker(), wait)
distributed.train_on_ray = here
store = place(sys.argv[1])
recipe = Recipe.model_validate_json(sys.argv[2])
train(recipe, store / "examples", store / "tokenizer", store / "model", Silent())
"""


def test_a_training_that_is_killed_resumes_bit_for_bit(
    recipe: Recipe, inputs: StorePath, undisturbed: Manifest, root: Path, reports: Reports, monkeypatch: Any
) -> None:
    command = [sys.executable, "-c", TRAIN, str(inputs), recipe.model_dump_json()]
    with subprocess.Popen(command, cwd=root) as process:
        work = inputs / ".tiny.training.work" / "checkpoints"
        wait_until(
            lambda: process.poll() is not None or any(path.name == "manifest.json" for path in work.rglob("man*")),
            "a checkpoint",
        )
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    with pytest.raises(TryAgain, match="another process is at work here"):
        train_there(recipe, inputs)
    monkeypatch.setattr(leases, "EXPIRES", 0.5)
    steps: list[float] = []
    reports.append(lambda row: steps.append(row["step"]))
    assert files(train_there(recipe, inputs)) == files(undisturbed)


def test_a_store_that_refuses_and_resets(
    recipe: Recipe, inputs: StorePath, undisturbed: Manifest, store_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with faulty(store_server, refused=0.1, reset=0.02, cut=0.05) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
        forget()
        assert files(train_there(recipe, inputs)) == files(undisturbed)
        assert sum(proxy.faults.values()) > 5


def test_a_checkpoint_that_is_cut_off_leaves_the_one_before(
    recipe: Recipe, inputs: StorePath, undisturbed: Manifest, reports: Reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, published = StorePath.create, list[StorePath]()

    def cut_off(path: StorePath, content: bytes) -> bool:
        if path.parent.name.startswith("step-"):
            if published:
                raise TryAgain("the object store does not answer", where=str(path))
            published.append(path)
        return plain(path, content)

    with monkeypatch.context() as patched:
        patched.setattr(StorePath, "create", cut_off)
        with pytest.raises(TryAgain, match="does not answer"):
            train_there(recipe, inputs)
    steps: list[float] = []
    reports.append(lambda row: steps.append(row["step"]))
    assert files(train_there(recipe, inputs)) == files(undisturbed)
    assert steps == [6, 12]  # from the checkpoint of step 4


class Slow:
    """A store in which what is written waits."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.open, self.asked = threading.Event(), threading.Event()
        plain = StorePath.create

        def waits(path: StorePath, content: bytes) -> bool:
            self.asked.set()
            assert self.open.wait(60)
            return plain(path, content)

        monkeypatch.setattr(StorePath, "create", waits)


def test_training_goes_on_while_a_checkpoint_is_sent(bucket: StorePath, monkeypatch: pytest.MonkeyPatch) -> None:
    import tensorflow as tf

    slow, variable = Slow(monkeypatch), tf.Variable([1.0, 2.0])
    keeper = StoreKeeper(bucket / "work", {}, 2)
    keeper.save({"a": variable}, Position(1))
    assert slow.asked.wait(60)
    variable.assign([3.0, 4.0])  # the next step
    assert all(not (path / "manifest.json").is_file() for path in checkpoints(bucket / "work"))
    slow.open.set()
    keeper.close()
    variable.assign([0.0, 0.0])
    assert restore_newest(bucket / "work", {"a": variable}, {}).step == 1
    assert variable.numpy().tolist() == [1.0, 2.0]


def test_only_the_newest_stay(bucket: StorePath, s3: Any) -> None:
    import tensorflow as tf

    keeper = StoreKeeper(bucket / "work", {}, 2)
    for step in (1, 2, 3):
        keeper.row({"step": step, "loss": 1.0})
        keeper.best(step, {"a": tf.Variable([float(step)])}, [step])
        keeper.save({"a": tf.Variable([float(step)])}, Position(step))
    keeper.close()
    assert [path.name for path in checkpoints(bucket / "work")] == ["step-00000002", "step-00000003"]
    assert [path.name for path in (bucket / "work").glob("best-*")] == ["best-00000003.npz"]
    assert (bucket / "work" / "metrics.jsonl").read_bytes().count(b"\n") == 3
    assert not [key for key in keys(s3, bucket) if key.rpartition("/")[2].startswith(".")]


def test_who_was_taken_over_publishes_no_checkpoint(bucket: StorePath) -> None:
    (bucket / "work" / HOLDER_FILE).write_bytes(b"another")
    keeper = StoreKeeper(bucket / "work", {}, 2, "first")
    keeper.save({}, Position(1))
    with pytest.raises(TryAgain, match="another process took over"):
        keeper.close()
    assert checkpoints(bucket / "work") == []


def test_a_store_that_may_not_be_written_is_reported_before_any_work(
    recipe: Recipe, inputs: StorePath, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="there is no bucket 'nowhere'"):
        train(recipe, inputs / "examples", inputs / "tokenizer", StorePath("s3://nowhere/model"), Silent())
