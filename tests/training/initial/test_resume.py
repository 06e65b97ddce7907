"""A finished training is resumed on other data: its last weights, its optimizer, its step."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from lstmlm.errors import UserError
from lstmlm.progress import Silent
from lstmlm.publish.folder import Manifest, publish, read_manifest
from lstmlm.recipe.file import parse_recipe
from lstmlm.records.shards import shard_files
from lstmlm.training.run import train
from lstmlm.training.workers import distributed
from tests.stage_runs import train_here
from tests.tiny import RECIPE

pytestmark = pytest.mark.slow

Run = Callable[..., Manifest]


@pytest.fixture
def run(stages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Trains the tiny recipe at a constant rate on some examples; returns the manifest."""

    monkeypatch.setattr(distributed, "train_on_ray", train_here)

    def go(name: str, examples: Path, *changes: str) -> Manifest:
        places = [f"corpus.root={stages}", f"output={tmp_path / 'runs'}"]
        constant = ["training.schedule=plateau", "training.patience=99", "training.carry_state=false"]
        recipe = parse_recipe(RECIPE, "tiny", [*places, *constant, *changes])
        return train(recipe, examples, stages / "tokenizer", tmp_path / name, Silent())

    return go


@pytest.fixture
def others(stages: Path, tmp_path: Path) -> Path:
    """Examples of the same vocabulary: those of the valid split for both."""
    facts = read_manifest(stages / "examples").facts
    with publish(tmp_path / "others", "examples", "others") as draft:
        for split in ("train", "valid"):
            (draft.path / f"Split-{split}").mkdir()
            for file in shard_files(stages / "examples", "valid"):
                (draft.path / f"Split-{split}" / file.name).write_bytes(file.read_bytes())
        draft.facts = {**facts, "splits": dict.fromkeys(("train", "valid"), facts["splits"]["valid"])}
    return tmp_path / "others"


def steps(folder: Path) -> list[int]:
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [row["step"] for row in rows if "valid_loss" in row]


def test_it_resumes_with_the_optimizer_at_the_step_it_had(run: Run, stages: Path, others: Path, tmp_path: Path) -> None:
    first = run("first", stages / "examples", "training.steps=6")
    initial = f"{{model: {tmp_path / 'first'}, resume: true}}"
    second = run("second", others, "training.steps=12", f"training.initial={initial}")
    assert steps(tmp_path / "second") == [12]
    assert second.facts["initial"] == {"model": first.fingerprint}
    # The same from the weights only: the optimizer begins anew, and its first steps are others.
    weights = run("third", others, "training.steps=6", f"training.initial={tmp_path / 'first'}")
    assert steps(tmp_path / "third") == [6]
    assert weights.files["weights.npz"] != second.files["weights.npz"]


def test_without_the_state_it_is_refused(run: Run, stages: Path, others: Path, tmp_path: Path) -> None:
    run("first", stages / "examples", "training.steps=6")
    run("again", stages / "examples", "training.steps=6", "seed=2")  # its state takes the place of that of the first
    initial = f"{{model: {tmp_path / 'first'}, resume: true}}"
    with pytest.raises(UserError, match=r"^training\.initial\.resume: the state that .* is not in .*trained"):
        run("second", others, "training.steps=12", f"training.initial={initial}")


def test_no_steps_left_and_another_optimizer_are_refused(run: Run, stages: Path, others: Path, tmp_path: Path) -> None:
    run("first", stages / "examples", "training.steps=6", "training.optimizer=sgd")
    initial = f"training.initial={{model: {tmp_path / 'first'}, resume: true}}"
    with pytest.raises(
        UserError, match=r"^training\.steps: the earlier training has 6 steps, and training\.steps is 6"
    ):
        run("second", others, "training.steps=6", initial)
    with pytest.raises(UserError, match=r"training\.initial\.resume: the earlier training has no state adam/"):
        run("third", others, "training.steps=12", initial)


def test_resume_takes_all_or_nothing() -> None:
    with pytest.raises(UserError, match="resume takes the whole state, and parts is given"):
        parse_recipe(RECIPE, "tiny", ["training.initial={model: m, resume: true, parts: [layers]}"])
