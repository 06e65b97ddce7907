"""Lines of plain and gzip files."""

from __future__ import annotations

import gzip
import os
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmlm.corpus.lines import raw_lines
from lstmlm.errors import UserError


def read(path: Path, limit: int = 100, *, zipped: bool = False) -> list[tuple[int, bytes, str]]:
    return [(line.number, line.data, line.problem) for line in raw_lines(path, limit, zipped=zipped)]


def write(folder: Path, data: bytes, name: str = "a.txt") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def test_strips_line_ends_and_byte_order_mark(tmp_path: Path) -> None:
    path = write(tmp_path, b"\xef\xbb\xbfone\r\ntwo\n\nfour")
    assert read(path) == [(1, b"one", ""), (2, b"two", ""), (3, b"", ""), (4, b"four", "")]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_limit_counts_the_bytes_of_the_text(tmp_path: Path, end: bytes, bom: bytes) -> None:
    assert read(write(tmp_path, bom + b"12345" + end), 5) == [(1, b"12345", "")]
    assert read(write(tmp_path, bom + b"123456" + end), 5) == [(1, b"", "longer than 5 bytes")]


@given(lines=st.lists(st.binary(max_size=12).filter(lambda b: b"\n" not in b and b"\r" not in b), max_size=8))
def test_every_line_is_read_or_named(tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]) -> None:
    path = write(tmp_path_factory.mktemp("lines"), b"".join(b"x" + line + b"\n" for line in lines))
    expected = [
        (number, b"x" + line, "") if len(line) < 7 else (number, b"", "longer than 7 bytes")
        for number, line in enumerate(lines, start=1)
    ]
    assert read(path, 7) == expected


def test_long_line_is_not_held_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "long.txt.gz"
    with gzip.open(path, "wb", compresslevel=1) as stream:
        for _ in range(32):
            stream.write(b"a" * (1 << 20))
        stream.write(b"\nshort\n")
    tracemalloc.start()
    found = read(path, 1000, zipped=True)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == [(1, b"", "longer than 1000 bytes"), (2, b"short", "")]
    assert peak < 4 << 20


def test_truncated_gzip_keeps_what_comes_before(tmp_path: Path) -> None:
    text = b"".join(os.urandom(20).hex().encode() + b"\n" for _ in range(5000))
    whole = gzip.compress(text)
    path = write(tmp_path, whole[: len(whole) // 2], "a.txt.gz")
    *kept, last = read(path, zipped=True)
    assert len(kept) > 1000
    assert b"".join(data + b"\n" for _, data, _ in kept) == text[: 41 * len(kept)]
    assert last == (len(kept) + 1, b"", "gzip ends early")


def test_wrong_checksum_is_told(tmp_path: Path) -> None:
    whole = bytearray(gzip.compress(b"one\ntwo\n"))
    whole[-8] ^= 1
    found = read(write(tmp_path, bytes(whole), "a.txt.gz"), zipped=True)
    assert found[-1][2].startswith("gzip is damaged")


@pytest.mark.parametrize("data", [b"", b"plain text\n", b"\x1f"])
def test_what_is_not_gzip_is_the_users_to_mend(tmp_path: Path, data: bytes) -> None:
    path = write(tmp_path, data, "a.txt.gz")
    with pytest.raises(UserError, match="not a gzip file") as caught:
        read(path, zipped=True)
    assert caught.value.where == str(path)
