"""Normalisation of texts and of blocks."""

from __future__ import annotations

import re
import unicodedata

import pytest
from ftfy import fix_text
from ftfy.fixes import unescape_html
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lstmlm.corpus.passes.block import Block
from lstmlm.corpus.steps.entities import unescape
from lstmlm.corpus.steps.normalise import Normalise, normalise
from lstmlm.records.columns import Span
from lstmlm.records.record import Record

DAMAGED = st.sampled_from(["é", "œuf", "naïve “x”", "日本", "Привет", "£5", "😀"]).map(
    lambda text: text.encode("utf-8").decode("latin-1")
)
PIECES = st.one_of(
    st.sampled_from([" ", "\n", "\t", "\r\n", "\r", "\xa0", "\u2028", "&amp;", "&", "amp;", "<", "ﬁ", "Ａ", "\x1b[1m"]),
    st.sampled_from(["e\u0301", "\ufeff", "\x00", "\x85", "\ud83d", "\ude00", "Ã", "Â ", "ab", "’", "à", "\u200d"]),
    DAMAGED,
    st.text(max_size=4),
)
TEXTS = st.one_of(st.text(max_size=30), st.lists(PIECES, max_size=20).map("".join))


@settings(deadline=None)
@given(text=TEXTS)
@example(text="&amp;amp;amp;lt;")
@example(text="a&am\x00p;b")
@example(text="\n \n \n x \t ")
def test_what_it_returns_it_leaves_as_it_is(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once


@settings(deadline=None)
@given(text=TEXTS)
def test_white_space_is_regular_and_text_can_be_encoded(text: str) -> None:
    found = normalise(text)
    assert re.search(r"[^\S \n]|  | \n|\n\n\n|^\s|\s$(?!\n)|\s\Z", found) is None
    assert not [c for c in found if c != "\n" and unicodedata.category(c) in ("Cc", "Cs")]
    assert unicodedata.is_normalized("NFC", found)
    assert found.encode("utf-8").decode("utf-8") == found


@settings(deadline=None)
@given(words=st.lists(st.text(alphabet="abcXYZ0189.,;'\"()<>-!?", min_size=1), min_size=1))
def test_clean_text_stays_as_it_is(words: list[str]) -> None:
    for text in (" ".join(words), "\n".join(words), "\n\n".join(words)):
        assert normalise(text) == text


@settings(deadline=None)
@given(text=TEXTS)
@example(text="\nÂ ")
@example(text="a\u0300Â ")
def test_shortcuts_change_no_result(text: str) -> None:
    def slowly(text: str) -> str:
        while "<" not in text_before and (once := unescape_html(text)) != text:
            text = once
        text = unicodedata.normalize("NFC", text)
        text = fix_text(text, uncurl_quotes=False, fix_character_width=False, unescape_html=False)
        text = re.sub("\r\n|[\r\v\f\x1c\x1d\x1e\x85\u2028\u2029]", "\n", text)
        text = "".join(" " if c == "\t" or unicodedata.category(c) == "Zs" else c for c in text)
        text = "".join(c for c in text if c == "\n" or unicodedata.category(c) != "Cc")
        text = re.sub("\n{3,}", "\n\n", re.sub(" +\n", "\n", re.sub(" +", " ", unicodedata.normalize("NFC", text))))
        return text.strip(" \n")

    before = None
    expected = text
    while before != expected:
        before = text_before = expected
        expected = slowly(expected)
    assert normalise(text) == expected


def test_no_character_that_ftfy_fixes_is_passed_over() -> None:
    for code in range(0x10000):
        text = f"a{chr(code)}b"
        if not chr(code).isspace() and unicodedata.category(chr(code)) != "Cc":
            assert normalise(text) == fix_text(text, uncurl_quotes=False, fix_character_width=False), hex(code)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("schÃ¶n, voilÃ  le cafÃ©", "schön, voilà le café"),
        ("donâ€™t", "don’t"),
        ("R&amp;D &lt;3", "R&D <3"),
        ("<p>R&amp;D</p>", "<p>R&amp;D</p>"),
        ("“curly” ’quotes’", "“curly” ’quotes’"),
        ("cafe\u0301", "café"),
        ("a\x00b\x07c\x7f", "abc"),
        ("one\r\ntwo\rthree\u2028four", "one\ntwo\nthree\nfour"),
        ("  a \t b\xa0c  \n\n \n\n d\n", "a b c\n\n d"),
        ("Bonjour\u202f!", "Bonjour !"),
        ("eﬃcient", "efficient"),
        ("&amp;amp;amp;lt;b&amp;#62; &amp;", "<b> &"),
        ("&&#97;mp;amp&semi;", "&"),
        ("&unknown; &#59; &;", "&unknown; &#59; &;"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("half \ud83d of a pair", "half \ufffd of a pair"),
        (" \t\n\x00", ""),
    ],
)
def test_damage_is_fixed(text: str, expected: str) -> None:
    assert normalise(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "你好，世界！这是（测试）：真的吗？",
        "「日本語」の、全角ＡＢＣ１２３と半角ｶﾀｶﾅ。",
        "👩\u200d👩\u200d👧\u200d👦 family ❤️ 🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "می\u200cخواهم بروم",
        "\u200fשלום\u200e עולם שָׁלוֹם",
        "กินข้าวที่บ้าน น้ำ",
        "İstanbul'da ılık ığdır",
        "Straße in Maßen, ẞ",
        "“curly” ‘quotes’ – dash… «guillemets» „tief“",
        "हिन्दी में कुछ क्\u200dष",
        "tiếng Việt có dấu",
        "x² ≠ ½, 5 µm, Ω, №, ™",
        "S.Ã r.l.",
        "가나다 한국어",
        "বাংলা ভাষা, ব্\u200cয",
        "ភាសាខ្មែរ",
        "اَلْعَرَبِيَّة؟ ١٢٣",
        "Ελληνικά; και πολυτονικό: ᾧ",
        "Ünlü Çığ, Şölen",
        "Ｃ＋＋ ～ ￥１００",
        "ÀÉÎÕÜ naïve façade Ångström",
    ],
)
def test_every_script_stays_as_it_is_written(text: str) -> None:
    assert normalise(text) == unicodedata.normalize("NFC", text) == text


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["&", "amp", ";", "#38", "#x26", "lt", "&#97;", "semi", "a", "&amp;", " "]), max_size=30)
)
def test_entities_are_resolved_until_there_are_none(parts: list[str]) -> None:
    text = "".join(parts)
    expected = text
    while (once := unescape_html(expected)) != expected:
        expected = once
    assert unescape(text) == expected


def test_a_text_of_very_many_damaged_lines_is_fixed_in_segments() -> None:
    assert normalise("voilÃ  le cafÃ©\n" * 9000) == ("voilà le café\n" * 9000).strip()


def block(*records: Record) -> Block:
    return Block(file=0, index=0, lines=len(records), records=list(records))


def test_records_are_normalised_counted_and_dropped_where_nothing_is_left() -> None:
    kept = Record("1", "clean", ("propre",))
    changed = Record("2", "one  two", ("un", "deux \n"))
    no_source, no_target = Record("3", " \x00", ("x",)), Record("4", "x", ("y", "\t"))
    before = block(kept, changed, no_source, no_target)
    after = Normalise()(before)
    assert after.records == [kept, Record("2", "one two", ("un", "deux"))]
    assert dict(after.dropped) == {"empty_after_normalising": 2}
    assert [excluded.record for excluded in after.excluded] == [no_source, no_target]
    assert dict(after.tallies["normalise"]) == {"changed": 3}
    assert before.records[1] == changed


def test_clean_blocks_have_no_histogram() -> None:
    assert Normalise()(block(Record("1", "clean"))).tallies == {}
    assert Normalise()(block()).records == []


def test_spans_are_found_again_and_a_lost_one_is_a_reason() -> None:
    kept = Record("1", "so   it  is", columns={"answer": Span(5, 7), "question": "what\tis  it?"})
    lost = Record("2", "a \x07 b", columns={"answer": Span(2, 3)})
    after = Normalise()(block(kept, lost))
    assert after.records == [Record("1", "so it is", columns={"answer": Span(3, 5), "question": "what is it?"})]
    assert after.dropped == {"span_lost_in_normalising": 1}
    assert [gone.record for gone in after.excluded] == [lost]
