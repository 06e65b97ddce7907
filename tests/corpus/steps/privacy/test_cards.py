"""Card numbers: the issuers' published test numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn

from lstmlm.corpus.steps.privacy.fold import fold
from lstmlm.corpus.steps.privacy.kinds.cards import find_cards


def found(text: str) -> list[str]:
    folded = fold(text)
    spans = map(folded.original, find_cards(folded.text, 0, len(folded.text)))
    return [text[span.start : span.end] for span in spans]


@pytest.mark.parametrize(
    "number",
    [
        "4111111111111111",
        "4222222222222",
        "5555555555554444",
        "2223003122003222",
        "378282246310005",
        "30569309025904",
        "3530111333300000",
        "6011111111111117",
        "6304000000000000",
        "6200000000000005",
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "4111.1111.1111.1111",
        "4111\u20111111\u20111111\u20111111",
        "3782 822463 10005",
        "3056 930902 5904",
    ],
)
def test_published_test_numbers(number: str) -> None:
    assert found(f"Card {number}, please.") == [number]


def test_what_follows_or_precedes_is_not_part_of_it() -> None:
    assert found("4111 1111 1111 1111 123") == ["4111 1111 1111 1111"]
    assert found("4111111111111111 12/29") == ["4111111111111111"]
    assert found("items 1234 4111 1111 1111 1111") == ["4111 1111 1111 1111"]


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111112",  # check digit
        "1111111111111117",  # no issuer
        "411111111111111111111",  # too long
        "41 11 11 11 11 11 11 11",  # not how cards are printed
        "x4111111111111111",
        "0.4111111111111111",
    ],
)
def test_not_cards(text: str) -> None:
    assert found(text) == []


@given(st.integers(10**14, 10**15 - 1))
def test_one_wrong_digit_is_no_card(body: int) -> None:
    number = f"4{str(body)[1:]}"
    check = luhn.calc_check_digit(number)
    assert found(number + check) == [number + check]
    assert found(number + str((int(check) + 1) % 10)) == []
