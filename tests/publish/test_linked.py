"""Files that several folders hold are stored once, and each folder is whole by itself."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from lstmlm.publish.linked import link_or_copy, share_files
from tests.tiny import TinyRun


def test_one_file_system_stores_a_file_once_and_each_name_goes_its_own_way(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"weights")
    link_or_copy(one, other)
    assert os.path.samefile(one, other)
    one.unlink()
    assert other.read_bytes() == b"weights"
    with pytest.raises(FileExistsError):
        link_or_copy(other, other)


def test_a_link_to_the_source_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"weights")
    (tmp_path / "named").symlink_to(tmp_path / "real")
    link_or_copy(tmp_path / "named", tmp_path / "copy")
    assert not (tmp_path / "copy").is_symlink()
    assert os.path.samefile(tmp_path / "real", tmp_path / "copy")


def test_another_file_system_gets_a_copy(tmp_path: Path, small_disk: Path) -> None:
    (tmp_path / "one").write_bytes(b"weights")
    link_or_copy(tmp_path / "one", small_disk / "other")
    assert (small_disk / "other").read_bytes() == b"weights"
    assert not os.path.samefile(tmp_path / "one", small_disk / "other")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a").write_bytes(b"same")
    shutil.copytree(tmp_path / "folder", small_disk / "folder")
    assert share_files(tmp_path / "folder", small_disk / "folder") == 0
    assert [path.name for path in (small_disk / "folder").iterdir()] == ["a"]


def test_only_files_with_the_same_bytes_are_shared(tmp_path: Path) -> None:
    folder, copy = tmp_path / "export", tmp_path / "pushed"
    (folder / "variables").mkdir(parents=True)
    for name, content in {"a": b"same", "variables/b": b"also", "changed": b"old"}.items():
        (folder / name).write_bytes(content)
    shutil.copytree(folder, copy)
    (copy / "changed").write_bytes(b"new")
    (copy / "own").write_bytes(b"own")
    assert share_files(folder, copy) == len(b"same") + len(b"also")
    assert os.path.samefile(folder / "variables" / "b", copy / "variables" / "b")
    assert (copy / "changed").read_bytes() == b"new"
    assert (folder / "changed").read_bytes() == b"old"
    assert share_files(folder, copy) == 0
    shutil.rmtree(folder)
    assert sorted(path.name for path in copy.rglob("*") if path.is_file()) == ["a", "b", "changed", "own"]
    assert (copy / "a").read_bytes() == b"same"


@pytest.mark.parametrize("exported", ["generate"], indirect=True)
def test_an_export_stores_no_second_copy_of_the_weights_and_of_the_vocabulary(exported: TinyRun) -> None:
    made = exported.export.parent / "model" / "weights.npz"
    assert os.path.samefile(exported.export / "weights.npz", made)
    tokenizer = exported.records.parent / "tokenizer" / "tokenizer.model"
    assert os.path.samefile(exported.export / "tokenizer.model", tokenizer)
