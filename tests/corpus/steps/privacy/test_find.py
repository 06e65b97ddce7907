"""All kinds together."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.pii import BARS, score
from lstmlm.corpus.steps.privacy.find import Finder, find
from lstmlm.errors import UserError
from lstmlm.recipe.sections.corpus import Privacy
from tests.corpus.steps.privacy.texts import KINDS, texts

REGIONS = Privacy().regions
FINDER = Finder(KINDS, REGIONS)


def test_each_kind_once() -> None:
    text = (
        "Ann (ann@example.org, +1 201-555-0123) paid with 4111 1111 1111 1111 from 203.0.113.77 or "
        "GB82 WEST 1234 5698 7654 32; SSN 536-90-4399; https://ann:pw1234@example.org/"
    )
    kinds = [span.kind for span in find(text, KINDS, REGIONS)]
    assert kinds == ["email", "phone", "card", "ip", "iban", "national_id", "url_credentials"]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("call me on 536-90-4399 (201) 555-0123", ["536-90-4399", "(201) 555-0123"]),
        ("call me on 4111 1111 1111 1111 (201) 555-0123", ["4111 1111 1111 1111", "(201) 555-0123"]),
        ("Tel. 203.0.113.77 201-555-0123 536-90-4399", ["203.0.113.77", "201-555-0123", "536-90-4399"]),
    ],
)
def test_a_phone_number_next_to_another_number_is_found_whole(text: str, numbers: list[str]) -> None:
    assert [text[span.start : span.end] for span in FINDER.find(text)] == numbers


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_kinds_asked_for(kind: str) -> None:
    text = "ann@example.org 201-555-0123 4111111111111111 203.0.113.77 GB82WEST12345698765432 536-90-4399 x://a:bcd@e"
    assert {span.kind for span in find(text, [kind], REGIONS)} == {kind}


def test_nothing_in_ordinary_prose() -> None:
    text = "In 1914-1918, about 1,234,567 people @ home paid $ 3.50 (version 1.2.3.4, section 12:30:45)."
    assert find(text, KINDS, REGIONS) == []


def test_unknown_region() -> None:
    with pytest.raises(UserError, match="'UK' is not a country"):
        Finder(["phone"], ["UK"])


@given(texts())
def test_spans_are_in_order_apart_and_inside(text: str) -> None:
    spans = FINDER.find(text)
    assert all(0 <= span.start < span.end <= len(text) for span in spans)
    assert all(left.end <= right.start for left, right in itertools.pairwise(spans))
    assert spans == FINDER.find(text)


@given(st.lists(texts(), min_size=1, max_size=4))
def test_what_may_find_rules_out_holds_nothing(several: list[str]) -> None:
    if any(FINDER.find(text) for text in several):
        assert FINDER.may_find("\n".join(several))


def test_labelled_corpus(corpora: Path) -> None:
    for kind, count in score(corpora / "pii_synthetic" / "train.jsonl").items():
        assert count.recall >= BARS["recall"], (kind, count.missed)
        assert count.precision >= BARS["precision"], (kind, count.wrong)
