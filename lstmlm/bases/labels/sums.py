"""What metrics of labels are computed from, record by record."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence, Set
from typing import Any

from lstmlm.bases.labels.columns import labels_of, spans_of
from lstmlm.bases.labels.words import LabelledSpan, word_labels, word_places
from lstmlm.records.record import Record
from lstmlm.records.sums import RecordSums, f1_of, mean_of, ratio_of
from lstmlm.task import Prediction


def label_sums(kind: str, predictions: Sequence[Prediction], records: Sequence[Record]) -> dict[str, RecordSums]:
    """Returns the sums of the accuracy and, of several labels, of the micro-averaged F1; see `measures`."""
    pairs = [(one.fields, record) for one, record in zip(predictions, records, strict=True)]
    if kind == "one":
        return {"accuracy": mean_of([fields["label"] == labels_of(record)[0] for fields, record in pairs])}
    if kind == "many":
        given, truth = [set(one["labels"]) for one, _ in pairs], [set(labels_of(record)) for _, record in pairs]
        right = [one == true for one, true in zip(given, truth, strict=True)]
        return {"accuracy": mean_of(right), "micro_f1": _f1(truth, given)}
    right_words, words = zip(*(_words(fields, record) for fields, record in pairs), strict=True)
    found = [{LabelledSpan(span["start"], span["end"], span["label"]) for span in one["spans"]} for one, _ in pairs]
    true = [set(spans_of(record)) for _, record in pairs]
    return {"accuracy": ratio_of(right_words, words), "span_f1": _f1(true, found)}


def _f1(truth: Sequence[Set[Hashable]], given: Sequence[Set[Hashable]]) -> RecordSums:
    right = [len(true & one) for true, one in zip(truth, given, strict=True)]
    return f1_of(right, list(map(len, truth)), list(map(len, given)))


def _words(fields: Mapping[str, Any], record: Record) -> tuple[int, int]:
    """Returns how many words of a text have the right label, and how many there are."""
    places = word_places(record.source)
    found = [LabelledSpan(span["start"], span["end"], span["label"]) for span in fields["spans"]]
    true, given = word_labels(places, spans_of(record))[0], word_labels(places, found)[0]
    return sum(label == other for label, other in zip(true, given, strict=True)), len(true)
