"""Dataset folders of Hugging Face."""

from __future__ import annotations

import dataclasses

import pytest

from lstmlm.corpus.sources.found import Found, LeftOut, Listing
from lstmlm.corpus.sources.layouts import NamedSplit, files_of_split, split_in_name
from lstmlm.errors import UserError


def listing(*names: str) -> Listing:
    return Listing([Found(name, f"/root/{name}", 1) for name in names], [], folder=True)


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("data/train-00000-of-00002.parquet", "train"),
        ("validation-00000-of-00001.parquet", "valid"),
        ("data/valid.parquet", "valid"),
        ("data/dev_1.parquet", "valid"),
        ("data/test-00000-of-00001.parquet", "test"),
        ("default/train/0000.parquet", "train"),
        ("test/validation-0.parquet", "valid"),
        ("data/trainers.parquet", None),
        ("data/0000.parquet", None),
        ("contest/a.parquet", None),
        ("latest.jsonl", None),
        ("testimony.txt", None),
        ("developer.txt", None),
        ("retrain.txt", None),
        ("invalid.jsonl", None),
        ("imdb-test.parquet", "test"),
        ("wiki.test.tokens.txt", "test"),
        ("newstest2014.en.txt", "test"),
        ("TestData.jsonl", "test"),
        ("MyDevSet_2.jsonl", "valid"),
        ("TEST.CSV", "test"),
        ("test2.jsonl", "test"),
        ("train-dev.txt", "valid"),
        ("held-out/a.txt", "test"),
        ("heldout.txt", "test"),
        ("eval/a.jsonl", "test"),
        ("train_test_split/a.jsonl", None),
        ("c4-train.00000-of-01024.json.gz", "train"),
        ("split=test/part-0.parquet", "test"),
    ],
)
def test_names_speak_of_splits(name: str, split: NamedSplit | None) -> None:
    assert split_in_name(name) == split


def test_each_split_gets_its_files_and_the_others_are_reported() -> None:
    folder = listing("data/test-0.parquet", "data/train-0.parquet", "data/val.parquet", "other.parquet", "raw.txt")
    files, others = files_of_split(folder, ".", "train", "/root")
    assert [file.name for file in files] == ["data/train-0.parquet"]
    assert others == [
        LeftOut("data/test-0.parquet", "test_split"),
        LeftOut("data/val.parquet", "valid_split"),
        LeftOut("other.parquet", "no_split"),
        LeftOut("raw.txt", "not_parquet"),
    ]


def test_a_folder_without_the_split_is_reported() -> None:
    with pytest.raises(UserError, match=r"without files of the train split \(there are: test, valid\)"):
        files_of_split(listing("test-0.parquet", "dev-0.parquet"), ".", "train", "/root")


@pytest.mark.parametrize("ending", ["jsonl", "txt.gz", "parquet"])
def test_files_without_a_split_in_their_names_are_train(ending: str) -> None:
    files, others = files_of_split(listing(f"a.{ending}", f"b.{ending}", f"my-test.{ending}"), ".", "train", "/root")
    assert [file.name for file in files] == [f"a.{ending}", f"b.{ending}"]
    assert others == [LeftOut(f"my-test.{ending}", "test_split")]


def test_lines_named_train_do_not_exclude_others() -> None:
    files, others = files_of_split(listing("more.jsonl", "train.jsonl", "dev.jsonl"), ".", "train", "/root")
    assert [file.name for file in files] == ["more.jsonl", "train.jsonl"]
    assert others == [LeftOut("dev.jsonl", "valid_split")]


@pytest.mark.parametrize(
    ("pattern", "base", "folder"), [("test", 1, True), ("test/*.jsonl", 1, False), ("te*/*.jsonl", 0, False)]
)
def test_what_the_pattern_itself_names_is_asked_for(pattern: str, base: int, folder: bool) -> None:
    found = dataclasses.replace(listing("test/a.jsonl"), folder=folder, base=base)
    if base:
        assert files_of_split(found, pattern, "train", "/root") == (found.found, [])
    else:
        with pytest.raises(UserError, match="without files of the train split"):
            files_of_split(found, pattern, "train", "/root")


@pytest.mark.parametrize("pattern", ["test*.jsonl", "*test.jsonl", "*/test.jsonl", "**/test-?.jsonl"])
def test_a_glob_with_the_word_gets_the_test_files(pattern: str) -> None:
    found = dataclasses.replace(listing("a/test.jsonl"), folder=False)
    assert files_of_split(found, pattern, "train", "/root") == (found.found, [])


def test_a_file_named_by_itself_is_what_the_recipe_says() -> None:
    found = dataclasses.replace(listing("test.jsonl"), folder=False, exact=True)
    assert files_of_split(found, "test.jsonl", "train", "/root") == (found.found, [])
