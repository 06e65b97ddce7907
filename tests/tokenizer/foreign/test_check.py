"""Tokenizers of others: hostile ones cost one line, and no text gives an id that is the product's."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sentencepiece
import tokenizers
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import decoders, models, normalizers, pre_tokenizers, trainers

from lstmlm.errors import UserError
from lstmlm.tokenizer import Tokenizer, tokenizer_file
from lstmlm.tokenizer.foreign.check import check_file
from lstmlm.tokenizer.foreign.given import adopt
from lstmlm.tokenizer.foreign.json_file import _may_explode

SPECIAL = ["<pad>", "<unk>", "<s>", "</s>", "<mask>", "<|endoftext|>"]
WORDS = ["the", "cat", "sat", "on", "a", "mat", "<", ">", "/", "s", "|", "[", "]"]
LETTERS = sorted({*"abcdefghijklmnopqrstuvwxyz<>/|[]SEPCLUNKMA "})


def word_level() -> tokenizers.Tokenizer:
    made = tokenizers.Tokenizer(models.WordLevel(unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    made.train_from_iterator([" ".join(WORDS)], trainers.WordLevelTrainer(special_tokens=SPECIAL, show_progress=False))
    return made


def unigram() -> tokenizers.Tokenizer:
    pieces = [(name, -20.0) for name in SPECIAL] + [(letter, -3.0) for letter in [*LETTERS, *"TH"]]
    return tokenizers.Tokenizer(models.Unigram(pieces, unk_id=1, byte_fallback=False))


def bpe() -> tokenizers.Tokenizer:
    """Its merges spell a special token: text would become one of them."""
    vocabulary = {name: number for number, name in enumerate([*SPECIAL, *LETTERS, "<s", "</", "</s"])}
    merges = [("<", "s"), ("<s", ">"), ("<", "/"), ("</", "s"), ("</s", ">")]
    return tokenizers.Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>"))


def word_piece() -> tokenizers.Tokenizer:
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    names = [*special, *LETTERS, *(f"##{letter}" for letter in LETTERS)]
    made = tokenizers.Tokenizer(models.WordPiece({name: n for n, name in enumerate(names)}, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    made.decoder = decoders.WordPiece()
    return made


def byte_level() -> tokenizers.Tokenizer:
    made = tokenizers.Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=["<|endoftext|>"], initial_alphabet=alphabet, show_progress=False
    )
    made.train_from_iterator(["<|endoftext|> </s> <pad>"] * 50, trainer)  # merges that lead to special tokens
    return made


MAKERS: dict[str, Callable[[], tokenizers.Tokenizer]] = {
    "wordlevel": word_level,
    "unigram": unigram,
    "bpe": bpe,
    "wordpiece": word_piece,
    "bytes": byte_level,
}


@pytest.fixture(scope="module", params=MAKERS)
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    path = tmp_path_factory.mktemp(request.param) / "tokenizer.json"
    MAKERS[request.param]().save(str(path))
    adopt(path, tmp_path_factory.mktemp("out"))
    return Tokenizer(path)


SPELLED = st.lists(
    st.sampled_from([*SPECIAL, "[PAD]", "[SEP]", "[CLS]", "[MASK]", "\ue0000\ue000", "\ue0002\ue000", "cat", " ", "é"]),
    max_size=8,
).map("".join)


@given(text=SPELLED | st.text(st.characters(codec="utf-8"), max_size=20))
def test_no_text_gives_a_special_id(loaded: Tokenizer, text: str) -> None:
    ids = loaded.encode(text)
    assert not {Tokenizer.PAD, Tokenizer.BEGIN, Tokenizer.END} & set(ids)
    assert loaded.encode_closed([text]).to_lists() == [[*ids, Tokenizer.END]]
    # Nor one of the file's other special tokens.
    hidden = loaded._backend._hidden  # type: ignore[attr-defined]
    assert not hidden & set(ids)
    assert all(0 < number < loaded.size for number in ids)


@given(text=SPELLED)
def test_special_tokens_that_are_spelled_come_back_from_bytes(text: str, tmp_path_factory: Any) -> None:
    path = tmp_path_factory.getbasetemp() / "bytes.json"
    if not path.exists():
        byte_level().save(str(path))
    tokenizer = Tokenizer(path)
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_special_tokens_of_a_sentencepiece_model_are_text(texts: list[str], tmp_path: Path) -> None:
    path = tmp_path / "their.model"
    with path.open("wb") as stream:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter([*texts, *["</s> <s> <unk> <pad>"] * 20]), model_writer=stream, vocab_size=400,
            minloglevel=2, control_symbols=["<ctrl>"], byte_fallback=True,
        )  # fmt: skip
    (tmp_path / "out").mkdir()
    adopt(path, tmp_path / "out")
    tokenizer = Tokenizer(tokenizer_file(tmp_path / "out"))
    text = "a </s> <s> <unk> <pad> <ctrl> <|pad|> <|end|> b"
    ids = tokenizer.encode(text)
    assert all(number > 3 for number in ids)
    assert tokenizer.decode(ids) == text


def changed(maker: str, **model: Any) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(MAKERS[maker]().to_str())
    content["model"].update(model)
    return content


def with_step(step: str, value: Any) -> dict[str, Any]:
    return {**changed("bytes"), step: value}


BYTES = json.loads(byte_level().to_str())["pre_tokenizer"]


def split(pattern: str) -> dict[str, Any]:
    step = {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}
    return with_step("pre_tokenizer", {"type": "Sequence", "pretokenizers": [step, BYTES]})


def replace(text: str, by: str) -> dict[str, Any]:
    return {"type": "Replace", "pattern": {"String": text}, "content": by}


HOSTILE = {
    "an id of 2**31": (changed("wordlevel", vocab={"<unk>": 0, "a": 2**31}), "largest id is 2147483648"),
    "an id below zero": (changed("wordlevel", vocab={"<unk>": 0, "a": -1}), "an id is no number from 0 on"),
    "an id that is no number": (changed("wordlevel", vocab={"<unk>": 0, "a": "b"}), "not a Hugging Face tokenizer"),
    "one id twice": (changed("wordlevel", vocab={"<unk>": 0, "a": 1, "b": 1}), "two of its tokens have one id"),
    "no tokens": ({"model": {"type": "WordLevel", "vocab": {}, "unk_token": "a"}}, "it has no tokens"),
    "no model": ({"version": "1.0"}, "not a Hugging Face tokenizer"),
    "a list": ([], "not a Hugging Face tokenizer"),
    "a number": (7, "not a Hugging Face tokenizer"),
    "another type": (changed("wordlevel", type="Magic"), "unknown type"),
    "no unknown word": (changed("wordlevel", vocab={"a": 0, "b": 1}), "no unknown token"),
    "no unknown letter": (changed("bpe", vocab={"a": 0, "b": 1}, merges=[], unk_token=None), "no unknown token"),
    "no unknown piece": (changed("unigram", vocab=[["a", -1.0]], unk_id=None), "no unknown token"),
    "an unknown piece beyond": (changed("unigram", vocab=[["a", -1.0]], unk_id=9), "not a Hugging Face tokenizer"),
    "no unknown part": (changed("wordpiece", vocab={"a": 0}), "no unknown token"),
    "not all bytes": (changed("bytes", vocab={"a": 0}, merges=[]), "no unknown token"),
    "exponential": (split("(a+)+$"), "may take exponential time"),
    "exponential, alternatives": (split("^(?:a|a)*$"), "may take exponential time"),
    "polynomial": (split(r"\s*\s*\s*\s*\s*\s*x"), "cannot be used"),
    "longer and longer": (
        with_step("normalizer", {"type": "Sequence", "normalizers": [replace("a", "aa")] * 40}),
        "replaces text by far longer text",
    ),
    "one long": (with_step("normalizer", replace("a", "b" * 100_000)), "replaces text by far longer text"),
    "a pattern that is none": (split("("), "not a Hugging Face tokenizer"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_tokenizer_costs_one_line(name: str, tmp_path: Path) -> None:
    content, words = HOSTILE[name]
    path = tmp_path / "their.json"
    path.write_text(json.dumps(content))
    (tmp_path / "out").mkdir()
    with pytest.raises(UserError, match=words) as caught:
        adopt(path, tmp_path / "out")
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", ["[" * 100_000, '{"a":' * 100_000, "\ufeff{}", "", "{", "\0" * 1000])
def test_what_is_no_json_costs_one_line(content: str, tmp_path: Path) -> None:
    path = tmp_path / "their.json"
    path.write_text(content)
    with pytest.raises(UserError, match="not a Hugging Face tokenizer"):
        adopt(path, tmp_path)


@pytest.mark.parametrize(
    "pattern",
    [
        r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
        r"(?i:'s|'t|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}]*[\p{Ll}\p{M}]+(?i:'s|'t)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+",
        r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+",
        r"\(\)+|[)(]+x",
    ],
)
def test_patterns_of_well_known_tokenizers_are_taken(pattern: str) -> None:
    assert not _may_explode(pattern)


def test_a_token_called_unknown_is_the_unknown_one(tmp_path: Path) -> None:
    vocabulary = {"<unk>": 0, "a": 1, "b": 2}
    tokenizers.Tokenizer(models.BPE(vocabulary, [])).save(str(tmp_path / "a.json"))  # whose unk_token is None
    tokenizer = Tokenizer(tmp_path / "a.json")
    assert tokenizer.encode("aéb") == [4, Tokenizer.UNK, 5]


def test_a_file_never_cuts_pads_adds_or_draws(tmp_path: Path) -> None:
    made = byte_level()
    made.model.dropout = 0.5
    made.enable_truncation(2)
    made.enable_padding(length=50)
    made.normalizer = normalizers.NFC()
    made.save(str(tmp_path / "a.json"))
    tokenizer = Tokenizer(tmp_path / "a.json")
    assert len({tuple(tokenizer.encode("<|endoftext|> </s> <pad>")) for _ in range(20)}) == 1
    assert tokenizer.decode(tokenizer.encode("a longer text")) == "a longer text"


@pytest.mark.parametrize("name", ["a.json", "a.model"])
def test_a_file_that_is_none_or_too_large_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(UserError, match="is not a file"):
        check_file(tmp_path / name, "tokenizer.model")
    (tmp_path / name).rmdir()
    with (tmp_path / name).open("wb") as stream:
        stream.truncate(10**9)
    with pytest.raises(UserError, match=r"has 1000000000 bytes; a tokenizer may have"):
        check_file(tmp_path / name, "tokenizer.model")


@pytest.mark.parametrize("place", [10, 400, 2000, -50])
def test_a_damaged_sentencepiece_model_costs_one_line_or_loads(place: int, model_file: Path, tmp_path: Path) -> None:
    data = bytearray(model_file.read_bytes())
    data[place : place + 40] = b"\xff" * 40
    path = tmp_path / "bad.model"
    path.write_bytes(data)
    (tmp_path / "out").mkdir()
    with pytest.raises(UserError, match=r"bad\.model"):
        adopt(path, tmp_path / "out")
