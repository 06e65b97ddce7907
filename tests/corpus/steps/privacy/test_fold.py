"""Digits and signs of all scripts read as ASCII, and spans given back in the text itself."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmlm.corpus.steps.privacy.find import Finder
from lstmlm.corpus.steps.privacy.fold import fold, needs_fold
from lstmlm.corpus.steps.privacy.spans import PiiSpan

KINDS = ("email", "phone", "card", "iban", "ip", "national_id")
FINDER = Finder(KINDS, ("US", "GB", "FR", "DE", "ES", "IT", "IN", "JP", "SA"))
ZEROS = [
    chr(code)
    for code in range(sys.maxunicode + 1)
    if unicodedata.category(chr(code)) == "Nd" and unicodedata.decimal(chr(code)) == 0 and code > 0x7F
]
ASCII = (
    "call +1 201-555-0123 now",
    "card 4111 1111 1111 1111, thanks",
    "SSN 536-90-4399.",
    "at 203.0.113.77 today",
    "Fax: 9472 7916",
)


def found(text: str) -> list[tuple[str, str]]:
    return [(span.kind, text[span.start : span.end]) for span in FINDER.find(text)]


@pytest.mark.parametrize("zero", ZEROS, ids=lambda zero: unicodedata.name(zero))
def test_digits_of_every_script_are_digits(zero: str) -> None:
    digits = {ord(digit): ord(zero) + int(digit) for digit in "0123456789"}
    for text in ASCII:
        written = text.translate(digits)
        expected = [(kind, value.translate(digits)) for kind, value in found(text)]
        assert found(written) == expected
        assert FINDER.may_find(written)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("tel +1\xa0201\u2011555\u20110123.", "+1\xa0201\u2011555\u20110123"),
        ("(201)\u2009555\u20130123", "(201)\u2009555\u20130123"),
        ("\u202a+1 201-555-0123\u202c", "+1 201-555-0123"),
        ("+1 201\u200b555\u200b0123", "+1 201\u200b555\u200b0123"),
        ("＋４４（０）２０　７９４６　０９５８", "＋４４（０）２０　７９４６　０９５８"),
        ("電話０３（１２３４）５６７８まで", "０３（１２３４）５６７８"),
        ("TEL 03ー1234ー5678", "03ー1234ー5678"),
        ("电话：13812345678，谢谢", "13812345678"),
        ("手机号码13812345678", "13812345678"),
        ("โทร ๐๒-๑๒๓-๔๕๖๗", "๐๒-๑๒๓-๔๕๖๗"),
        ("ফোন: ০১৭১১-১২৩৪৫৬", "০১৭১১-১২৩৪৫৬"),
        ("تلفن ۰۲۱-۱۲۳۴۵۶۷۸", "۰۲۱-۱۲۳۴۵۶۷۸"),
        ("тел. 8 (495) 123-45-67", "8 (495) 123-45-67"),
    ],
)
def test_phones_as_they_are_written_elsewhere(text: str, value: str) -> None:
    assert found(text) == [("phone", value)]
    assert FINDER.may_find(text)


@pytest.mark.parametrize(
    "text",
    [
        "तारीख २०२३-१०-०५ १२:३०",
        "عام ٢٠٢٣-١٠-٠٥",
        "第１２３４５６７号",
        "2023年10月05日",
        "１，２３４，５６７円",
        "人口 １２３４５６",
    ],
)
def test_what_is_no_number_of_a_person_in_ascii_is_none_elsewhere(text: str) -> None:
    assert found(text) == []


def test_spans_skip_what_is_not_seen() -> None:
    folded = fold("a\u200bb\u200cc")
    assert folded.text == "abc"
    assert folded.original(PiiSpan(1, 3, "email")) == PiiSpan(2, 5, "email")
    assert folded.original(PiiSpan(0, 1, "email")) == PiiSpan(0, 1, "email")


@given(st.text())
def test_every_character_of_the_folded_text_has_its_place(text: str) -> None:
    folded = fold(text)
    if folded.places is None:
        assert len(folded.text) == len(text)
    else:
        assert len(folded.text) == len(folded.places)
        assert all(
            plain == text[place] or not plain.isalnum() or unicodedata.normalize("NFKC", text[place]) == plain
            for plain, place in zip(folded.text, folded.places, strict=True)
        )


@given(st.text(), st.sampled_from(["٣", "३", "３", "＠", "\U0001d7d8"]), st.integers(0, 9000))
def test_the_first_look_sees_other_digits_however_long_the_text(text: str, sign: str, length: int) -> None:
    assert needs_fold("é" * length + "中" + text + sign)
    assert not needs_fold("é" * length + "中ー，。😀")
