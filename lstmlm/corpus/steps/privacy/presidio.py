"""Names and addresses through Microsoft Presidio, an optional package that is not a dependency."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from lstmlm.corpus.steps.privacy.spans import Span
from lstmlm.errors import UserError

ENTITIES = {"PERSON": "name", "LOCATION": "address"}


class Result(Protocol):
    """What Presidio says of one place in a text; see `presidio_analyzer.RecognizerResult`."""

    entity_type: str
    start: int
    end: int


class Analyzer(Protocol):
    """What is asked of Presidio; `presidio_analyzer.AnalyzerEngine` is one."""

    def analyze(self, text: str, language: str, entities: list[str]) -> Sequence[Result]:
        """Returns where the entities are in the text."""


class Presidio:
    """Finds names of persons and places with a Presidio analyzer.

    Args:
        analyzer: Presidio's engine, or anything that answers like it.
        language: ISO 639-1 code of the model the analyzer uses.
    """

    def __init__(self, analyzer: Analyzer, language: str = "en") -> None:
        self._analyzer = analyzer
        self._language = language

    def find(self, text: str) -> Iterator[Span]:
        """Yields spans of the kinds `name` and `address`."""
        for result in self._analyzer.analyze(text=text, language=self._language, entities=sorted(ENTITIES)):
            if result.entity_type in ENTITIES and result.start < result.end:
                yield Span(result.start, result.end, ENTITIES[result.entity_type])


def load_presidio() -> Presidio:
    """Returns Presidio with its default English model.

    Raises:
        UserError: The package or its model is not installed.
    """
    hint = "pip install presidio-analyzer && python -m spacy download en_core_web_lg, or leave `presidio` out"
    try:
        from presidio_analyzer import AnalyzerEngine
    except ImportError:
        raise UserError("Microsoft Presidio is not installed", where="corpus.privacy.kinds", hint=hint) from None
    try:
        return Presidio(AnalyzerEngine())
    except (OSError, SystemExit) as error:  # spaCy has no model, and no way to fetch one
        raise UserError(
            "Presidio's language model is not installed", where="corpus.privacy.kinds", hint=hint
        ) from error
