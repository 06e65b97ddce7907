"""Training that starts from an earlier model: all of it, for the same task; the trainings run without Ray."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstmlm.errors import UserError
from lstmlm.progress import Silent
from lstmlm.publish.folder import Manifest, read_manifest
from lstmlm.recipe.file import parse_recipe
from lstmlm.recipe.recipe import Recipe
from lstmlm.training.run import train
from lstmlm.training.workers import distributed
from lstmlm.training.workers.all_reduce import SingleWorker
from lstmlm.training.workers.worker import train_worker
from tests.stage_runs import train_here
from tests.tiny import RECIPE, untrained

Run = Callable[..., Manifest]


@pytest.fixture
def run(stages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Trains the tiny recipe with changed fields; returns the manifest."""

    monkeypatch.setattr(distributed, "train_on_ray", train_here)

    def go(name: str, *changes: str) -> Manifest:
        places = [f"corpus.root={stages}", f"output={tmp_path / 'runs'}", "training.steps=6"]
        recipe = parse_recipe(RECIPE, "tiny", [*places, *changes])
        return train(recipe, stages / "examples", stages / "tokenizer", tmp_path / name, Silent())

    return go


@pytest.fixture
def first(stages: Path, tmp_path: Path) -> Path:
    """An earlier model; it is untrained, which what starts from it does not mind."""
    recipe = parse_recipe(RECIPE, "tiny", [f"corpus.root={stages}", "seed=9"])
    untrained(recipe, stages / "tokenizer", tmp_path / "first")
    return tmp_path / "first"


def weights(folder: Path) -> dict[str, np.ndarray[Any, Any]]:
    with np.load(folder / "weights.npz") as found:
        return dict(found)


STILL = "training.learning_rate=1e-12"
"""A rate of next to nothing: what comes out is what went in."""

pytestmark = pytest.mark.slow


def test_all_weights_are_those_of_the_earlier_model(run: Run, first: Path, tmp_path: Path) -> None:
    second = run("second", f"training.initial={first}", STILL)
    before, after = weights(first), weights(tmp_path / "second")
    for name in before:
        np.testing.assert_allclose(after[name], before[name], atol=1e-6)
    assert second.facts["initial"] == {"model": read_manifest(first).fingerprint}


def test_the_content_of_the_earlier_model_counts_and_not_its_path(run: Run, first: Path, tmp_path: Path) -> None:
    made = run("second", f"training.initial={first}", STILL)
    shutil.copytree(first, tmp_path / "moved")
    again = run("third", f"training.initial={tmp_path / 'moved'}", STILL)
    assert again.fingerprint == made.fingerprint
    other = run("fourth", f"training.initial={{model: {first}, rates: 0.5}}", STILL)
    assert other.fingerprint != made.fingerprint


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ("model.units=32", "another network than that of .*: model.units was 24 and is 32"),
        ("model.layers=2", "model.layers was 1 and is 2"),
        ("model.residual=true", "model.residual was False and is True"),
    ],
)
def test_another_network_is_refused_with_both_sides(run: Run, first: Path, change: str, match: str) -> None:
    with pytest.raises(UserError, match=f"^training.initial: .*{match}") as caught:
        run("second", f"training.initial={first}", change)
    assert "\n" not in str(caught.value)


def test_dropout_may_differ_from_that_of_the_earlier_model(run: Run, first: Path) -> None:
    assert run("second", f"training.initial={first}", "model.dropout=0.5").facts["steps"] == 6


def test_a_folder_that_is_no_model_is_refused(run: Run, stages: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="expected a `model` folder, found `tokenizer`"):
        run("m", f"training.initial={stages / 'tokenizer'}")
    with pytest.raises(UserError, match="absent"):
        run("m", f"training.initial={tmp_path / 'absent'}")


def test_damaged_weights_are_refused(run: Run, first: Path) -> None:
    content = bytearray((first / "weights.npz").read_bytes())
    content[len(content) // 2] ^= 1
    (first / "weights.npz").write_bytes(content)
    with pytest.raises(UserError, match=r"weights\.npz.*does not match the manifest"):
        run("m", f"training.initial={first}")


def test_frozen_parts_stay_as_they_were_and_the_others_learn(run: Run, first: Path, tmp_path: Path) -> None:
    initial = f"{{model: {first}, parts: [embedding, layers], freeze: [embedding]}}"
    run("second", f"training.initial={initial}")
    before, after = weights(first), weights(tmp_path / "second")
    np.testing.assert_array_equal(after["embedding|table"], before["embedding|table"])
    assert not np.array_equal(after["layer_0|kernel"], before["layer_0|kernel"])
    np.testing.assert_allclose(after["layer_0|kernel"], before["layer_0|kernel"], atol=0.1)
    assert np.abs(after["projection|kernel"] - before["projection|kernel"]).max() > 0.1  # not taken over


def test_a_part_learns_from_its_step_on(run: Run, first: Path, tmp_path: Path) -> None:
    """The output learns from the first step, the layer after 4 steps of 6, the embedding after 8: never."""
    run("second", f"training.initial={{model: {first}, unfreeze_every: 4}}")
    before, after = weights(first), weights(tmp_path / "second")
    moved = {name: not np.array_equal(after[name], before[name]) for name in before}
    assert moved["projection|kernel"]
    assert moved["embedding|bias"]
    assert moved["layer_0|kernel"]
    assert not moved["embedding|table"]


def test_an_interrupted_fine_tuning_resumes_to_the_same_weights(
    run: Run, first: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    initial = f"training.initial={{model: {first}, freeze: [embedding], parts: [embedding, layers], rates: 0.5}}"
    whole = run("whole", initial, "training.checkpoint_every=2")
    shutil.rmtree(tmp_path / "runs")

    def cut(recipe: Recipe, examples: Path, tokenizer: Path, work: Path, address: str | None) -> None:
        def report(row: dict[str, float]) -> None:
            raise KeyboardInterrupt

        train_worker(recipe, examples, tokenizer, work, SingleWorker(), report)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(distributed, "train_on_ray", cut)
        run("cut", initial, "training.checkpoint_every=2", "training.evaluate_every=3")
    resumed = run("cut", initial, "training.checkpoint_every=2", "training.evaluate_every=3")
    assert resumed.files["weights.npz"] == whole.files["weights.npz"]


@pytest.mark.parametrize(
    ("section", "match"),
    [
        ("{model: m, parts: [layers, layers]}", "parts has a duplicate"),
        ("{model: m, parts: [layers], freeze: [embedding]}", "parts does not have embedding, which is to be frozen"),
        ("{model: m, rates: 1.5}", "training.initial.rates: "),
        ("{model: m, parts: [head]}", r"training\.initial\.parts.*embedding"),
        ("{parts: [layers]}", "training.initial.model: required"),
    ],
)
def test_a_section_that_makes_no_sense_is_refused_in_one_line(section: str, match: str) -> None:
    with pytest.raises(UserError, match=match) as caught:
        parse_recipe(RECIPE, "tiny", [f"training.initial={section}"])
    assert "\n" not in str(caught.value)


def test_nothing_that_learns_is_refused(run: Run, first: Path) -> None:
    section = f"{{model: {first}, parts: [embedding, layers, softmax], freeze: [softmax, layers]}}"
    with pytest.raises(UserError, match=r"training\.initial\.freeze: freezes the whole network"):
        run("m", f"training.initial={section}")
