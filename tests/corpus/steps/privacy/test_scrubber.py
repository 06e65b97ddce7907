"""Scrubbing texts and records."""

from __future__ import annotations

import collections

from hypothesis import given
from hypothesis import strategies as st

from lstmlm.corpus.steps.privacy.find import Finder
from lstmlm.corpus.steps.privacy.replace import Pseudonyms, placeholder
from lstmlm.corpus.steps.privacy.scrubber import Scrubber
from lstmlm.recipe.sections.corpus import Privacy
from lstmlm.records.record import Record
from tests.corpus.steps.privacy.texts import KINDS, texts

FINDER = Finder(KINDS, Privacy().regions)
SCRUBBERS = (Scrubber(FINDER, placeholder), Scrubber(FINDER, Pseudonyms(b"key")))


def scrub(scrubber: Scrubber, text: str) -> tuple[str, collections.Counter[str]]:
    counts: collections.Counter[str] = collections.Counter()
    return scrubber.text(text, counts), counts


def test_counts_what_it_replaces() -> None:
    text, counts = scrub(SCRUBBERS[0], "ann@example.org or bob@example.org, fax 201-555-0123")
    assert text == "<EMAIL> or <EMAIL>, fax <PHONE>"
    assert counts == {"email": 2, "phone": 1}


@given(texts())
def test_scrubbing_again_changes_nothing(text: str) -> None:
    for scrubber in SCRUBBERS:
        once, _ = scrub(scrubber, text)
        assert scrub(scrubber, once) == (once, {})


@given(texts())
def test_a_text_with_nothing_in_it_stays(text: str) -> None:
    scrubbed, counts = scrub(SCRUBBERS[0], text)
    assert (scrubbed == text) == (not counts)


@given(st.lists(texts(), max_size=20))
def test_records_are_scrubbed_like_their_texts(several: list[str]) -> None:
    records = [Record(str(index), text, (text[::-1], text)) for index, text in enumerate(several)]
    counts: collections.Counter[str] = collections.Counter()
    expected: collections.Counter[str] = collections.Counter()
    scrubber = SCRUBBERS[0]
    assert scrubber.records(records, counts) == [
        Record(
            record.id, scrubber.text(record.source, expected), tuple(scrubber.text(t, expected) for t in record.targets)
        )
        for record in records
    ]
    assert counts == expected
