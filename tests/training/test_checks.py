"""Unusable training inputs are reported in one line, before any worker starts."""

import pytest

from lstmlm.errors import UserError
from lstmlm.progress import Silent
from lstmlm.publish.folder import read_manifest
from lstmlm.recipe.sections.evaluation import Cache
from lstmlm.training.checks import check_inputs
from lstmlm.training.run import train


def change(recipe, **training):
    return recipe.model_copy(update={"training": recipe.training.model_copy(update=training)})


@pytest.fixture
def refused(recipe, stages, tmp_path, monkeypatch):
    """Trains, which must end before Ray is reached."""
    monkeypatch.setattr("lstmlm.training.workers.distributed.train_on_ray", None)

    def run(match, **training):
        with pytest.raises(UserError, match=match) as caught:
            train(change(recipe, **training), stages / "examples", stages / "tokenizer", tmp_path / "model", Silent())
        assert "\n" not in str(caught.value)
        assert not (tmp_path / "model").exists()

    return run


@pytest.mark.parametrize("carry_state", [True, False])
def test_a_batch_larger_than_the_data(refused, carry_state):
    refused(r"training\.batch: the training split has \d+ examples", batch=10**6, carry_state=carry_state)


def test_more_workers_than_rows(refused):
    refused(r"training\.workers: 9 workers share batches of 8 rows", workers=9)


def test_an_unknown_metric(refused):
    refused(r"training\.metric: .*Did you mean `perplexity`", metric="perplexitty")


def test_a_neural_cache_for_a_task_of_pairs(recipe, stages):
    data, vocabulary = (read_manifest(stages / name) for name in ("examples", "tokenizer"))
    evaluation = recipe.evaluation.model_copy(update={"cache": Cache(size=10)})
    check_inputs(recipe.model_copy(update={"evaluation": evaluation}), data, vocabulary)
    with pytest.raises(UserError, match=r"evaluation\.cache: a neural cache .* which task translate does not have"):
        check_inputs(recipe.model_copy(update={"evaluation": evaluation, "task": "translate"}), data, vocabulary)


def test_the_largest_batch_that_the_data_fills_is_taken(recipe, stages):
    data, vocabulary = (read_manifest(stages / name) for name in ("examples", "tokenizer"))
    rows = data.facts["splits"]["train"]["tokens"] // recipe.examples.window
    check_inputs(change(recipe, batch=rows), data, vocabulary)
    with pytest.raises(UserError, match="fewer than one batch"):
        check_inputs(change(recipe, batch=rows + 1), data, vocabulary)


def test_an_empty_valid_split(recipe, stages):
    data, vocabulary = (read_manifest(stages / name) for name in ("examples", "tokenizer"))
    data.facts["splits"]["valid"]["examples"] = 0
    with pytest.raises(UserError, match=r"the valid split is empty.*corpus\.valid_fraction"):
        check_inputs(recipe, data, vocabulary)


def test_more_workers_than_rows_of_the_largest_batch_of_pairs(recipe, stages):
    data, vocabulary = (read_manifest(stages / name) for name in ("examples", "tokenizer"))
    pairs = change(recipe, workers=9, batch_tokens=16 * recipe.examples.buckets[0]).model_copy(
        update={"task": "translate"}
    )
    with pytest.raises(UserError, match=r"9 workers share batches of 8 rows.*training\.batch_tokens"):
        check_inputs(pairs, data, vocabulary)
    check_inputs(
        pairs.model_copy(update={"training": pairs.training.model_copy(update={"workers": 8})}), data, vocabulary
    )
