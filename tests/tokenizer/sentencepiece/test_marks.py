"""Text that holds SentencePiece's own marks comes back as it was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmlm.recipe.sections.tokenizer import TokenizerSection
from lstmlm.tokenizer import Tokenizer
from lstmlm.tokenizer.sentencepiece.marks import ESCAPE, RESERVED, SPACE_MARK, escaped, places, unescaped
from lstmlm.vocabulary.train import train_model, training_lines

MARKED = st.text(st.sampled_from(f"ab01é {SPACE_MARK}{ESCAPE}{RESERVED}\ufeff\0"), max_size=20)


@given(text=MARKED)
def test_what_is_escaped_comes_back_and_has_no_mark(text: str) -> None:
    written = escaped(text)
    assert SPACE_MARK not in written
    assert unescaped(written) == text
    assert len(places(text)) == len(written) + 1


@pytest.mark.parametrize("algorithm", ["unigram", "bpe", "word"])
@given(text=MARKED)
def test_marks_in_a_text_come_back(trained: dict[str, Tokenizer], algorithm: str, text: str) -> None:
    tokenizer, text = trained[algorithm], " ".join(text.split(" ")).strip(" ")
    text = " ".join(part for part in text.split(" ") if part)
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    assert tokenizer.encode_closed([text]).to_lists() == [[*ids, Tokenizer.END]]
    assert len(tokenizer.surfaces(text)) == len(ids)


@pytest.mark.parametrize("text", ["the statement", f"the{SPACE_MARK}statement", f"{ESCAPE} the", SPACE_MARK])
def test_surfaces_are_of_the_text(tokenizer: Tokenizer, text: str) -> None:
    surfaces = tokenizer.surfaces(text)
    assert all(surface in text for surface in surfaces)
    assert all(surfaces)


@pytest.mark.parametrize("algorithm", ["unigram", "bpe", "word"])
@pytest.mark.parametrize("mark", [SPACE_MARK, RESERVED, ESCAPE])
def test_marks_in_the_corpus_change_nothing_for_other_text(algorithm: str, mark: str, tmp_path) -> None:
    settings = TokenizerSection.model_validate({"vocabulary": 276, "algorithm": algorithm})
    lines = [f"{mark} the cat sat on the mat and ran {mark}home", "another cat"] * 20
    path = tmp_path / "tokenizer.model"
    path.write_bytes(train_model((line for text in lines for line in training_lines(text)), settings))
    tokenizer = Tokenizer(path)
    for text in ("the zebra ran home", f"a {mark} bar{mark}", "cat"):
        assert tokenizer.decode(tokenizer.encode(text)) == text
