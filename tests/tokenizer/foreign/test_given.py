"""Vocabularies that are brought along."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import sentencepiece
import tokenizers
from tokenizers import models

from lstmlm.errors import UserError
from lstmlm.recipe.recipe import Recipe
from lstmlm.tokenizer import Tokenizer, tokenizer_file
from lstmlm.tokenizer.foreign.given import adopt, given_fingerprint


def recipe(model: Path | None) -> Recipe:
    content = {"name": "test", "task": "generate", "corpus": {"train": "a.txt"}, "tokenizer": {"model": model}}
    return Recipe.model_validate(content)


def test_the_fingerprint_is_the_content(tmp_path: Path) -> None:
    (tmp_path / "a.model").write_bytes(b"content")
    assert given_fingerprint(recipe(tmp_path / "a.model")) == hashlib.sha256(b"content").hexdigest()
    assert given_fingerprint(recipe(None)) is None
    with pytest.raises(UserError, match=r"tokenizer\.model: .*b\.model cannot be read"):
        given_fingerprint(recipe(tmp_path / "b.model"))


def test_a_model_with_other_ids_is_renumbered(texts: list[str], tmp_path: Path) -> None:
    theirs = tmp_path / "their.model"
    with theirs.open("wb") as stream:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(texts), model_writer=stream, vocab_size=400, minloglevel=2, model_type="bpe"
        )
    with pytest.raises(UserError, match="have the ids -1, 0, 1 and 2, not 0, 1, 2 and 3"):
        Tokenizer(theirs)
    (tmp_path / "out").mkdir()
    facts = adopt(theirs, tmp_path / "out")
    assert facts == {"vocabulary": 401, "algorithm": "bpe", "renumbered": True}
    assert Tokenizer(tokenizer_file(tmp_path / "out")).size == 401


def test_a_json_is_copied(tmp_path: Path) -> None:
    made = tokenizers.Tokenizer(models.WordLevel({"<unk>": 0, "a": 1, "b": 2}, unk_token="<unk>"))
    made.save(str(tmp_path / "words.json"))
    (tmp_path / "out").mkdir()
    facts = adopt(tmp_path / "words.json", tmp_path / "out")
    assert facts == {"vocabulary": 6, "algorithm": "wordlevel", "renumbered": True}
    assert (tmp_path / "out" / "tokenizer.json").read_bytes() == (tmp_path / "words.json").read_bytes()
    assert Tokenizer(tokenizer_file(tmp_path / "out")).encode("b") == [5]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [("a.model", b"nothing", "not a SentencePiece model"), ("a.json", b"{}", "not a Hugging Face tokenizer")],
)
def test_what_is_no_vocabulary_is_reported(name: str, content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=message):
        adopt(tmp_path / name, tmp_path)
