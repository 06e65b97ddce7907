"""More steps of an earlier training; the trainings run without Ray."""

from __future__ import annotations

import json
import shutil

import pytest

from lstmlm.progress import Silent
from lstmlm.publish.folder import read_manifest
from lstmlm.training.run import train
from lstmlm.training.workers import distributed
from lstmlm.training.workers.all_reduce import SingleWorker
from lstmlm.training.workers.worker import train_worker


@pytest.fixture
def run(recipe, stages, tmp_path, monkeypatch):
    """Trains with changed fields of `training`; returns the manifest."""
    interrupt_at = []

    def report(row):
        if row["step"] in interrupt_at:
            raise KeyboardInterrupt

    def here(recipe, examples, tokenizer, work, ray_address):
        train_worker(recipe, examples, tokenizer, work, SingleWorker(), report)

    monkeypatch.setattr(distributed, "train_on_ray", here)

    def go(name, *, interrupt=None, base=recipe, **training):
        interrupt_at[:] = [interrupt] if interrupt else []
        changed = base.model_copy(update={"training": base.training.model_copy(update=training)})
        return train(changed, stages / "examples", stages / "tokenizer", tmp_path / name, Silent())

    return go


def steps(folder):
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [row["step"] for row in rows if "valid_loss" in row]


CONSTANT = {"schedule": "plateau", "patience": 99}
"""A learning rate that does not depend on the number of steps."""

pytestmark = pytest.mark.slow


def test_more_steps_resume_at_the_end_and_give_what_one_training_gives(run, recipe, tmp_path, caplog):
    run("short", steps=12, **CONSTANT)
    more = run("more", steps=24, **CONSTANT)
    assert steps(tmp_path / "more") == [18, 24]
    assert more.facts["resumed_from"] == 12
    assert "training resumes from step 12 of another recipe (training.steps is 24 now)" in caplog.text
    shutil.rmtree(recipe.run_folder)
    whole = run("whole", steps=24, **CONSTANT)
    assert steps(tmp_path / "whole") == [6, 12, 18, 24]
    assert whole.files["weights.npz"] == more.files["weights.npz"]
    assert whole.facts["best_step"] == more.facts["best_step"]


def test_the_same_number_of_steps_is_the_same_training_again(run, tmp_path):
    one, two = run("one"), run("two")
    assert one.files["weights.npz"] == two.files["weights.npz"]
    assert steps(tmp_path / "two") == [6, 12]


def test_an_interrupted_training_of_more_steps_is_resumed_with_fewer(run, recipe, tmp_path, caplog):
    with pytest.raises(KeyboardInterrupt):
        run("long", steps=6000, interrupt=12, **CONSTANT)
    run("short", steps=18, **CONSTANT)
    assert "training resumes from step 8 of another recipe (training.steps is 18 now)" in caplog.text
    assert steps(tmp_path / "short") == [12, 18]
    unfinished = [path for path in (recipe.run_folder / "checkpoints").iterdir() if path.is_dir()]
    assert len(unfinished) == 1  # it can still be resumed with all its steps


@pytest.mark.parametrize(
    ("change", "why"),
    [({"learning_rate": 0.1}, "training.learning_rate was 0.002 and is 0.1"), ({"steps": 6}, "training.steps is 6")],
)
def test_what_stays_unused_is_reported_with_the_reason(run, recipe, tmp_path, caplog, change, why):
    with pytest.raises(KeyboardInterrupt):
        run("m", interrupt=12)
    run("m", **change)
    assert "are ignored: " in caplog.text
    assert why in caplog.text
    assert steps(tmp_path / "m")[0] == 6


def test_best_weights_of_the_earlier_part_are_published(run, tmp_path):
    """Training that makes the model worse keeps what it had."""
    run("short", steps=12, **CONSTANT)
    short = read_manifest(tmp_path / "short")
    more = run("more", steps=18, learning_rate=0.002, **CONSTANT)
    assert more.facts["best_step"] in (12, 18)
    if more.facts["best_step"] == 12:
        assert more.files["weights.npz"] == short.files["weights.npz"]


def test_a_damaged_state_is_passed_over(run, recipe, tmp_path, caplog):
    run("short", steps=12)
    for arrays in recipe.run_folder.glob("trained/step-*/arrays.npz"):
        arrays.write_bytes(arrays.read_bytes()[:-7])
    run("more", steps=18)
    assert steps(tmp_path / "more") == [6, 12, 18]
    assert "these checkpoints are ignored" in caplog.text
