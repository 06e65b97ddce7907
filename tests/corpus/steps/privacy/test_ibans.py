"""IBANs: examples of the registry."""

from __future__ import annotations

import pytest

from lstmlm.corpus.steps.privacy.kinds.ibans import find_ibans


def found(text: str) -> list[str]:
    return [text[span.start : span.end] for span in find_ibans(text)]


@pytest.mark.parametrize(
    "number",
    [
        "GB82WEST12345698765432",
        "GB82 WEST 1234 5698 7654 32",
        "gb82west12345698765432",
        "DE89 3704 0044 0532 0130 00",
        "FR14 2004 1010 0505 0001 3M02 606",
        "ES91 2100 0418 4502 0005 1332",
        "NO93 8601 1117 947",
        "MT84 MALT 0110 0001 2345 MTLC AST0 01S",
    ],
)
def test_found_among_words(number: str) -> None:
    assert found(f"To {number} please pay it") == [number]
    assert found(f"IBAN:{number}.") == [number]


def test_two_in_a_row() -> None:
    assert found("DE89370400440532013000 GB82WEST12345698765432") == [
        "DE89370400440532013000",
        "GB82WEST12345698765432",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "GB83WEST12345698765432",  # check digits
        "DE8937040044053201300",  # one short
        "XX89370400440532013000",
        "ABDE89370400440532013000",
        "In 2019 we were at the same place in 1999",
    ],
)
def test_not_ibans(text: str) -> None:
    assert found(text) == []
