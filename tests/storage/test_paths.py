"""Paths of a store do what those of a disk do, against a real server; the other client is boto3."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import pytest

from lstmlm.errors import UserError
from lstmlm.storage import StorePath, place
from tests.stores import keys

HARD = ("a b.txt", "c#d.txt", "e%20f.txt", "ü/ß.txt", "[x]*?.txt", "plain.txt", "+&=.txt")


@pytest.mark.parametrize("named", ["s3://bucket/a/b", "s3:/bucket/a/b", Path("s3://bucket/a/b")])
def test_a_url_is_a_path_of_a_store_also_if_it_lost_a_slash(named: str | Path) -> None:
    found = place(named)
    assert isinstance(found, StorePath)
    assert (str(found), found.scheme, found.bucket, found.key) == ("s3://bucket/a/b", "s3", "bucket", "a/b")
    assert str(found.parent / "c") == str(found.with_name("c")) == "s3://bucket/a/c"
    assert pickle.loads(pickle.dumps(found)) == found
    assert isinstance(pickle.loads(pickle.dumps(found)), StorePath)


@pytest.mark.parametrize("named", ["out", "/abs/s3", "a:b", "https://host/x", Path("out")])
def test_other_places_stay_paths(named: str | Path) -> None:
    assert type(place(named)) is type(Path())


def test_a_folder_with_the_name_of_a_scheme_is_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s3:").mkdir()
    assert not isinstance(place("s3:/out"), StorePath)


def test_nothing_of_this_machine_opens_it() -> None:
    with pytest.raises(TypeError, match="is in an object store"):
        os.stat(StorePath("s3://bucket/a"))
    with pytest.raises(TypeError, match="is in an object store"):
        os.listdir(StorePath("s3://bucket/a"))


@pytest.mark.parametrize("name", HARD)
def test_any_key_is_written_listed_read_and_removed(bucket: StorePath, s3: Any, name: str) -> None:
    path = bucket / "folder" / name
    path.write_bytes(b"content")
    assert keys(s3, bucket) == [f"folder/{name}"]
    assert s3.get_object(Bucket=bucket.bucket, Key=f"folder/{name}")["Body"].read() == b"content"
    assert list((bucket / "folder").below()) == [name]
    assert list((bucket / "folder").rglob("*")) == [path]
    assert path.is_file()
    assert path.stat().st_size == 7
    with path.open("rb") as stream:
        assert stream.read() == b"content"
    path.unlink()
    assert keys(s3, bucket) == []


def test_removing_a_folder_takes_names_as_they_are(bucket: StorePath, s3: Any) -> None:
    for name in (*HARD, "x1.txt", "//double"):
        s3.put_object(Bucket=bucket.bucket, Key=f"gone/{name}", Body=b"")
    s3.put_object(Bucket=bucket.bucket, Key="gone2/x.txt", Body=b"")
    assert set((bucket / "gone").below()) == {*HARD, "x1.txt", "//double"}
    (bucket / "gone").remove()
    assert keys(s3, bucket) == ["gone2/x.txt"]


@pytest.mark.slow
def test_more_keys_than_a_page_holds_are_listed(bucket: StorePath, s3: Any) -> None:
    names = [f"{number:04d}" for number in range(1100)]
    for name in names:
        s3.put_object(Bucket=bucket.bucket, Key=f"many/{name}", Body=b"x")
    assert [path.name for path in (bucket / "many").iterdir()] == names
    assert list((bucket / "many").below()) == names


def test_folders_are_what_objects_are_below(bucket: StorePath) -> None:
    (bucket / "a" / "b" / "c.txt").write_bytes(b"1")
    (bucket / "a.txt").write_bytes(b"22")
    assert [path.name for path in bucket.iterdir()] == ["a", "a.txt"]
    assert (bucket / "a").is_dir()
    assert not (bucket / "a").is_file()
    assert (bucket / "a").exists()
    assert not (bucket / "b").exists()
    assert list((bucket / "none").iterdir()) == []
    assert [path.name for path in bucket.glob("*.txt")] == ["a.txt"]
    with pytest.raises(FileNotFoundError):
        (bucket / "b").stat()
    with pytest.raises(FileNotFoundError):
        (bucket / "b").unlink()
    (bucket / "b").unlink(missing_ok=True)


def test_a_prefix_may_be_an_object_too(bucket: StorePath) -> None:
    (bucket / "a").write_bytes(b"object")
    (bucket / "a" / "b").write_bytes(b"below")
    assert (bucket / "a").is_file()
    assert (bucket / "a").is_dir()
    assert list((bucket / "a").below()) == ["b"]


def test_of_two_who_create_an_object_one_succeeds(bucket: StorePath) -> None:
    assert (bucket / "once").create(b"first")
    assert not (bucket / "once").create(b"second")
    assert (bucket / "once").create(b"first")  # the answer to this one's write was lost
    assert (bucket / "once").read_bytes() == b"first"


def test_what_is_missing_is_one_line(bucket: StorePath) -> None:
    with pytest.raises(FileNotFoundError):
        (bucket / "absent").read_bytes()
    with pytest.raises(UserError, match="there is no bucket 'nowhere'") as caught:
        StorePath("s3://nowhere/x").write_bytes(b"")
    assert len(str(caught.value).splitlines()) == 1
