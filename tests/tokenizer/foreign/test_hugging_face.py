"""Hugging Face tokenizers with this project's special ids."""

from __future__ import annotations

from pathlib import Path

import pytest
import tokenizers
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors, trainers

from lstmlm.errors import UserError
from lstmlm.tokenizer import Tokenizer
from tests.given import byte_bpe


def word_piece(texts: list[str]) -> tokenizers.Tokenizer:
    """As BERT's: lower case, [CLS] and [SEP] around a text, padding and cutting switched on in the file."""
    made = tokenizers.Tokenizer(models.WordPiece(unk_token="[UNK]"))
    made.normalizer = normalizers.Lowercase()
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.decoder = decoders.WordPiece()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    made.train_from_iterator(
        texts, trainers.WordPieceTrainer(vocab_size=500, special_tokens=special[::-1], show_progress=False)
    )
    ends = [(name, made.token_to_id(name)) for name in ("[SEP]", "[CLS]")]
    made.post_processor = processors.BertProcessing(*ends)
    made.enable_truncation(5)
    made.enable_padding(length=9, pad_id=made.token_to_id("[PAD]"))
    return made


@pytest.fixture(scope="module")
def files(texts: list[str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("json")
    found = {}
    for name, made in (("bpe", byte_bpe(texts)), ("wordpiece", word_piece(texts))):
        found[name] = folder / name / "tokenizer.json"
        found[name].parent.mkdir()
        made.save(str(found[name]))
    return found


@given(text=st.text(st.characters(codec="utf-8"), max_size=30))
def test_any_text_comes_back_through_bytes(files: dict[str, Path], text: str) -> None:
    tokenizer = Tokenizer(files["bpe"])
    ids = tokenizer.encode(text)
    assert all(4 <= token < tokenizer.size for token in ids)
    assert tokenizer.decode([tokenizer.BEGIN, *ids, tokenizer.END, tokenizer.PAD, tokenizer.PAD]) == text


def test_a_special_token_that_occurs_in_the_text_is_text(files: dict[str, Path]) -> None:
    tokenizer = Tokenizer(files["bpe"])
    ids = tokenizer.encode("a<|endoftext|>b")
    assert tokenizer.END not in ids
    assert tokenizer.decode(ids) == "a<|endoftext|>b"


def test_sizes_count_special_ids_the_file_does_not_have(files: dict[str, Path]) -> None:
    assert Tokenizer(files["bpe"]).size == 500 + 3
    assert Tokenizer(files["wordpiece"]).size == 500


def test_special_tokens_are_found_by_name(files: dict[str, Path], texts: list[str]) -> None:
    tokenizer, theirs = Tokenizer(files["wordpiece"]), tokenizers.Tokenizer.from_file(str(files["wordpiece"]))
    assert tokenizer.encode("\N{SNOWMAN}") == [tokenizer.UNK]
    assert tokenizer.decode([tokenizer.UNK]) == "[UNK]"
    text = texts[0]
    theirs.no_truncation()
    theirs.no_padding()
    names = theirs.encode(text, add_special_tokens=False).tokens
    assert [tokenizer.decode([token]) for token in tokenizer.encode(text)] == names


@pytest.mark.parametrize("name", ["bpe", "wordpiece"])
def test_closed_rows_are_one_by_one_with_an_end(name: str, files: dict[str, Path], texts: list[str]) -> None:
    tokenizer = Tokenizer(files[name])
    some = [*texts[:20], ""]
    expected = [[*tokenizer.encode(text), tokenizer.END] for text in some]
    assert tokenizer.encode_closed(some).to_lists() == expected
    assert tokenizer.encode_batch(some) == [row[:-1] for row in expected]


def test_what_is_no_tokenizer_is_reported(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text('{"model": {}}')
    for name in ("tokenizer.json", "missing.json"):
        with pytest.raises(UserError, match="not a Hugging Face tokenizer"):
            Tokenizer(tmp_path / name)


def test_what_a_token_writes_is_not_known(files: dict[str, Path]) -> None:
    assert not Tokenizer(files["bpe"]).in_graph
    with pytest.raises(UserError, match="Leave out forbidden and forced words"):
        Tokenizer(files["bpe"]).pieces()


@pytest.mark.parametrize("name", ["bpe", "wordpiece"])
def test_a_continuation_begins_with_its_space(name: str, files: dict[str, Path]) -> None:
    tokenizer = Tokenizer(files[name])
    ids, rest = tokenizer.encode("the"), tokenizer.encode(" value") if name == "bpe" else tokenizer.encode("value")
    assert tokenizer.decode_continuation(rest) == " value"
    assert tokenizer.decode(ids) + tokenizer.decode_continuation(rest) == tokenizer.decode([*ids, *rest])
    assert tokenizer.decode_continuation([]) == ""


def test_unknown_tokens_take_words_of_the_source(files: dict[str, Path]) -> None:
    tokenizer = Tokenizer(files["wordpiece"])
    source = "the \N{SNOWMAN} value \N{SNOWMAN}"
    ids = tokenizer.encode(source)
    surfaces = tokenizer.surfaces(source)
    words = [surface for token, surface in zip(ids, surfaces, strict=True) if token == tokenizer.UNK]
    assert words == ["\N{SNOWMAN}"] * 2
    assert tokenizer.decode_unknown(ids, words) == source
    assert tokenizer.decode_unknown(ids, ["", "x"]) == "the [UNK] value x"
    # Which of them is the token is not known here, so nothing is replaced.
    assert tokenizer.decode_unknown(ids, ["x"]) == tokenizer.decode(ids)
