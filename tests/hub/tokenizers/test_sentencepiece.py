"""A SentencePiece vocabulary as tokenizer.json: the same ids and the same text back."""

from __future__ import annotations

import functools
import itertools
import os
from pathlib import Path
from pydoc_data.topics import topics

import pytest
import tokenizers
from hypothesis import given
from hypothesis import strategies as st

from lstmlm.hub.tokenizers.sentencepiece import as_json
from lstmlm.recipe.sections.tokenizer import TokenizerSection
from lstmlm.tokenizer import Tokenizer
from lstmlm.vocabulary.train import train_model, training_lines

CORPORA = Path(os.environ.get("LSTMLM_CORPORA", Path(__file__).parents[4] / "shared" / "corpora"))
TEXTS = [line for name in sorted(topics)[:12] for line in topics[name].splitlines() if line.strip()]
ALGORITHMS = ("unigram", "bpe", "word", "character")
HARD = (
    "",
    "   ",
    " a  b\t c\n",
    "<unk>",
    "a <unk><unk> b",
    "x<unk>",
    "<|pad|> <|unknown|> <|end|>",
    "<0x41> <0x0A>",
    "▁ \ue281 ▅ \ue2810 \ue2811",
    "漢字 é ☃ \N{GRINNING FACE}",
    "=" * 99,
    "\0 \x85 \u2028 \u3000",
)


@functools.cache
def both(algorithm: str, folder: Path) -> tuple[Tokenizer, tokenizers.Tokenizer]:
    """A vocabulary, and what it is written as, read again from its file as `transformers` does."""
    symbols = ("<unk>",) if algorithm != "word" else ()
    settings = TokenizerSection.model_validate({"vocabulary": 600, "algorithm": algorithm, "symbols": symbols})
    path = folder / f"{algorithm}.model"
    path.write_bytes(train_model((line for text in TEXTS for line in training_lines(text)), settings))
    return Tokenizer(path), converted(path)


def converted(path: Path) -> tokenizers.Tokenizer:
    from lstmlm.tokenizer.sentencepiece.processor import SentencePiece

    model = SentencePiece(path)
    made = as_json(model.model_bytes, keeps_marks=model.keeps_marks, whole_words=model.whole_words)
    return tokenizers.Tokenizer.from_str(made.to_str())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


def alike(ours: Tokenizer, theirs: tokenizers.Tokenizer, text: str) -> None:
    ids = ours.encode(text)
    assert theirs.encode(text, add_special_tokens=False).ids == ids
    assert theirs.decode(ids, skip_special_tokens=False) == ours.decode(ids)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_lines_and_hard_texts_have_the_same_ids(algorithm: str, folder: Path) -> None:
    ours, theirs = both(algorithm, folder)
    assert theirs.get_vocab_size() == ours.size
    for text in (*TEXTS, *HARD):
        alike(ours, theirs, text)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@given(text=st.text(st.one_of(st.sampled_from("ab <>|0x▁\ue281=é\n"), st.characters(codec="utf-8")), max_size=20))
def test_any_text_has_the_same_ids(algorithm: str, folder: Path, text: str) -> None:
    ours, theirs = both(algorithm, folder)
    if algorithm != "character":  # which has no bytes, so that what is unknown is lost
        alike(ours, theirs, text)
    else:
        assert theirs.encode(text, add_special_tokens=False).ids == ours.encode(text)


def corpus_lines(name: str) -> list[str]:
    path = CORPORA / name
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    lines = path.read_text(encoding="utf-8").split("\n")
    return [part for line in lines for part in line.split("\t") if part.strip()]


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", ["unigram", "bpe", "word"])
@pytest.mark.parametrize(
    ("name", "vocabulary"),
    [("wikitext2/train.txt", 6000), ("tatoeba_en_fr/train.tsv", 4000), ("zh_wikipedia_lm/train.txt", 8000)],
)
def test_ten_thousand_real_lines_have_the_same_ids(name: str, vocabulary: int, algorithm: str, tmp_path: Path) -> None:
    lines = corpus_lines(name)
    path = tmp_path / "tokenizer.model"
    settings = TokenizerSection.model_validate({"vocabulary": vocabulary, "algorithm": algorithm})
    sample = itertools.islice(lines, 0, None, max(1, len(lines) // 15_000))
    path.write_bytes(train_model((line for text in sample for line in training_lines(text)), settings))
    ours, theirs = Tokenizer(path), converted(path)
    some = lines[-10_000:]
    found = theirs.encode_batch(some, add_special_tokens=False)
    assert [row.ids for row in found] == ours.encode_batch(some)
