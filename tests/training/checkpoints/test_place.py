"""The checkpoint folder and its lock; the trainings run without Ray."""

import os
import signal
import subprocess
import sys

import pytest

from lstmlm.errors import UserError
from lstmlm.progress import Silent
from lstmlm.publish.places import site_of
from lstmlm.training.checkpoints.checkpoint import Position, checkpoints, save_checkpoint
from lstmlm.training.checkpoints.place import held_checkpoints, pointed
from lstmlm.training.run import train
from lstmlm.training.workers import distributed
from lstmlm.training.workers.all_reduce import SingleWorker
from lstmlm.training.workers.worker import train_worker
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

STAMP = "0123456789abcdef" * 4


@pytest.fixture
def without_ray(monkeypatch):
    """Trains in this process; returns what is called after each evaluation."""
    reports = []

    def here(recipe, examples, tokenizer, work, ray_address):
        train_worker(recipe, examples, tokenizer, work, SingleWorker(), lambda row: [report(row) for report in reports])

    monkeypatch.setattr(distributed, "train_on_ray", here)
    return reports


def elsewhere(recipe, folder):
    return recipe.model_copy(update={"output": folder})


def test_one_process_at_a_time_uses_the_checkpoints_of_a_recipe(recipe, tmp_path):
    a, b = site_of(tmp_path / "a"), site_of(tmp_path / "b")
    with (
        held_checkpoints(recipe, a, STAMP) as work,
        pytest.raises(UserError, match="another process is at work here"),
        held_checkpoints(recipe, b, STAMP),
    ):
        raise AssertionError("two trainings in one folder")
    assert work == recipe.run_folder / "checkpoints" / STAMP[:16]


def test_a_training_without_a_checkpoint_leaves_nothing(recipe, tmp_path):
    with pytest.raises(ZeroDivisionError), held_checkpoints(recipe, site_of(tmp_path / "a"), STAMP):
        raise ZeroDivisionError
    assert list(recipe.run_folder.glob("checkpoints/*")) == []
    assert not (tmp_path / ".a.checkpoints").exists()


@pytest.fixture
def interrupted(recipe, tmp_path):
    """A training that stopped behind a checkpoint, started in another folder."""
    with pytest.raises(KeyboardInterrupt), held_checkpoints(recipe, site_of(tmp_path / "a"), STAMP) as work:
        save_checkpoint(work, {}, Position(4), {}, 2)
        raise KeyboardInterrupt
    return work


def test_the_same_output_leads_to_the_checkpoints_from_any_folder(recipe, tmp_path, interrupted):
    with held_checkpoints(elsewhere(recipe, tmp_path / "other"), site_of(tmp_path / "a"), STAMP) as work:
        assert work == interrupted


@pytest.mark.parametrize("damage", ["", "{}", "[1]", '{"folder": 1, "fingerprint": 2}', "gone"])
def test_a_pointer_that_leads_nowhere_is_ignored(recipe, tmp_path, interrupted, damage):
    pointer = tmp_path / ".a.checkpoints"
    pointer.unlink() if damage == "gone" else pointer.write_text(damage)
    with held_checkpoints(elsewhere(recipe, tmp_path / "other"), site_of(tmp_path / "a"), STAMP) as work:
        assert work == tmp_path / "other" / "tiny" / "checkpoints" / STAMP[:16]


def test_checkpoints_of_another_recipe_are_left_unchanged(recipe, tmp_path, interrupted):
    site, other = site_of(tmp_path / "a"), "f" * 64
    assert pointed(site) == interrupted
    with held_checkpoints(elsewhere(recipe, tmp_path / "other"), site, other) as work:
        assert work.name == other[:16]
    assert checkpoints(interrupted)


def test_where_the_run_folder_cannot_be_written_they_go_with_the_output(recipe, tmp_path, monkeypatch):
    plain = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: plain(path, mode) and path != tmp_path / "runs")
    (tmp_path / "runs").mkdir()
    with held_checkpoints(recipe, site_of(tmp_path / "a"), STAMP) as work:
        assert work == tmp_path / ".a.work"


def test_a_training_resumes_from_another_folder_and_leaves_only_its_result(recipe, stages, tmp_path, without_ray):
    examples, tokenizer = stages / "examples", stages / "tokenizer"
    whole = train(elsewhere(recipe, tmp_path / "w"), examples, tokenizer, tmp_path / "whole", Silent())

    def interrupt(row):
        if row["step"] == 6:
            raise KeyboardInterrupt

    without_ray.append(interrupt)
    with pytest.raises(KeyboardInterrupt):
        train(elsewhere(recipe, tmp_path / "one"), examples, tokenizer, tmp_path / "out" / "m", Silent())
    steps = []
    without_ray[:] = [lambda row: steps.append(row["step"])]
    found = train(elsewhere(recipe, tmp_path / "two"), examples, tokenizer, tmp_path / "out" / "m", Silent())
    assert steps == [6, 12]
    assert list((tmp_path / "one" / "tiny" / "checkpoints").iterdir()) == []
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["m"]
    assert found.files["weights.npz"] == whole.files["weights.npz"]


TRAIN = """
import sys, time
from pathlib import Path
from lstmlm.progress import Silent
from lstmlm.recipe.recipe import Recipe
from lstmlm.training.workers import distributed
from lstmlm.training.run import train
stages, output, mark = map(Path, sys.argv[1:4])
def wait(*arguments):
    mark.touch()
    time.sleep(600)
distributed.train_on_ray = wait
train(Recipe.model_validate_json(sys.argv[4]), stages / "examples", stages / "tokenizer", output, Silent())
"""


def test_a_second_training_is_refused_while_the_first_lives_and_not_afterwards(
    recipe, stages, tmp_path, root, without_ray
):
    arguments = [str(path) for path in (stages, tmp_path / "a", tmp_path / "mark", recipe.model_dump_json())]
    with subprocess.Popen([sys.executable, "-c", TRAIN, *arguments], cwd=root) as first:
        wait_until((tmp_path / "mark").exists, "the first training")
        with pytest.raises(UserError, match=rf"another process is at work here \(process {first.pid}"):
            train(recipe, stages / "examples", stages / "tokenizer", tmp_path / "b", Silent())
        first.send_signal(signal.SIGKILL)
        first.wait()
    train(recipe, stages / "examples", stages / "tokenizer", tmp_path / "b", Silent())
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".b")]
