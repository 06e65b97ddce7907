"""Predicted labels as columns of the output."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lstmlm.bases.labels.words import OUTSIDE, found_places, tagged_spans
from lstmlm.recipe.sections.labels import LabelOptions
from lstmlm.task import OutputColumn, Prediction

_CUT = OutputColumn("int", always=False)
SCHEMAS: Mapping[str, Mapping[str, OutputColumn]] = {
    "one": {
        "id": OutputColumn("id"),
        "text": OutputColumn("text"),
        "label": OutputColumn("text"),
        "confidence": OutputColumn("float"),
        "probabilities": OutputColumn("object"),
        "cut": _CUT,
    },
    "many": {
        "id": OutputColumn("id"),
        "text": OutputColumn("text"),
        "labels": OutputColumn("list"),
        "probabilities": OutputColumn("object"),
        "cut": _CUT,
    },
    "tokens": {
        "id": OutputColumn("id"),
        "text": OutputColumn("text"),
        "spans": OutputColumn("list"),
        "cut": _CUT,
    },
}
"""The columns of the output of each kind."""

_DIGITS = 6
"""Decimals of a probability: more are noise of the last bits."""


def labelled_prediction(text: str, outputs: Mapping[str, Any], options: LabelOptions) -> Prediction:
    """Returns what the exported model gave for a text as a prediction.

    Args:
        text: The text.
        outputs: See `Classify.outputs`.
        options: The recipe's `task_options`.
    """
    cut = int(outputs["cut"])
    fields: dict[str, Any] = {"text": text}
    if options.kind == "tokens":
        fields["spans"] = list(_spans(text, outputs["words"], outputs["label"], outputs["confidence"]))
    else:
        shares = {
            name: round(share, _DIGITS) for name, share in zip(outputs["names"], outputs["probabilities"], strict=True)
        }
        if options.kind == "one":
            fields |= {"label": outputs["label"], "confidence": round(outputs["confidence"], _DIGITS)}
        else:
            fields["labels"] = [name for name, share in shares.items() if share >= options.threshold]
        fields["probabilities"] = shares
    return Prediction(fields | ({"cut": cut} if cut else {}), 1, cut)


def labelled_predictions(
    texts: Sequence[str], given: Mapping[str, Any], labels: Sequence[str], options: LabelOptions
) -> list[Prediction]:
    """Returns predictions from the probabilities of the graph of ONNX.

    Args:
        texts: The texts.
        given: `probabilities`, float32 [rows, labels] or [rows, words, labels]; `cut`, and `words` of kind `tokens`.
        labels: The labels.
        options: The recipe's `task_options`.
    """
    shares = given["probabilities"]
    best, sure = shares.argmax(axis=-1), shares.max(axis=-1)
    found = []
    for row, text in enumerate(texts):
        outputs: dict[str, Any] = {"cut": given["cut"][row], "confidence": sure[row].tolist()}
        if options.kind == "tokens":
            outputs |= {"words": given["words"][row], "label": [labels[place] for place in best[row]]}
        else:
            outputs |= {"label": labels[best[row]], "names": labels, "probabilities": shares[row].tolist()}
        found.append(labelled_prediction(text, outputs, options))
    return found


def _spans(text: str, words: Sequence[str], labels: Sequence[str], sure: Sequence[float]) -> Iterator[dict[str, Any]]:
    """Yields the spans that the labels of the words make; a span is as sure as its least sure word."""
    words = [word for word in words if word]  # the others fill up
    places = found_places(text, words)
    for span in tagged_spans(places, labels[: len(words)]):
        inside = [n for n, (start, end) in enumerate(places) if span.start <= start and end <= span.end]
        confidence = min(sure[n] for n in inside if labels[n] != OUTSIDE)
        yield {
            "start": span.start,
            "end": span.end,
            "label": span.label,
            "text": text[span.start : span.end],
            "confidence": round(confidence, _DIGITS),
        }
