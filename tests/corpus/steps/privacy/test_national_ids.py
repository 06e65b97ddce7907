"""Identity numbers: specimens of the authorities and of python-stdnum's documentation."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from stdnum.us import itin, ssn

from lstmlm.corpus.steps.privacy.fold import fold
from lstmlm.corpus.steps.privacy.kinds.national_ids import IDS, find_national_ids


def found(text: str, *regions: str) -> list[str]:
    folded = fold(text)
    spans = map(folded.original, find_national_ids(folded.text, 0, len(folded.text), regions))
    return [text[span.start : span.end] for span in spans]


@pytest.mark.parametrize(
    ("region", "number"),
    [
        ("BE", "85.07.30-033.28"),
        ("BR", "390.533.447-05"),
        ("CH", "756.9217.0769.85"),
        ("CN", "360426199101010071"),
        ("DE", "36 574 261 809"),
        ("DE", "36574261809"),
        ("DK", "211062-5629"),
        ("ES", "54362315K"),
        ("ES", "54362315-K"),
        ("ES", "X-2482300-W"),
        ("FI", "131052-308T"),
        ("FR", "2 95 10 99 126 111 93"),
        ("FR", "295109912611193"),
        ("GB", "AB123456C"),
        ("GB", "AB 12 34 56 C"),
        ("IE", "6433435F"),
        ("IN", "2341 2341 2346"),
        ("IT", "RCCMNL83S18D969H"),
        ("KR", "971013-9019902"),
        ("MX", "BOXW310820HNERXN09"),
        ("NO", "151086 95088"),
        ("PL", "44051401359"),
        ("RO", "1630615123457"),
        ("SE", "880320-0016"),
        ("TR", "17291716060"),
        ("US", "536-90-4399"),
        ("US", "912-90-3456"),
        ("US", "536\u201390\u20134399"),
        ("ZA", "7503305044089"),
    ],
)
def test_numbers_that_need_no_context(region: str, number: str) -> None:
    assert found(f"It is {number}, she said.", region) == [number]
    assert found(f"It is 1{number}, she said.", region) == []
    assert found(f"It is {number}, she said.", "LU") == []


@pytest.mark.parametrize(
    ("region", "words", "number"),
    [
        ("AT", "SVNR", "1237 010180"),
        ("AU", "TFN", "123 456 782"),
        ("CA", "social insurance number", "123-456-782"),
        ("GB", "NHS number", "943 476 5870"),
        ("NL", "BSN", "111222333"),
        ("PT", "NIF", "501964843"),
        ("US", "my SSN is", "536904399"),
        ("US", "social security", "536 90 4399"),
    ],
)
def test_bare_numbers_need_a_word(region: str, words: str, number: str) -> None:
    assert found(f"{words} {number}", region) == [number]
    assert found(f"There were {number} of them", region) == []


@pytest.mark.parametrize(
    ("region", "number"),
    [
        ("US", "666-12-3456"),
        ("US", "078-05-1120"),
        ("ES", "54362315A"),
        ("GB", "GB123456C"),
        ("IT", "RCCMNL83S18D969A"),
    ],
)
def test_failed_checks(region: str, number: str) -> None:
    assert found(f"It is {number}.", region) == []


def test_every_region_is_one_of_the_phone_regions() -> None:
    assert set(IDS) <= set(phonenumbers.SUPPORTED_REGIONS)


@given(st.from_regex(r"[0-9]{3}-[0-9]{2}-[0-9]{4}", fullmatch=True))
@example("000-12-3456")
@example("666-12-3456")
@example("536-00-4399")
@example("536-90-0000")
@example("219-09-9999")
def test_numbers_of_the_united_states_are_those_of_stdnum(number: str) -> None:
    assert bool(found(number, "US")) == (ssn.is_valid(number) or itin.is_valid(number))
