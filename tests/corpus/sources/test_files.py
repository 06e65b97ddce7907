"""The corpus of a recipe, and its fingerprint."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from lstmlm.corpus.reading.readers import read_file
from lstmlm.corpus.sources.files import corpus_files, list_corpus, named_files
from lstmlm.corpus.sources.found import CorpusFile, LeftOut
from lstmlm.corpus.sources.snapshot import corpus_fingerprint
from lstmlm.errors import UserError
from lstmlm.recipe.recipe import Recipe
from tests.corpus.memory_store import MemoryStore


def recipe(root: Path | str, **corpus: Any) -> Recipe:
    return Recipe.model_validate({"name": "test", "task": "generate", "corpus": {"root": root, **corpus}})


def fill(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    return root


def test_train_comes_first_and_each_split_is_sorted(tmp_path: Path) -> None:
    fill(tmp_path, "b.txt.gz", "a.JSONL", "a.valid.tsv")
    assert corpus_files(recipe(tmp_path, train="[ab].[tJ]*", valid="a.valid.tsv")) == [
        CorpusFile(0, "a.JSONL", str(tmp_path / "a.JSONL"), "jsonl", "", "train", 7),
        CorpusFile(1, "b.txt.gz", str(tmp_path / "b.txt.gz"), "txt", "", "train", 8),  # its content is text
        CorpusFile(2, "a.valid.tsv", str(tmp_path / "a.valid.tsv"), "tsv", "", "valid", 11),
    ]


@pytest.mark.parametrize("name", ["a.txt", "a.csv.bz2", "a.tsv.zst", "a.b.jsonl.gz", "a.parquet"])
def test_known_endings(tmp_path: Path, name: str) -> None:
    fill(tmp_path, name)
    (file,) = corpus_files(recipe(tmp_path, train=name))
    assert file.split is None
    assert f"{file.reader}.{file.compression}".strip(".") in name


@pytest.mark.parametrize("name", ["a.doc", "a", "a.gz", "a.parquet.gz", "a.txt.lz4", "txt"])
def test_an_unknown_ending_is_refused(tmp_path: Path, name: str) -> None:
    fill(tmp_path, name)
    with pytest.raises(UserError, match="unknown kind of corpus file") as caught:
        corpus_files(recipe(tmp_path, train=name))
    assert caught.value.where == str(tmp_path / name)


def test_a_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.txt")).write_text("x")
    with pytest.raises(UserError, match="not UTF-8"):
        corpus_files(recipe(tmp_path, train="*.txt"))


def test_a_file_of_both_splits_is_refused(tmp_path: Path) -> None:
    fill(tmp_path, "a.txt", "b.txt")
    with pytest.raises(UserError, match=r"named by corpus\.train and by corpus\.valid") as caught:
        corpus_files(recipe(tmp_path, train="*.txt", valid="b.txt"))
    assert caught.value.where == str(tmp_path / "b.txt")


PARTS = [
    "data/train-0.parquet",
    "data/train-1.parquet",
    "data/validation-0.parquet",
    "data/test-0.parquet",
    "README.md",
]


def test_a_dataset_folder_gives_both_splits_and_leaves_test_out(tmp_path: Path) -> None:
    listing = list_corpus(recipe(fill(tmp_path, *PARTS), train="."))
    assert [(file.name, file.split) for file in listing.files] == [
        ("data/train-0.parquet", "train"), ("data/train-1.parquet", "train"), ("data/validation-0.parquet", "valid"),
    ]  # fmt: skip
    assert listing.left_out == [LeftOut("README.md", "unknown_ending"), LeftOut("data/test-0.parquet", "test_split")]


def test_a_dataset_folder_without_valid_files_leaves_the_split_to_the_ids(tmp_path: Path) -> None:
    listing = list_corpus(recipe(fill(tmp_path, "data/train-0.parquet", "data/test-0.parquet"), train="data"))
    assert [(file.name, file.split) for file in listing.files] == [("data/train-0.parquet", None)]
    assert listing.left_out == [LeftOut("data/test-0.parquet", "test_split")]


def test_a_named_valid_replaces_that_of_the_dataset_folder(tmp_path: Path) -> None:
    fill(tmp_path, *PARTS, "mine.jsonl")
    listing = list_corpus(recipe(tmp_path, train="data", valid="mine.jsonl"))
    assert [file.name for file in listing.files] == ["data/train-0.parquet", "data/train-1.parquet", "mine.jsonl"]
    assert {one.reason for one in listing.left_out} == {"valid_split", "test_split"}
    listing = list_corpus(recipe(tmp_path, train="data", valid="data"))
    assert [file.split for file in listing.files] == ["train", "train", "valid"]
    assert [one.reason for one in listing.left_out] == ["test_split"]


def test_files_of_other_fields(tmp_path: Path) -> None:
    fill(tmp_path, "eval/a.jsonl", "eval/b.txt")
    files = named_files(recipe(tmp_path, train="x").corpus, "eval", "corpus.decontamination.files")
    assert [(file.index, file.name) for file in files] == [(0, "eval/a.jsonl"), (1, "eval/b.txt")]
    with pytest.raises(UserError, match=r"Check corpus\.decontamination\.files"):
        named_files(recipe(tmp_path, train="x").corpus, "none", "corpus.decontamination.files")


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    objects = {"mem://bucket/corpus/a.txt": b"one\ntwo\n", "mem://bucket/corpus/b.jsonl": b'{"text": "three"}\n'}
    monkeypatch.setattr(MemoryStore, "OBJECTS", objects)
    return objects


def test_a_remote_corpus_is_read_like_a_local_one(store: dict[str, bytes]) -> None:
    remote = recipe("mem://bucket/corpus", train="*")
    files = corpus_files(remote)
    assert [(file.name, file.path, file.size) for file in files] == [
        ("a.txt", "mem://bucket/corpus/a.txt", 8), ("b.jsonl", "mem://bucket/corpus/b.jsonl", 18),
    ]  # fmt: skip
    texts = [row.fields["text"] for file in files for row in read_file(file, remote.corpus, ["text"]) if row.fields]
    assert texts == ["one", "two", "three"]
    del store["mem://bucket/corpus/a.txt"]
    with pytest.raises(UserError, match="cannot be reached") as caught:
        list(read_file(files[0], remote.corpus, ["text"]))
    assert caught.value.where == "mem://bucket/corpus/a.txt"


def test_the_fingerprint_of_a_remote_corpus_follows_its_checksums(store: dict[str, bytes]) -> None:
    remote = recipe("mem://bucket/corpus/", train="*")
    first = corpus_fingerprint(remote)
    assert corpus_fingerprint(recipe("mem://bucket/corpus", train="*")) == first
    store["mem://bucket/corpus/a.txt"] = b"one\ntwp\n"
    assert corpus_fingerprint(remote) != first


def test_a_store_that_is_not_there_is_the_users_to_fix() -> None:
    with pytest.raises(UserError, match="cannot be reached"):
        corpus_files(recipe("nostore://bucket", train="a.txt"))


def test_the_fingerprint_follows_content_names_and_settings_not_the_place(tmp_path: Path) -> None:
    fill(tmp_path / "one", "a.txt", "b.txt")
    first = corpus_fingerprint(recipe(tmp_path / "one", train="*.txt"))
    moved = (tmp_path / "one").rename(tmp_path / "two")
    assert corpus_fingerprint(recipe(moved, train="*.txt")) == first
    assert corpus_fingerprint(recipe(moved, train="*.txt", unit="paragraph")) != first
    assert corpus_fingerprint(recipe(moved, train="a.txt", valid="b.txt")) != first
    (moved / "b.txt").write_text("c.txt")
    assert corpus_fingerprint(recipe(moved, train="*.txt")) != first
    (moved / "b.txt").write_text("b.txt")
    (moved / "b.txt").rename(moved / "c.txt")
    assert corpus_fingerprint(recipe(moved, train="*.txt")) != first
