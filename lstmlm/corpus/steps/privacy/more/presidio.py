"""Names and addresses through Microsoft Presidio, an optional package that is not a dependency."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from typing import Protocol

from lstmlm.corpus.steps.privacy.kind import PrivacyKind
from lstmlm.corpus.steps.privacy.spans import PiiSpan
from lstmlm.errors import UserError

_HINT = "pip install presidio-analyzer && python -m spacy download en_core_web_lg, or leave `presidio` out"
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


class Presidio(PrivacyKind):
    """Finds names of persons and places with a Presidio analyzer.

    Args:
        analyzer: Presidio's engine, or anything that answers like it; None: the installed one.
        language: ISO 639-1 code of the model the analyzer uses.
    """

    name = "presidio"
    names = tuple(ENTITIES.values())
    as_written = True
    in_messages = False

    def __init__(self, analyzer: Analyzer | None = None, language: str = "en") -> None:
        self._analyzer = analyzer
        self._language = language

    def check_installed(self) -> None:
        """See `PrivacyKind`."""
        if importlib.util.find_spec("presidio_analyzer") is None:
            raise UserError("Microsoft Presidio is not installed", where="corpus.privacy.kinds", hint=_HINT)

    def setup(self) -> None:
        """See `PrivacyKind`."""
        self._analyzer = self._analyzer or load_analyzer()

    def find(self, text: str) -> Iterator[tuple[int, int]]:
        """See `PrivacyKind`."""
        yield from ((span.start, span.end) for span in self.find_spans(text))

    def find_spans(self, text: str) -> Iterator[PiiSpan]:
        """Yields spans of the kinds `name` and `address`."""
        self.setup()
        assert self._analyzer is not None
        for result in self._analyzer.analyze(text=text, language=self._language, entities=sorted(ENTITIES)):
            if result.entity_type in ENTITIES and result.start < result.end:
                yield PiiSpan(result.start, result.end, ENTITIES[result.entity_type])


def load_analyzer() -> Analyzer:
    """Returns Presidio with its default English model.

    Raises:
        UserError: The package or its model is not installed.
    """
    try:
        from presidio_analyzer import AnalyzerEngine
    except ImportError:
        raise UserError("Microsoft Presidio is not installed", where="corpus.privacy.kinds", hint=_HINT) from None
    try:
        engine: Analyzer = AnalyzerEngine()
    except (OSError, SystemExit) as error:  # spaCy has no model, and no way to fetch one
        what = "Presidio's language model is not installed"
        raise UserError(what, where="corpus.privacy.kinds", hint=_HINT) from error
    return engine


KIND = Presidio()
