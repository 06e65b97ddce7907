"""Tokens have places in their text, and windows hold them all."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from lstmlm.answering.lexicon import Lexicon
from lstmlm.answering.passages import tokens_of, windows
from lstmlm.models.reader.shapes import Shape
from lstmlm.recipe.sections.tokenizer import TokenizerSection
from lstmlm.records.columns import Span
from lstmlm.tokenizer import Tokenizer
from lstmlm.vocabulary.train import train_model
from tests.answering.conftest import TEXT


def cut(text: str, tokenizer: Tokenizer) -> list[str]:
    tokens = tokens_of(text, tokenizer)
    return [text[start:end] for start, end in zip(tokens.starts, tokens.ends, strict=True)]


TEXTS = st.text(st.sampled_from("TheNorman 3,0.'\u2581\ue281\u00a0\n\t\u3000é東\U0001f600"), max_size=30)


@settings(max_examples=200, deadline=None)
@given(text=TEXTS)
def test_tokens_cover_all_that_is_no_space(tokenizer: Tokenizer, text: str) -> None:
    parts = cut(text, tokenizer)
    assert "".join(parts) == "".join(text.split())
    assert all(part == part.strip() for part in parts)


@settings(max_examples=200, deadline=None)
@given(text=TEXTS, places=st.tuples(st.integers(0, 30), st.integers(0, 30)))
def test_a_span_is_covered_by_the_fewest_tokens(tokenizer: Tokenizer, text: str, places: tuple[int, int]) -> None:
    start, end = min(places), min(max(places), len(text))
    tokens = tokens_of(text, tokenizer)
    touched = [
        n for n in range(len(tokens.ids)) if tokens.starts[n] < min(end, tokens.ends[n]) and tokens.ends[n] > start
    ]
    found = tokens.covering(Span(start, end)) if start < end else None
    assert found == ((touched[0], touched[-1]) if touched else None)


def test_tokens_without_text_are_marked(tokenizer: Tokenizer) -> None:
    tokens = tokens_of("Rome \U0001f600", tokenizer)
    nothing = tokens.shapes(Lexicon(tokenizer)) & Shape.NOTHING > 0
    assert list(nothing) == [end <= start for start, end in zip(tokens.starts, tokens.ends, strict=True)]
    assert nothing.any()


def test_forms_join_what_differs_in_case_only(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.model").write_bytes(train_model(iter([TEXT]), TokenizerSection(algorithm="word")))
    tokenizer = Tokenizer(tmp_path / "tokenizer.model")
    lexicon = Lexicon(tokenizer)
    ids = {text: tokens_of(text, tokenizer).ids[0] for text in ("The", "the", "king", "kings'", "3,000", "Why?")}
    assert lexicon.forms[ids["The"]] == lexicon.forms[ids["the"]] != lexicon.forms[ids["king"]]
    assert lexicon.stems[ids["king"]] == lexicon.stems[ids["kings'"]]
    assert lexicon.forms[ids["king"]] != lexicon.forms[ids["kings'"]]
    shapes = {text: Shape(int(lexicon.shapes[number])) for text, number in ids.items()}
    assert shapes["The"] == Shape.WORD_START | Shape.CAPITAL
    assert shapes["the"] == Shape.WORD_START
    assert shapes["3,000"] == Shape.WORD_START | Shape.DIGIT
    assert shapes["Why?"] == Shape.WORD_START | Shape.CAPITAL | Shape.SENTENCE_END


@given(st.integers(0, 300), st.integers(1, 60), st.data())
def test_windows_overlap_and_hold_every_token(tokens: int, longest: int, data: st.DataObject) -> None:
    stride = data.draw(st.integers(1, longest))
    found = list(windows(tokens, longest, stride))
    assert found[0][0] == 0
    assert found[-1][1] == tokens
    assert all(behind - first <= longest for first, behind in found)
    assert [first for first, _ in found] == [n * stride for n in range(len(found))]
    assert len(found) == 1 + max(0, -(-(tokens - longest) // stride))
