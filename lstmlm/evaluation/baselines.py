"""Warns where a model is no better than a trivial baseline, independently of the recipe's thresholds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lstmlm.evaluation.metric import METRICS, baseline_words, baselines_of, values_of
from lstmlm.training.metrics.objective import SCORED

if TYPE_CHECKING:
    from lstmlm.task import Task

MOST_EMPTY = 0.5
"""Share of empty outputs from which on it is reported."""

_WORDS = {
    "unigram_perplexity": "a model that only counts tokens",
    "trigram_perplexity": "a trigram model",
    "window_exact": "a sliding window that learns nothing",
    "window_f1": "a sliding window that learns nothing",
}


def shortfalls(metrics: Mapping[str, Any], task: Task, added: Sequence[str] = ()) -> list[str]:
    """Returns a sentence for everything that speaks against a model: none means that it has learnt something.

    Args:
        metrics: Metric name -> number or text, as the task measured them.
        task: Gives the baselines and which value of a metric is better.
        added: Names of metrics that a recipe adds.
    """
    return [*_unmeasurable(metrics), *_below(metrics, task, added), *_empty(metrics)]


def _unmeasurable(metrics: Mapping[str, Any]) -> Iterator[str]:
    for name, value in metrics.items():
        if isinstance(value, float) and not math.isfinite(value):
            yield f"{name} is {value}, not a finite number: the model is of no use"


def _below(metrics: Mapping[str, Any], task: Task, added: Sequence[str]) -> Iterator[str]:
    better = {**SCORED, **values_of(added), **task.output_metrics}
    words = _WORDS | baseline_words([*METRICS.builtin(), *added])
    for name, baselines in {**baselines_of(added), **task.baselines}.items():
        for baseline in baselines:
            own, other = metrics.get(name), metrics.get(baseline)
            if not isinstance(own, int | float) or not isinstance(other, int | float) or not math.isfinite(own):
                continue
            if own > other if better[name] == "lower" else own < other:
                yield (
                    f"the model is worse than {words.get(baseline, baseline)}: {name} is {own:.4g}, "
                    f"{baseline} {other:.4g}; train longer, or with more text"
                )
                break  # the first is the weakest


def _empty(metrics: Mapping[str, Any]) -> Iterator[str]:
    share = metrics.get("empty_outputs")
    if isinstance(share, float) and share >= MOST_EMPTY:
        yield f"{share:.0%} of the outputs are empty; train longer, or set decoding.min_tokens to 1 or more"
