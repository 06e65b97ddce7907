"""Bytes of files that vanish, shrink or may not be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from lstmlm.corpus.reading.openers import CHUNK_BYTES, open_bytes, read_bytes
from lstmlm.errors import UserError
from tests.corpus.privileges import not_root


def test_bytes_from_start_to_end_in_chunks(tmp_path: Path) -> None:
    data = bytes(range(256)) * (3 * CHUNK_BYTES // 256)
    path = tmp_path / "a"
    path.write_bytes(data)
    chunks = list(read_bytes(str(path), 5, len(data) - 7))
    assert b"".join(chunks) == data[5:-7]
    assert max(map(len, chunks)) == CHUNK_BYTES


@pytest.mark.parametrize("fault", ["gone", "folder", "shorter"])
def test_a_file_that_changed_since_it_was_listed_is_named(tmp_path: Path, fault: str) -> None:
    path = tmp_path / "a.txt"
    message = {"gone": "No such file", "folder": "Is a directory", "shorter": "became shorter while it was read"}[fault]
    if fault == "folder":
        path.mkdir()
    elif fault == "shorter":
        path.write_bytes(b"four")
    with pytest.raises(UserError, match=message) as caught:
        list(read_bytes(str(path), 0, 5))
    assert caught.value.where == str(path)
    assert caught.value.hint


def test_a_file_that_may_not_be_read_is_named(open_folder: Path) -> None:
    path = open_folder / "a.txt"
    path.write_text("one")
    path.chmod(0)
    with not_root(), pytest.raises(UserError, match="cannot be read: Permission denied") as caught:
        list(read_bytes(str(path), 0, 3))
    assert caught.value.where == str(path)


def test_an_unknown_kind_of_url_is_the_users_to_fix() -> None:
    with pytest.raises(UserError, match="cannot be reached") as caught, open_bytes("ftp2://host/a.txt"):
        pass
    assert caught.value.where == "ftp2://host/a.txt"
