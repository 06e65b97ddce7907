"""Text becomes lines that SentencePiece can be trained on."""

from __future__ import annotations

import pytest
import sentencepiece
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from lstmlm.errors import UserError
from lstmlm.recipe.sections.tokenizer import TokenizerSection
from lstmlm.tokenizer import Tokenizer as Vocabulary
from lstmlm.vocabulary.train import train_model, training_lines


@given(text=st.text(st.sampled_from("aé日 \n"), max_size=50), times=st.integers(1, 200))
def test_training_lines_lose_nothing(text: str, times: int) -> None:
    lines = list(training_lines(text * times))
    assert "".join(lines).replace(" ", "") == "".join((text * times).split())
    assert all(len(line.encode()) <= 4192 for line in lines)


def test_a_vocabulary_of_words_has_the_words_there_are() -> None:
    settings = TokenizerSection(algorithm="word", vocabulary=1000)
    model = train_model(iter(["a few words", "a few more words"]), settings)
    words = 4
    assert sentencepiece.SentencePieceProcessor(model_proto=model).get_piece_size() == words + 4 + 256


def test_a_vocabulary_of_pieces_larger_than_the_text_gives_is_refused() -> None:
    with pytest.raises(
        UserError, match=r"tokenizer\.vocabulary: 1000 pieces are more than the text yields\. Set it to"
    ):
        train_model(iter(["a few words", "a few more words"]), TokenizerSection(algorithm="bpe", vocabulary=1000))


WORDS = st.text(st.sampled_from("abé日▅▁ "), min_size=1, max_size=12)


@pytest.mark.parametrize("algorithm", ["unigram", "bpe"])
@pytest.mark.parametrize("asked", [8000, 261])
@given(texts=st.lists(WORDS, min_size=1, max_size=6))
def test_what_is_advised_works(algorithm: str, asked: int, texts: list[str]) -> None:
    settings = TokenizerSection.model_validate({"algorithm": algorithm, "vocabulary": asked})
    lines = [line for text in texts for line in training_lines(text)]
    error: UserError | None = None
    try:
        train_model(iter(lines), settings)
    except UserError as raised:
        error = raised
    if not lines:
        assert error is not None
        assert error.where == "corpus.train"
    elif error is not None:
        assert error.where == "tokenizer.vocabulary"
        advised = int(error.hint.split()[3])
        again = TokenizerSection.model_validate({"algorithm": algorithm, "vocabulary": advised})
        found = sentencepiece.SentencePieceProcessor(model_proto=train_model(iter(lines), again))
        assert found.get_piece_size() == advised


def test_a_text_of_reserved_characters_is_no_text() -> None:
    with pytest.raises(UserError, match=r"corpus\.train: the train split has no text"):
        train_model(training_lines("▅ ▅▅"), TokenizerSection(vocabulary=300))


@pytest.mark.parametrize(
    "symbols",
    [[""], [" "], ["a b"], ["<sep>", "<sep>"], ["<|pad|>"], ["<|end|>"], ["<0x41>"], ["▁"], ["a▅"], ["\ue281"], ["\0"]],
)
def test_a_symbol_that_can_be_no_piece_is_refused_by_the_recipe(symbols: list[str]) -> None:
    with pytest.raises(ValidationError) as caught:
        TokenizerSection.model_validate({"symbols": symbols})
    assert [fault["loc"] for fault in caught.value.errors()] == [("symbols",)]


@pytest.mark.parametrize(
    "symbol", ["<s>", "</s>", "<unk>", ",", '"', "a,b", "é", "x" * 300, "\U0001f600", "#", "<sep>"]
)
def test_any_other_symbol_is_one_piece(symbol: str) -> None:
    settings = TokenizerSection.model_validate({"symbols": [symbol], "vocabulary": 280, "algorithm": "bpe"})
    model = train_model(iter(["the cat sat on the mat, and the dog too"] * 20), settings)
    found = sentencepiece.SentencePieceProcessor(model_proto=model)
    assert symbol in found.encode(f"the {symbol} cat", out_type=str)


def test_characters_are_a_vocabulary_of_their_own_size(tmp_path):
    texts = ["abc cab", "bca  é", "漢字"]
    settings = TokenizerSection(vocabulary=300, algorithm="character")
    path = tmp_path / "tokenizer.model"
    path.write_bytes(train_model((line for text in texts for line in training_lines(text)), settings))
    words = Vocabulary(path)
    assert words.size == 4 + len(set("abcé漢字 "))
    for text in texts:
        assert words.decode(words.encode(text)) == " ".join(text.split())
    assert len(words.encode("abc")) <= 4  # the mark of a word's beginning comes first
    assert Vocabulary.UNK in words.encode("z")
