"""Bounds on metrics."""

import math

import pytest

from lstmlm.errors import UserError
from lstmlm.evaluation.thresholds import check_bounds, failures
from lstmlm.recipe.sections.evaluation import Threshold

METRICS = {"perplexity": 80.0, "bleu": 31, "signature": "nrefs:1", "broken": math.nan, "endless": math.inf}


@pytest.mark.parametrize(
    ("name", "bounds", "words"),
    [
        ("perplexity", Threshold(max=70), "perplexity is 80, above the maximum of 70"),
        ("bleu", Threshold(min=31.5), "bleu is 31, below the minimum of 31.5"),
        ("blue", Threshold(min=1), "blue was not measured; did you mean bleu?"),
        ("accuracy?", Threshold(min=1), "there are: bleu, broken"),
        ("signature", Threshold(min=1), "not a number"),
        ("broken", Threshold(max=1), "not a finite number"),
        ("endless", Threshold(min=1), "not a finite number"),
    ],
)
def test_failures_say_what_is_wrong(name: str, bounds: Threshold, words: str) -> None:
    (sentence,) = failures(METRICS, {name: bounds})
    assert words in sentence


def test_bounds_are_inclusive() -> None:
    assert failures(METRICS, {"perplexity": Threshold(min=80, max=80), "bleu": Threshold(min=3)}) == []


@pytest.mark.parametrize("bounds", [Threshold(), Threshold(min=2, max=1), Threshold.model_construct(max=math.nan)])
def test_bounds_that_make_no_sense_are_refused_early(bounds: Threshold) -> None:
    with pytest.raises(UserError, match=r"evaluation\.thresholds\.bleu"):
        check_bounds({"bleu": bounds})
