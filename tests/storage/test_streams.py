"""Streams of large objects: what is written is read, in parts, and a writer that fails leaves nothing."""

from __future__ import annotations

import hashlib
import random
from typing import Any

import pytest
from faulty_store import faulty

from lstmlm.errors import UserError
from lstmlm.storage import StorePath
from lstmlm.storage.clients import BLOCK_BYTES, forget
from lstmlm.storage.streams import take_sum
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


@pytest.mark.parametrize(("start", "end"), [(0, 10), (300_000, 300_001), (700_000, 1_300_000), (0, len(LARGE))])
def test_a_section_is_read_by_blocks_of_its_size(
    bucket: StorePath, start: int, end: int, store_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (bucket / "large").write_bytes(LARGE)
    with faulty(store_server, counted=0.0) as proxy:
        answered, plain = list[int](), proxy.ask

        def ask(*given: Any) -> Any:
            answer = plain(*given)
            answered.append(int(answer.headers["Content-Length"]) if given[0] == "GET" else 0)
            return answer

        monkeypatch.setattr(proxy, "ask", ask)
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
        forget()
        with (bucket / "large").open_section(start, end) as stream:
            assert stream.seek(0, 2) == len(LARGE)
            stream.seek(start)
            assert stream.read(end - start) == LARGE[start:end]
    assert sum(answered) <= 4 * max(end - start, 1 << 20)


def test_the_sum_of_what_was_written_is_known_once(bucket: StorePath) -> None:
    with (bucket / "large").open("wb") as stream:
        stream.write(LARGE[:7])
        stream.write(memoryview(LARGE[7:]))
    url, digest = str(bucket / "large"), hashlib.sha256(LARGE).hexdigest()
    assert take_sum(url, len(LARGE)) == digest
    assert take_sum(url, len(LARGE)) is None
    (bucket / "small").write_bytes(b"small")
    assert take_sum(str(bucket / "small"), 6) is None  # another object than was written
