"""Compressed files: whole, damaged, and swollen."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from lstmlm.corpus.reading import compression
from lstmlm.corpus.reading.compression import Damaged, decompressed, first_damage
from lstmlm.errors import UserError

COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstandard.ZstdCompressor(write_checksum=True).compress,
}
NAMES = {"gz": "gzip", "bz2": "bzip2", "xz": "xz", "zst": "zstd"}
kinds = pytest.mark.parametrize("kind", COMPRESS)


def read(folder: Path, data: bytes, kind: str, factor: int = 1000, floor: int = 10**9) -> tuple[bytes, str]:
    path = folder / f"a.txt.{kind}"
    path.write_bytes(data)
    found = bytearray()
    try:
        for part in decompressed(str(path), len(data), kind, factor, floor=floor):
            found += part
    except Damaged as damage:
        return bytes(found), str(damage)
    return bytes(found), ""


@kinds
def test_parts_in_a_row_are_one_file(tmp_path: Path, kind: str) -> None:
    compress = COMPRESS[kind]
    noise = os.urandom(300_000)
    data = compress(noise) + compress(b"") + compress(b"a" * 1_000_000) + compress(b"end\n")
    assert read(tmp_path, data, kind) == (noise + b"a" * 1_000_000 + b"end\n", "")
    assert read(tmp_path, data + bytes(512), kind)[1] == ""


@kinds
def test_what_comes_before_the_end_of_a_cut_file_is_kept(tmp_path: Path, kind: str) -> None:
    text = b"".join(os.urandom(20).hex().encode() + b"\n" for _ in range(50_000))
    whole = COMPRESS[kind](text)
    found, problem = read(tmp_path, whole[: len(whole) * 3 // 4], kind)
    assert problem == f"{NAMES[kind]} ends early"
    assert len(found) > len(text) // 4
    assert text.startswith(found)


@kinds
def test_what_follows_the_end_is_damage(tmp_path: Path, kind: str) -> None:
    found, problem = read(tmp_path, COMPRESS[kind](b"one\ntwo\n") + b"garbage", kind)
    assert found == b"one\ntwo\n"
    assert problem.startswith(f"{NAMES[kind]} is damaged: ")


@pytest.mark.parametrize(("kind", "place"), [("gz", -8), ("bz2", -2), ("xz", -30), ("zst", -1)])
def test_a_wrong_checksum_costs_nothing_that_came_before_it(tmp_path: Path, kind: str, place: int) -> None:
    text = b"".join(b"line %d\n" % number for number in range(30_000))
    whole = bytearray(COMPRESS[kind](text))
    whole[place] ^= 1
    found, problem = read(tmp_path, bytes(whole), kind)
    assert found == text
    assert problem.startswith(f"{NAMES[kind]} is damaged: ")


@kinds
def test_first_damage_is_the_reason_or_nothing(tmp_path: Path, kind: str) -> None:
    whole = COMPRESS[kind](b"one\ntwo\n")
    for data, reason in ((whole, ""), (whole[:-1], f"{NAMES[kind]} ends early")):
        path = tmp_path / "a"
        path.write_bytes(data)
        assert first_damage(str(path), len(data), kind, 1000) == reason


@kinds
@pytest.mark.parametrize("data", [b"", b"plain text\n", b"\x1f"])
def test_another_format_is_the_users_to_fix(tmp_path: Path, kind: str, data: bytes) -> None:
    with pytest.raises(UserError, match=f"not a {NAMES[kind]} file") as caught:
        read(tmp_path, data, kind)
    assert caught.value.where == str(tmp_path / f"a.txt.{kind}")


@kinds
def test_a_bomb_is_refused_in_bounded_memory(tmp_path: Path, kind: str) -> None:
    bomb = COMPRESS[kind](bytes(40_000_000))
    path = tmp_path / "a"
    path.write_bytes(bomb)
    tracemalloc.start()
    given = 0
    with pytest.raises(UserError, match=r"more than 100 times its size.*corpus\.max_expansion") as caught:
        for part in decompressed(str(path), len(bomb), kind, 100, floor=1_000_000):
            given += len(part)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert caught.value.where == str(path)
    assert given <= 40_000_000 // 2
    assert peak < 20_000_000


@kinds
def test_growth_below_the_floor_or_the_factor_is_fine(tmp_path: Path, kind: str) -> None:
    data = COMPRESS[kind](bytes(1_000_000))
    assert read(tmp_path, data, kind, factor=1, floor=1_000_000) == (bytes(1_000_000), "")
    assert read(tmp_path, data, kind, factor=10**6, floor=0) == (bytes(1_000_000), "")


def test_the_floor_is_a_gigabyte() -> None:
    assert compression.GROWTH_FLOOR == 10**9
