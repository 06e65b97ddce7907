"""The choices of `--auto` on simulated machines of known speed; one real probe."""

import json

import pytest

from lstmlm.errors import UserError
from lstmlm.progress import Silent
from lstmlm.training import auto
from lstmlm.training.auto import choose
from lstmlm.training.probe import ProbeResult, probe


class Machine:
    """Answers probes by a formula."""

    def __init__(self, coarse_gain=1.5, best_threads=4, batch_gain=1.2, bytes_a_row=10):
        self.coarse_gain, self.best_threads = coarse_gain, best_threads
        self.batch_gain, self.bytes_a_row = batch_gain, bytes_a_row

    def __call__(self, recipe):
        plan = recipe.training
        rate = 100.0 - 10 * abs(plan.threads - self.best_threads)
        rate *= self.coarse_gain if plan.precision == "bfloat16" else 1.0
        doublings = (plan.batch // 8).bit_length() - 1
        return ProbeResult(rate * self.batch_gain**doublings, plan.batch * self.bytes_a_row)


def pick(recipe, machine, memory=10_000, cores=4, coarse=True):
    return choose(recipe, machine, memory=memory, cores=cores, coarse=coarse).fields


def test_it_takes_the_fastest_of_each_within_the_memory(recipe):
    assert pick(recipe, Machine(), memory=400) == {"precision": "bfloat16", "threads": 4, "batch": 32}
    assert pick(recipe, Machine(best_threads=1), memory=100) == {"precision": "bfloat16", "threads": 1, "batch": 8}


def test_a_slow_bfloat16_or_none_is_not_taken(recipe):
    assert pick(recipe, Machine(coarse_gain=0.5), memory=100)["precision"] == "float32"
    assert pick(recipe, Machine(), memory=100, coarse=False)["precision"] == "float32"


def test_a_batch_is_not_doubled_where_that_gains_little(recipe):
    assert pick(recipe, Machine(batch_gain=1.02))["batch"] == 8


def test_workers_share_cores_and_memory(recipe):
    two = recipe.model_copy(update={"training": recipe.training.model_copy(update={"workers": 2})})
    assert pick(two, Machine(), memory=400) == {"precision": "bfloat16", "threads": 2, "batch": 16}


def test_a_batch_that_does_not_fit_is_an_error(recipe):
    with pytest.raises(UserError, match=r"training\.batch: a batch of 8 does not fit"):
        pick(recipe, Machine(), memory=50)


def test_everything_tried_is_reported(recipe):
    def small(recipe):
        return None if recipe.training.batch > 8 else Machine()(recipe)

    choice = choose(recipe, small, memory=10**6, cores=1, coarse=False)
    assert [(row["batch"], row["fits"]) for row in choice.tried] == [(8, True), (16, False)]


def test_a_choice_is_written_down_and_kept(recipe, stages, tmp_path, monkeypatch):
    monkeypatch.setattr(auto, "probe", lambda recipe, examples, tokenizer: Machine()(recipe))
    folders = stages / "examples", stages / "tokenizer", tmp_path / "model"
    first = auto.choose_here(recipe, *folders, Silent(), 1e-7)
    assert json.loads((tmp_path / "model.auto.json").read_text())["chosen"]["batch"] == first.training.batch == 8
    monkeypatch.setattr(auto, "probe", None)
    assert auto.choose_here(recipe, *folders, Silent(), 1e-7) == first


@pytest.mark.slow
def test_a_real_probe_reports_speed_and_memory(recipe, stages):
    found = probe(recipe, stages / "examples", stages / "tokenizer")
    assert found.tokens_per_second > 0
    assert found.peak_bytes > 50_000_000


@pytest.mark.slow
def test_a_probe_with_too_little_data_says_so(recipe, stages):
    large = recipe.model_copy(update={"training": recipe.training.model_copy(update={"batch": 10**6})})
    with pytest.raises(UserError, match="larger than the data"):
        probe(large, stages / "examples", stages / "tokenizer")
