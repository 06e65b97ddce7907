"""Text there and back."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmlm.errors import UserError
from lstmlm.tokenizer import Tokenizer, tokenizer_file


@given(text=st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zs", "Zl", "Zp"], exclude_characters="▁")))
def test_any_text_comes_back(tokenizer: Tokenizer, text: str) -> None:
    ids = tokenizer.encode(text)
    assert tokenizer.UNK not in ids
    assert all(4 <= token < tokenizer.size for token in ids)
    assert tokenizer.decode([tokenizer.BEGIN, *ids, tokenizer.END, tokenizer.PAD]) == text


@pytest.mark.parametrize("algorithm", ["unigram", "bpe", "word"])
@given(text=st.text(st.sampled_from("sta temnéy日😀.,"), max_size=30))
def test_every_algorithm_loses_nothing(trained: dict[str, Tokenizer], algorithm: str, text: str) -> None:
    ids = trained[algorithm].encode(text)
    assert Tokenizer.UNK not in ids
    assert trained[algorithm].decode(ids) == " ".join(text.split())


def test_words_are_pieces_and_others_are_spelled_in_bytes(trained: dict[str, Tokenizer]) -> None:
    words = trained["word"]
    the, statement, unknown = words.encode("the"), words.encode("statement"), words.encode("statementy")
    assert len(the) == len(statement) == 1
    assert the < statement  # the more frequent, the lower: what an adaptive softmax goes by
    assert words.encode("the statement") == [*the, *statement]
    assert words.decode([*the, *unknown, *the]) == "the statementy the"
    assert words.decode(unknown) == "statementy"


def test_spaces_collapse(tokenizer: Tokenizer) -> None:
    assert tokenizer.decode(tokenizer.encode("  the  statement ")) == "the statement"


def test_symbol_is_one_piece_and_not_the_unknown_id(tokenizer: Tokenizer) -> None:
    ids = tokenizer.encode("the <unk> of")
    assert sum(tokenizer.decode([token]) == "<unk>" for token in ids) == 1
    assert tokenizer.decode(ids) == "the <unk> of"
    assert tokenizer.decode([tokenizer.UNK]).strip() == "\N{REPLACEMENT CHARACTER}"


def test_batch_is_one_by_one(tokenizer: Tokenizer) -> None:
    texts = ["a statement", "", "été"]
    assert tokenizer.encode_batch(texts) == [tokenizer.encode(text) for text in texts]


@given(texts=st.lists(st.text(st.characters(codec="utf-8"), max_size=20), max_size=5))
def test_closed_rows_are_one_by_one_with_an_end(tokenizer: Tokenizer, texts: list[str]) -> None:
    rows = tokenizer.encode_closed(texts)
    assert rows.to_lists() == [[*tokenizer.encode(text), tokenizer.END] for text in texts]
    assert rows.tokens == len(rows.ids)


def test_what_is_no_model_is_reported(tmp_path: Path) -> None:
    (tmp_path / "bad.model").write_bytes(b"nothing")
    for name in ("bad.model", "missing.model"):
        with pytest.raises(UserError, match="not a SentencePiece model"):
            Tokenizer(tmp_path / name)


def test_the_file_of_a_folder_is_found(tmp_path: Path) -> None:
    assert tokenizer_file(tmp_path) == tmp_path / "tokenizer.model"
    (tmp_path / "tokenizer.json").write_text("{}")
    assert tokenizer_file(tmp_path) == tmp_path / "tokenizer.json"
