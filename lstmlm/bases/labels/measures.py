"""Measures predicted labels against those of records."""

from __future__ import annotations

import collections
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lstmlm.bases.labels.columns import labels_of, spans_of
from lstmlm.bases.labels.words import LabelledSpan, word_labels, word_places
from lstmlm.evaluation.labels.scores import (
    LabelScore,
    calibration_error,
    confusion,
    cross_entropy,
    label_scores,
    macro_f1,
    micro_f1,
    score_of,
)
from lstmlm.recipe.sections.labels import LabelOptions
from lstmlm.records.record import Record
from lstmlm.task import Prediction

Floats = npt.NDArray[np.floating[Any]]
Fields = Sequence[Mapping[str, Any]]

NAMES = {
    "one": ("accuracy", "macro_f1", "cross_entropy", "calibration_error", "majority_accuracy", "unseen_labels"),
    "many": ("accuracy", "micro_f1", "macro_f1", "calibration_error", "majority_accuracy", "unseen_labels"),
    "tokens": ("accuracy", "span_f1", "macro_f1", "calibration_error", "majority_accuracy"),
}
"""The metrics of each kind."""


def measures(kind: str, predictions: Sequence[Prediction], records: Sequence[Record]) -> dict[str, Any]:
    """Returns the metrics of a kind (see `NAMES`), and as tables the scores of each label and the confusion matrix."""
    fields = [prediction.fields for prediction in predictions]
    measured = {"one": _of_one, "many": _of_many, "tokens": _of_words}[kind]
    return measured(fields, records)


def _of_one(fields: Fields, records: Sequence[Record]) -> dict[str, Any]:
    truth = [labels_of(record)[0] for record in records]
    given = [one["label"] for one in fields]
    right = [label == predicted for label, predicted in zip(truth, given, strict=True)]
    shares = [one["probabilities"].get(label) for one, label in zip(fields, truth, strict=True)]
    scores = label_scores([{label} for label in truth], [{label} for label in given])
    return {
        "accuracy": sum(right) / len(right),
        "macro_f1": macro_f1(scores),
        "cross_entropy": cross_entropy([share for share in shares if share is not None]),
        "calibration_error": calibration_error([one["confidence"] for one in fields], right),
        "majority_accuracy": _most(truth),
        "unseen_labels": shares.count(None),
        "labels": _table(scores),
        "confusion": _matrix(truth, given),
    }


def _of_many(fields: Fields, records: Sequence[Record]) -> dict[str, Any]:
    truth: list[set[str]] = [set(labels_of(record)) for record in records]
    given: list[set[str]] = [set(one["labels"]) for one in fields]
    shares = [
        (share, label in labels)
        for one, labels in zip(fields, truth, strict=True)
        for label, share in one["probabilities"].items()
    ]
    scores = label_scores(truth, given)
    return {
        "accuracy": sum(labels == predicted for labels, predicted in zip(truth, given, strict=True)) / len(truth),
        "micro_f1": micro_f1(truth, given),
        "macro_f1": macro_f1(scores),
        "calibration_error": calibration_error(*map(list, zip(*shares, strict=True))) if shares else 0.0,
        "majority_accuracy": _most([tuple(sorted(labels)) for labels in truth]),
        "unseen_labels": sum(
            bool(labels - set(one["probabilities"])) for one, labels in zip(fields, truth, strict=True)
        ),
        "labels": _table(scores),
    }


def _of_words(fields: Fields, records: Sequence[Record]) -> dict[str, Any]:
    true_words: list[str] = []
    given_words: list[str] = []
    confidence: list[tuple[float, bool]] = []
    truth: list[set[LabelledSpan]] = []
    given: list[set[LabelledSpan]] = []
    for one, record in zip(fields, records, strict=True):
        places = word_places(record.source)
        found = [LabelledSpan(span["start"], span["end"], span["label"]) for span in one["spans"]]
        true_words += word_labels(places, spans_of(record))[0]
        given_words += word_labels(places, found)[0]
        truth.append(set(spans_of(record)))
        given.append(set(found))
        confidence += [
            (span["confidence"], placed in truth[-1]) for span, placed in zip(one["spans"], found, strict=True)
        ]
    kinds = {span.label for spans in truth + given for span in spans}
    by_kind = {kind: _of_kind(kind, truth, given) for kind in sorted(kinds)}
    right = sum(label == predicted for label, predicted in zip(true_words, given_words, strict=True))
    return {
        "accuracy": right / max(1, len(true_words)),
        "span_f1": micro_f1(truth, given),
        "macro_f1": macro_f1(by_kind),
        "calibration_error": calibration_error(*map(list, zip(*confidence, strict=True))) if confidence else 0.0,
        "majority_accuracy": _most(true_words),
        "labels": _table(by_kind),
        "confusion": _matrix([_bare(label) for label in true_words], [_bare(label) for label in given_words]),
    }


def _of_kind(kind: str, truth: Sequence[set[LabelledSpan]], given: Sequence[set[LabelledSpan]]) -> LabelScore:
    """Returns the score of the spans of a kind: one is right where text, start, end and label are."""
    true, said = (
        {(n, span) for n, spans in enumerate(side) for span in spans if span.label == kind} for side in (truth, given)
    )
    return score_of(len(true & said), len(true), len(said))


def _bare(label: str) -> str:
    return label[2:] if label[:2] in ("B-", "I-") else label


def _most(values: Sequence[Hashable]) -> float:
    """Returns the share of the most frequent one: the accuracy of always giving it."""
    return max(collections.Counter(values).values()) / len(values) if values else 0.0


def _table(scores: Mapping[Any, LabelScore]) -> dict[str, dict[str, float]]:
    return {str(label): score._asdict() for label, score in scores.items()}


def _matrix(truth: Sequence[str], given: Sequence[str]) -> dict[str, Any]:
    names, counts = confusion(truth, given)
    return {"labels": names, "counts": counts}


def batch_accuracy(options: LabelOptions, probabilities: Floats, batch: Mapping[str, Any]) -> tuple[float, float]:
    """Returns how many texts or words of a batch got the right label (of kind `many`, labels), and of how many."""
    label = batch["label"]
    if options.kind == "tokens":
        inside = np.arange(label.shape[1]) < batch["label_length"][:, None]
        return float((probabilities.argmax(axis=-1) == label)[inside].sum()), float(inside.sum())
    if options.kind == "many":
        true = np.zeros(probabilities.shape, bool)
        rows, places = np.nonzero(np.arange(label.shape[1]) < batch["label_length"][:, None])
        true[rows, label[rows, places]] = True
        right = ((probabilities >= options.threshold) == true).all(axis=1)
    else:
        right = probabilities.argmax(axis=1) == label
    return float((right * batch["is_example"]).sum()), float(batch["is_example"].sum())
