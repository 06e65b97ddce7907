"""How text becomes lines SentencePiece can be trained on."""

from __future__ import annotations

import pytest
import sentencepiece
from hypothesis import given
from hypothesis import strategies as st

from lstmlm.errors import UserError
from lstmlm.recipe import Tokenizer
from lstmlm.tokenizer.train import train_model, training_lines


@given(text=st.text(st.sampled_from("aé日 \n"), max_size=50), times=st.integers(1, 200))
def test_training_lines_lose_nothing(text: str, times: int) -> None:
    lines = list(training_lines(text * times))
    assert "".join(lines).replace(" ", "") == "".join((text * times).split())
    assert all(len(line.encode()) <= 4192 for line in lines)


def test_a_vocabulary_of_words_has_the_words_there_are() -> None:
    settings = Tokenizer(algorithm="word", vocabulary=1000)
    model = train_model(iter(["a few words", "a few more words"]), settings)
    words = 4
    assert sentencepiece.SentencePieceProcessor(model_proto=model).get_piece_size() == words + 4 + 256


def test_a_vocabulary_of_pieces_larger_than_the_text_gives_is_refused() -> None:
    with pytest.raises(UserError, match=r"tokenizer\.vocabulary: 1000 pieces are more than the text gives\. Set it to"):
        train_model(iter(["a few words", "a few more words"]), Tokenizer(algorithm="bpe", vocabulary=1000))
