"""`lstmlm plan` measures the real stages, and what it says of files and bytes is what a run writes."""

from __future__ import annotations

from pathlib import Path

import pytest

import lstmlm
from lstmlm.errors import UserError
from lstmlm.planning.estimate import Load, plan
from lstmlm.planning.outputs import counted
from lstmlm.planning.probe import Steps, measure, rates_key
from lstmlm.planning.rates import read_rates, write_rates
from lstmlm.planning.sample import draw
from lstmlm.progress import Silent
from lstmlm.recipe.recipe import Recipe
from lstmlm.training.workers import distributed
from tests.stage_runs import train_here


def test_a_sample_is_of_all_files_and_half_of_it_is_the_small_one(recipe: Recipe, stages: Path, tmp_path: Path) -> None:
    found = draw(recipe, tmp_path, 20_000)
    lines = (tmp_path / "large.jsonl").read_text("utf-8").splitlines()
    corpus = (stages / "text.jsonl").read_text("utf-8").splitlines()
    assert len(lines) == found.rows
    assert found.bytes == sum(len(line.encode()) + 1 for line in corpus[: found.rows])
    assert 20_000 <= found.bytes < 40_000
    assert (tmp_path / "small.jsonl").read_text("utf-8").splitlines() == lines[::2]
    assert found.corpus_bytes == (stages / "text.jsonl").stat().st_size
    assert (found.corpus_files, found.plain, found.valid_records) == (1, True, 0)


def test_rates_hold_for_other_numbers_of_steps_and_for_no_other_network(recipe: Recipe) -> None:
    longer = recipe.model_copy(update={"training": recipe.training.model_copy(update={"steps": 99})})
    wider = recipe.model_copy(update={"model": recipe.model.model_copy(update={"units": 99})})
    assert rates_key(longer) == rates_key(recipe)
    assert rates_key(wider) != rates_key(recipe)


def test_steps_are_timed_between_reports() -> None:
    steps = Steps()
    steps.seen = [(10.0, 10.0), (12.5, 20.0), (15.0, 30.0)]
    assert steps.step_seconds(9.0) == pytest.approx(0.25)
    steps.seen = steps.seen[:1]
    assert steps.step_seconds(9.0) == 9.0


def test_a_sample_that_is_too_small_is_one_line(recipe: Recipe, tmp_path: Path) -> None:
    sample = draw(recipe, tmp_path, 300)
    with pytest.raises(UserError, match=r"cannot be measured on a sample of \d+ rows: .* Give a larger --sample"):
        measure(recipe, sample, Silent())


@pytest.mark.slow
@pytest.mark.parametrize("which", ["recipe", "pair_recipe"])
def test_planned_files_and_bytes_are_those_of_a_run(
    which: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distributed, "train_on_ray", train_here)
    recipe: Recipe = request.getfixturevalue(which)
    (tmp_path / "sample").mkdir()
    sample = draw(recipe, tmp_path / "sample", 150_000)
    rates = measure(recipe, sample, Silent())
    write_rates(rates, tmp_path)
    assert read_rates(tmp_path, rates_key(recipe)) == rates
    rows = round(sample.corpus_bytes * sample.rows / sample.bytes)
    planned = {one.stage: one for one in plan(recipe, rates, Load(rows, sample.corpus_bytes, 1))}
    trained = lstmlm.train(recipe, folder=tmp_path / "run")
    for stage, folder in trained.folders.items():
        files, size = counted(folder)
        assert planned[stage].files == files, stage
        assert planned[stage].bytes == pytest.approx(size, rel=0.1, abs=2000), stage
        assert planned[stage].seconds > 0
    assert planned["train"].memory > 100_000_000
