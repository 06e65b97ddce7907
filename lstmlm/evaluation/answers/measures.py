"""All metrics of answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lstmlm.evaluation.answers.scores import calibration_error, exact, f1, mean_of_best
from lstmlm.evaluation.answers.sliding_window import sliding_window


def measure_answers(
    predictions: Sequence[Mapping[str, Any]], requests: Sequence[Mapping[str, Any]], answers: Sequence[Sequence[str]]
) -> dict[str, float]:
    """Measures answers; see `lstmlm.tasks.answer.Answer.measure`.

    Args:
        predictions: Each with `answer`, `start`, `end` and `confidence`.
        requests: What they answer: each with `question` and `context`.
        answers: The accepted answers of each.
    """
    outputs = [one["answer"] for one in predictions]
    windows = [sliding_window(one["question"], one["context"]) for one in requests]
    in_place = [
        asked["context"][one["start"] : one["end"]] == one["answer"]
        for asked, one in zip(requests, predictions, strict=True)
    ]
    right = [mean_of_best(exact, [output], [some]) / 100 for output, some in zip(outputs, answers, strict=True)]
    return {
        "exact": mean_of_best(exact, outputs, answers),
        "f1": mean_of_best(f1, outputs, answers),
        "window_exact": mean_of_best(exact, windows, answers),
        "window_f1": mean_of_best(f1, windows, answers),
        "offsets_exact": 100.0 * sum(in_place) / max(1, len(in_place)),
        "calibration_error": calibration_error([one["confidence"] for one in predictions], right),
    }
