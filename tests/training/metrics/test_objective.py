"""The metric that evaluations are compared by."""

import pytest

from lstmlm.errors import UserError
from lstmlm.training.metrics.log import best_first
from lstmlm.training.metrics.objective import choose_objective


def by(recipe, metric, task="translate"):
    training = recipe.training.model_copy(update={"metric": metric})
    return recipe.model_copy(update={"task": task, "training": training})


@pytest.mark.parametrize(
    ("task", "metric", "better", "decoded"),
    [
        ("generate", "loss", "lower", False),
        ("translate", "perplexity", "lower", False),
        ("translate", "bleu", "higher", True),
        ("summarize", "rouge_l", "higher", True),
    ],
)
def test_a_metric_knows_its_direction(recipe, task, metric, better, decoded):
    found = choose_objective(by(recipe, metric, task))
    assert (found.better, found.decoded) == (better, decoded)


@pytest.mark.parametrize(
    ("task", "metric", "hint"),
    [
        ("translate", "blue", "Did you mean `bleu`?"),
        ("summarize", "rouge_L", "Did you mean `rouge_l`?"),
        ("generate", "bleu", "There are: loss, perplexity"),
    ],
)
def test_an_unknown_metric_names_the_nearest(recipe, task, metric, hint):
    with pytest.raises(UserError) as caught:
        choose_objective(by(recipe, metric, task))
    assert str(caught.value) == f"training.metric: task `{task}` has no training metric '{metric}'. {hint}"


def test_the_best_comes_first_and_of_equal_ones_the_earlier(recipe):
    rows = [{"step": 5, "loss": 1.0}]
    rows += [
        {"step": step, "valid_loss": -bleu, "valid_bleu": bleu} for step, bleu in ((10, 3.0), (20, 7.0), (30, 7.0))
    ]
    assert [row["step"] for row in best_first(rows, choose_objective(by(recipe, "bleu")))] == [20, 30, 10]
    assert [row["step"] for row in best_first(rows, choose_objective(by(recipe, "loss")))] == [20, 30, 10]
