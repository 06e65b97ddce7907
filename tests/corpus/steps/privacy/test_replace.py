"""Placeholders and pseudonyms."""

from __future__ import annotations

import pickle
import re

import pytest

from lstmlm.corpus.steps.privacy.replace import Pseudonyms, key_fingerprint, placeholder, replace, replacement_of
from lstmlm.corpus.steps.privacy.spans import PiiSpan
from lstmlm.errors import UserError
from lstmlm.recipe.sections.corpus import Privacy


def test_replaces_spans_and_nothing_else() -> None:
    spans = [PiiSpan(0, 1, "email"), PiiSpan(3, 5, "url_credentials")]
    assert replace("abcdefg", spans, placeholder) == "<EMAIL>bc<URL_CREDENTIALS>fg"
    assert replace("abcdefg", [], placeholder) == "abcdefg"


def test_shapes_of_pseudonyms() -> None:
    pseudonyms = Pseudonyms(b"key")
    assert re.fullmatch(r"user-[0-9a-f]{8}@example\.invalid", pseudonyms("email", "ann@example.org"))
    assert re.fullmatch(r"<PHONE-[0-9a-f]{8}>", pseudonyms("phone", "201-555-0123"))


def test_one_value_has_one_pseudonym_however_it_is_written() -> None:
    pseudonyms = Pseudonyms(b"key")
    assert pseudonyms("email", "Ann@Example.org") == pseudonyms("email", "ann@example.org")
    assert pseudonyms("phone", "(201) 555-0123") == pseudonyms("phone", "201.555.0123")
    assert pseudonyms("iban", "gb82 WEST 1234") == pseudonyms("iban", "GB82WEST1234")
    assert pseudonyms("phone", "2015550123") != pseudonyms("phone", "2015550124")


def test_pseudonyms_depend_on_key_and_kind() -> None:
    first, second = Pseudonyms(b"key"), Pseudonyms(b"other")
    assert first("phone", "2015550123") != second("phone", "2015550123")
    assert first("phone", "2015550123")[-9:] != first("card", "2015550123")[-9:]


def test_the_key_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORPUS_KEY", "a secret of some length")
    replacement = replacement_of(Privacy(action="pseudonym", key="CORPUS_KEY"))
    assert replacement("phone", "1") == Pseudonyms(b"a secret of some length")("phone", "1")


@pytest.mark.parametrize("key", [None, "CORPUS_KEY_MISSING", "CORPUS_KEY_EMPTY"])
def test_no_key(monkeypatch: pytest.MonkeyPatch, key: str | None) -> None:
    monkeypatch.delenv("CORPUS_KEY_MISSING", raising=False)
    monkeypatch.setenv("CORPUS_KEY_EMPTY", "  ")
    with pytest.raises(UserError, match=r"corpus\.privacy\.key") as error:
        replacement_of(Privacy(action="pseudonym", key=key))
    assert "\n" not in str(error.value)


def test_the_key_cannot_be_shown_or_sent() -> None:
    pseudonyms = Pseudonyms(b"a secret")
    assert "secret" not in repr(pseudonyms)
    with pytest.raises(TypeError, match="does not leave"):
        pickle.dumps(pseudonyms)


def test_another_key_has_another_fingerprint(monkeypatch: pytest.MonkeyPatch) -> None:
    privacy = Privacy(action="pseudonym", key="CORPUS_KEY")
    monkeypatch.setenv("CORPUS_KEY", "one secret")
    first = key_fingerprint(privacy)
    assert first == key_fingerprint(privacy)
    assert "secret" not in first
    monkeypatch.setenv("CORPUS_KEY", "another secret")
    assert first != key_fingerprint(privacy)
    assert key_fingerprint(Privacy()) == ""
