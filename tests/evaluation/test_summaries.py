"""ROUGE and the lead baseline."""

import pytest

from lstmlm.evaluation.summaries import lead_outputs, rouge_metrics, summary_metrics


def test_best_reference_counts_for_each_metric() -> None:
    metrics = rouge_metrics(["storms hit the coast"], [["nothing alike", "a storm hits the coast"]])
    # Stemmed, 4 of 4 words are in the 5 of the reference: precision 1, recall 0.8.
    assert metrics["rouge_1"] == pytest.approx(100 * 2 * 0.8 / 1.8)
    assert metrics["rouge_l"] == pytest.approx(metrics["rouge_1"])
    assert metrics["rouge_2"] == pytest.approx(100 * 2 * 0.75 / 1.75)


def test_mean_over_records() -> None:
    assert rouge_metrics(["a b", "c d"], [["a b"], ["x y"]])["rouge_1"] == pytest.approx(50)


def test_lead_takes_the_mean_length_of_references() -> None:
    assert lead_outputs(["a b c d e", "f"], [["1 2 3", "1 2 3 4"], ["1 2"]]) == ["a b c", "f"]


def test_summary_metrics_hold_both() -> None:
    metrics = summary_metrics(["x"], [["first words"]], ["first words of a text"])
    assert metrics["rouge_1"] == 0
    assert metrics["lead_rouge_1"] == pytest.approx(100)
    assert set(metrics) == {f"{prefix}rouge_{kind}" for prefix in ("", "lead_") for kind in "12l"}
