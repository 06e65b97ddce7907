"""Answers requests by a published model; where a request has no passage, from the documents of the recipe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from lstmlm.answering.retrieval import Index
from lstmlm.answering.sentences import evidence
from lstmlm.inference.input.documents import Document
from lstmlm.task import BadRecord, Prediction, Predictor


class Library:
    """Documents and their index.

    Args:
        documents: What an answer is looked for in.
        most: Documents that are read for a question.
    """

    def __init__(self, documents: Sequence[Document], most: int) -> None:
        self._documents, self._most = documents, most
        self._index = Index([document.text for document in documents])

    def found(self, question: str) -> list[Document]:
        """Returns the documents to read for a question, the best first."""
        return [self._documents[place] for place in self._index.best(question, self._most)]


class _Asked(NamedTuple):
    """A passage to be read for a request."""

    request: int
    fields: Mapping[str, Any]
    document: str | None


class Answers:
    """See `lstmlm.task.Predictor`.

    Args:
        reader: Answers requests that have a passage; its predictions have `odds`.
        library: The documents for those without; None: every request has a passage.
    """

    def __init__(self, reader: Predictor, library: Library | None) -> None:
        self._reader, self._library = reader, library

    def predict(
        self, requests: Sequence[Mapping[str, Any]], seeds: Sequence[int], meter: Any = None
    ) -> list[Prediction | BadRecord]:
        """See `Predictor`: of several passages the one with the answer of the best odds."""
        asked = [one for place, request in enumerate(requests) for one in self._asked(place, request)]
        answers = self._reader.predict([one.fields for one in asked], [seeds[one.request] for one in asked], meter)
        best: dict[int, tuple[float, Prediction]] = {}
        without: dict[int, BadRecord] = {}
        for one, answer in zip(asked, answers, strict=True):
            if isinstance(answer, BadRecord):
                without[one.request] = answer
                continue
            fields = dict(answer.fields)
            odds = fields.pop("odds")
            if one.request not in best or odds > best[one.request][0]:
                named = fields if one.document is None else {**fields, "document": one.document}
                best[one.request] = odds, Prediction(named, answer.size)
        nothing = BadRecord("no document has a word of the question")
        return [best[place][1] if place in best else without.get(place, nothing) for place in range(len(requests))]

    def failures(self) -> tuple[type[Exception], ...]:
        """See `Predictor`."""
        return self._reader.failures()

    def _asked(self, place: int, request: Mapping[str, Any]) -> list[_Asked]:
        if request["context"] or self._library is None:
            return [_Asked(place, request, None)]
        found = self._library.found(request["question"])
        return [_Asked(place, {**request, "context": one.text}, one.id) for one in found]


def answered(request: Mapping[str, Any], outputs: Mapping[str, Any]) -> Prediction:
    """Returns what the model gives for a request as columns of the output, with the sentence of the answer."""
    sentence = evidence(request["context"], outputs["start"], outputs["end"])
    names = ("answer", "start", "end", "confidence", "odds")
    fields = {"question": request["question"], **{name: outputs[name] for name in names}, "evidence": sentence}
    return Prediction(fields)
