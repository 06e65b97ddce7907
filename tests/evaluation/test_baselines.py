from __future__ import annotations

import pytest

from lstmlm.evaluation.baselines import shortfalls
from lstmlm.evaluation.pairs import empty_share
from lstmlm.task import load_task


@pytest.mark.parametrize(
    ("task", "metrics", "words"),
    [
        ("generate", {"perplexity": 900.0, "unigram_perplexity": 500.0, "trigram_perplexity": 100.0}, "counts tokens"),
        ("generate", {"perplexity": 300.0, "unigram_perplexity": 500.0, "trigram_perplexity": 100.0}, "trigram model"),
        ("generate", {"perplexity": float("nan"), "unigram_perplexity": 5.0}, "not a finite number"),
        ("translate", {"bleu": 0.5, "copy_bleu": 1.5, "chrf": 20.0, "copy_chrf": 19.0}, "the source left as it is"),
        ("summarize", {"rouge_1": 0.0, "lead_rouge_1": 52.8}, "worse than the first words of the source: rouge_1 is 0"),
        ("summarize", {"rouge_1": 60.0, "lead_rouge_1": 52.8, "empty_outputs": 0.75}, "75% of the outputs are empty"),
    ],
)
def test_a_model_that_has_not_learnt_is_reported_whatever_the_thresholds(task, metrics, words):
    (sentence,) = shortfalls(metrics, load_task(task))
    assert words in sentence


@pytest.mark.parametrize(
    ("task", "metrics"),
    [
        ("generate", {"perplexity": 90.0, "unigram_perplexity": 500.0, "trigram_perplexity": 90.0, "tokens": 9}),
        ("translate", {"bleu": 30.0, "copy_bleu": 1.5, "bleu_signature": "x", "empty_outputs": 0.1}),
        ("summarize", {"rouge_1": 60.0, "lead_rouge_1": 52.8, "empty_outputs": 0.0}),
    ],
)
def test_a_model_above_its_baselines_is_not(task, metrics):
    assert shortfalls(metrics, load_task(task)) == []


def test_blank_outputs_count_as_empty() -> None:
    assert empty_share(["a", "", " \n", "b"]) == 0.5
