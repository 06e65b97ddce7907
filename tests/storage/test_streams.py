"""Streams of large objects: what is written is read, in parts, and a writer that fails leaves nothing."""

from __future__ import annotations

import hashlib
import random
from typing import Any

import pytest

from lstmlm.errors import UserError
from lstmlm.storage import StorePath
from lstmlm.storage.clients import BLOCK_BYTES
from tests.stores import keys

LARGE = random.Random(1).randbytes(2 * BLOCK_BYTES + 12345)


def test_a_large_object_is_written_in_parts_and_read_in_blocks(bucket: StorePath, s3: Any) -> None:
    with (bucket / "large").open("wb") as stream:
        for start in range(0, len(LARGE), 1_000_003):
            stream.write(LARGE[start : start + 1_000_003])
    assert "-" in s3.head_object(Bucket=bucket.bucket, Key="large")["ETag"]  # that of several parts
    with (bucket / "large").open("rb") as stream:
        assert hashlib.file_digest(stream, "sha256").digest() == hashlib.sha256(LARGE).digest()
        assert stream.seek(BLOCK_BYTES - 3) == BLOCK_BYTES - 3
        assert stream.read(6) == LARGE[BLOCK_BYTES - 3 : BLOCK_BYTES + 3]


@pytest.mark.parametrize("size", [0, 1, BLOCK_BYTES, BLOCK_BYTES + 1])
def test_every_size(bucket: StorePath, size: int) -> None:
    with (bucket / "some").open("wb") as stream:
        stream.write(LARGE[:size])
    assert (bucket / "some").stat().st_size == size
    with (bucket / "some").open("rb") as stream:
        assert stream.read() == LARGE[:size]


@pytest.mark.parametrize("size", [10, BLOCK_BYTES + 10])
def test_a_writer_that_fails_leaves_nothing(bucket: StorePath, s3: Any, size: int) -> None:
    with pytest.raises(ZeroDivisionError), (bucket / "half").open("wb") as stream:
        stream.write(LARGE[:size])
        raise ZeroDivisionError
    assert keys(s3, bucket) == []
    assert not s3.list_multipart_uploads(Bucket=bucket.bucket).get("Uploads")


def test_text_is_utf_8_with_the_ends_of_lines_that_are_asked_for(bucket: StorePath) -> None:
    with (bucket / "text").open("w", encoding="utf-8", newline="\n") as stream:
        stream.write("één\ntwee\n")
    assert (bucket / "text").read_bytes() == "één\ntwee\n".encode()
    with (bucket / "text").open(encoding="utf-8") as stream:
        assert list(stream) == ["één\n", "twee\n"]
    assert (bucket / "text").read_text(encoding="utf-8") == "één\ntwee\n"


def test_an_object_that_changes_while_it_is_read_is_reported(bucket: StorePath) -> None:
    (bucket / "changing").write_bytes(LARGE)
    with (bucket / "changing").open("rb") as stream:
        (bucket / "changing").write_bytes(LARGE[::-1])
        with pytest.raises(UserError, match="changed while it was read"):
            stream.read()
