"""Dataset folders of Hugging Face."""

from __future__ import annotations

import pytest

from lstmlm.corpus.layouts import NamedSplit, files_of_split, is_dataset_folder, split_in_name
from lstmlm.corpus.listing import Found, LeftOut, Listing
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
    ],
)
def test_names_speak_of_splits(name: str, split: NamedSplit | None) -> None:
    assert split_in_name(name) == split


def test_each_split_gets_its_files_and_the_others_are_told() -> None:
    folder = listing("data/test-0.parquet", "data/train-0.parquet", "data/val.parquet", "other.parquet", "raw.txt")
    files, others = files_of_split(folder, "train", "/root")
    assert [file.name for file in files] == ["data/train-0.parquet"]
    assert others == [
        LeftOut("data/test-0.parquet", "test_split"),
        LeftOut("data/val.parquet", "valid_split"),
        LeftOut("other.parquet", "no_split"),
        LeftOut("raw.txt", "not_parquet"),
    ]


def test_a_folder_without_the_split_is_told() -> None:
    with pytest.raises(UserError, match=r"without files of the train split \(there are: test, valid\)"):
        files_of_split(listing("test-0.parquet", "dev-0.parquet"), "train", "/root")


def test_only_parquet_files_named_by_split_make_a_dataset_folder() -> None:
    assert is_dataset_folder(listing("test-0.parquet"))
    assert not is_dataset_folder(listing("a.parquet", "train.txt"))
    assert not is_dataset_folder(Listing(listing("train-0.parquet").found, [], folder=False))
