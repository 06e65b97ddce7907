"""Vocabularies with unknown tokens: the text of each token, and words that replace unknown ones."""

import io

import pytest
import sentencepiece

from lstmlm.tokenizer import Tokenizer

LINES = ["the cat sat on the mat", "a dog and a cat", "hello world Bob", "le chat et le chien", "the end."] * 20


@pytest.fixture(scope="module", params=["unigram", "bpe", "word"])
def limited(request, tmp_path_factory):
    """A vocabulary without byte fallback."""
    model, size = io.BytesIO(), 20 if request.param == "word" else 48
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(LINES), model_writer=model, model_type=request.param, vocab_size=size,
        hard_vocab_limit=False, pad_id=0, unk_id=1, bos_id=2, eos_id=3, minloglevel=2,
    )  # fmt: skip
    path = tmp_path_factory.mktemp(request.param) / "tokenizer.model"
    path.write_bytes(model.getvalue())
    return Tokenizer(path)


@pytest.mark.parametrize("text", ["the 漢字 cat", "漢字 the cat", "the cat 漢字", "漢字", "the cat", ""])
def test_a_text_whose_unknown_words_are_put_back_is_the_text(limited, text):
    ids, surfaces = limited.encode(text), limited.surfaces(text)
    assert len(surfaces) == len(ids)
    unknown = [word for token, word in zip(ids, surfaces, strict=True) if token == limited.UNK]
    assert unknown == (["漢字"] if "漢字" in text else [])
    assert limited.decode_unknown([limited.BEGIN, *ids, limited.END], unknown) == text


def test_a_known_word_is_put_in_without_a_space_too_many(limited):
    the = limited.encode("the")
    mark = [] if limited.encode("the 漢 cat")[len(the)] == limited.UNK else limited.encode("漢")[:1]
    words = [word for word in limited.surfaces("  a Bob") if word.startswith("B")]
    text = limited.decode_unknown([*the, *mark, limited.UNK, *limited.encode("cat")], words[:1])
    assert text == f"the {words[0]} cat"


def test_without_a_word_an_unknown_token_looks_as_it_did(limited):
    ids = limited.encode("the 漢字 cat 漢 the")
    count = ids.count(limited.UNK)
    assert limited.decode_unknown(ids, [""] * count) == limited.decode(ids)


def test_a_token_without_text_of_its_own_has_that_of_the_next(tokenizer):
    surfaces = tokenizer.surfaces(" the 漢.")
    assert len(surfaces) == len(tokenizer.encode(" the 漢."))
    assert surfaces[-2:] == ["漢", "."]
    assert set(surfaces[-4:-1]) == {"漢"}  # three bytes
    assert all(surfaces)
