"""The hook for Presidio, with something that answers like it."""

from __future__ import annotations

import dataclasses
import sys

import pytest

from lstmlm.corpus.steps.privacy.find import Finder
from lstmlm.corpus.steps.privacy.more.presidio import Presidio, load_analyzer
from lstmlm.corpus.steps.privacy.spans import PiiSpan
from lstmlm.errors import UserError


@dataclasses.dataclass
class Result:
    entity_type: str
    start: int
    end: int


class Analyzer:
    """Knows Ann and London."""

    def analyze(self, text: str, language: str, entities: list[str]) -> list[Result]:
        assert (language, entities) == ("en", ["LOCATION", "PERSON"])
        known = {"Ann": "PERSON", "London": "LOCATION", "May": "DATE_TIME"}
        return [
            Result(entity, text.index(word), text.index(word) + len(word))
            for word, entity in known.items()
            if word in text
        ]


def test_names_and_places_in_addition_to_the_rest() -> None:
    finder = Finder(["email", "presidio"], [], {"presidio": Presidio(Analyzer())})
    assert finder.find("Ann (ann@example.org) of London in May") == [
        PiiSpan(0, 3, "name"),
        PiiSpan(5, 20, "email"),
        PiiSpan(25, 31, "address"),
    ]
    assert finder.may_find("any text")


def test_a_find_without_characters_is_none() -> None:
    class Empty:
        def analyze(self, text: str, language: str, entities: list[str]) -> list[Result]:
            return [Result("PERSON", 1, 1)]

    assert Finder(["presidio"], [], {"presidio": Presidio(Empty())}).find("Ann") == []


def test_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "presidio_analyzer", None)
    with pytest.raises(UserError, match=r"not installed.*pip install presidio-analyzer"):
        load_analyzer()
    with pytest.raises(UserError, match="not installed"):
        Finder(["presidio"], [])
