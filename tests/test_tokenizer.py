"""The vocabulary: training, and text there and back."""

from __future__ import annotations

from pathlib import Path
from pydoc_data.topics import topics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmlm.corpus.ingest import ingest
from lstmlm.errors import UserError
from lstmlm.progress import Silent
from lstmlm.recipe import Recipe
from lstmlm.records import Record
from lstmlm.tokenizer import Tokenizer, sample_records, train_tokenizer, training_lines


def recipe(root: Path, **tokenizer: object) -> Recipe:
    settings = {"vocabulary": 600, "symbols": ["<unk>"], **tokenizer}
    corpus = {"root": root, "train": "a.txt", "valid_fraction": 0.1}
    return Recipe.model_validate({"name": "test", "task": "generate", "corpus": corpus, "tokenizer": settings})


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("records")
    text = "\n".join(topics[name] for name in sorted(topics)[:12])
    (folder / "a.txt").write_text(text + "\n" + "long " * 3000 + "\n")
    ingest(recipe(folder), folder / "records", Silent())
    return folder / "records"


@pytest.fixture(scope="module")
def tokenizer(records: Path, tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    folder = tmp_path_factory.mktemp("tokenizer")
    manifest = train_tokenizer(recipe(folder), records, folder / "out", Silent())
    assert manifest.facts["vocabulary"] == 600
    assert manifest.facts["sampled"] > 100
    return Tokenizer(folder / "out" / "tokenizer.model")


@given(text=st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zs", "Zl", "Zp"], exclude_characters="▁")))
def test_any_text_comes_back(tokenizer: Tokenizer, text: str) -> None:
    ids = tokenizer.encode(text)
    assert tokenizer.UNK not in ids
    assert all(4 <= token < tokenizer.size for token in ids)
    assert tokenizer.decode([tokenizer.BEGIN, *ids, tokenizer.END, tokenizer.PAD]) == text


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


@pytest.mark.parametrize("algorithm", ["unigram", "bpe"])
def test_same_bytes_on_every_run_and_silence(
    records: Path, tmp_path: Path, algorithm: str, capfd: pytest.CaptureFixture[str]
) -> None:
    run = recipe(tmp_path, algorithm=algorithm, vocabulary=400)
    first = train_tokenizer(run, records, tmp_path / "one", Silent())
    assert train_tokenizer(run, records, tmp_path / "one", Silent()) == first
    assert train_tokenizer(run, records, tmp_path / "two", Silent()) == first
    assert "LOG(" not in capfd.readouterr().err


@pytest.mark.parametrize("algorithm", ["unigram", "bpe"])
def test_too_large_a_vocabulary_names_the_largest(records: Path, tmp_path: Path, algorithm: str) -> None:
    with pytest.raises(UserError, match=r"tokenizer.vocabulary: .*Set it to \d+ or less") as caught:
        train_tokenizer(recipe(tmp_path, vocabulary=100_000, algorithm=algorithm), records, tmp_path / "o", Silent())
    largest = int(caught.value.cure.split()[3])
    manifest = train_tokenizer(
        recipe(tmp_path, vocabulary=largest, algorithm=algorithm), records, tmp_path / "o", Silent()
    )
    assert manifest.facts["vocabulary"] == largest


def test_too_small_a_vocabulary_names_the_smallest(records: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"tokenizer.vocabulary: .*Set it to \d+ or more"):
        train_tokenizer(recipe(tmp_path, vocabulary=300), records, tmp_path / "o", Silent())


def test_what_is_no_model_is_told(tmp_path: Path) -> None:
    (tmp_path / "bad.model").write_bytes(b"nothing")
    for name in ("bad.model", "missing.model"):
        with pytest.raises(UserError, match="not a SentencePiece model"):
            Tokenizer(tmp_path / name)


def test_sample_does_not_depend_on_the_order() -> None:
    records = [Record(str(n), "x") for n in range(100)]
    sample = sample_records(records, 10, 1)
    assert sample == sample_records(reversed(records), 10, 1)
    assert sample != sample_records(records, 10, 2)
    assert len(sample_records(records, 1000, 1)) == 100


@given(text=st.text(st.sampled_from("aé日 \n"), max_size=50), times=st.integers(1, 200))
def test_training_lines_lose_nothing(text: str, times: int) -> None:
    lines = list(training_lines(text * times))
    assert "".join(lines).replace(" ", "") == "".join((text * times).split())
    assert all(len(line.encode()) <= 4192 for line in lines)
