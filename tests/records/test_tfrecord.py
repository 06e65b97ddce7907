"""TFRecord files: the bytes TensorFlow writes, and every fault found."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from lstmlm.errors import UserError
from lstmlm.records import tfrecord
from lstmlm.records.tfrecord import count_records, frame, read_records, write_records

PAYLOADS = [b"first", b"", b"x" * 1000, b"\x00\xff"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "some.tfrecord"
    assert write_records(path, PAYLOADS) == 4
    return path


@given(payloads=st.lists(st.binary(max_size=300), max_size=20))
def test_bytes_are_those_of_tensorflow(payloads: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = Path(folder) / "ours", Path(folder) / "theirs"
        with tf.io.TFRecordWriter(str(theirs)) as writer:
            for payload in payloads:
                writer.write(payload)
        assert write_records(ours, iter(payloads)) == len(payloads)
        assert ours.read_bytes() == theirs.read_bytes()
        assert list(read_records(theirs)) == payloads
        assert count_records(theirs) == len(payloads)


def test_blocks_of_any_size_give_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    payloads = [bytes(n % 300) for n in range(1000)]
    monkeypatch.setattr(tfrecord, "_BUFFER_BYTES", 700)
    monkeypatch.setattr(tfrecord, "_BLOCK_RECORDS", 7)
    assert write_records(tmp_path / "a", payloads) == 1000
    assert (tmp_path / "a").read_bytes() == frame(payloads)
    assert list(read_records(tmp_path / "a")) == payloads


def test_payloads_are_taken_as_they_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tfrecord, "_BUFFER_BYTES", 100)
    path, sizes = tmp_path / "a", []

    def payloads() -> object:
        for _ in range(500):
            sizes.extend(partial.stat().st_size for partial in tmp_path.iterdir())
            assert not path.exists()  # it takes its place when it is whole
            yield bytes(100)

    write_records(path, payloads())  # type: ignore[arg-type]
    assert sizes[-1] > 0.5 * path.stat().st_size


@pytest.mark.parametrize("at", [0, 7, 8, 11, 12, 14, 17, 20, 21 + 16 + 500, -1])
def test_a_flipped_bit_is_found_and_its_record_named(file: Path, at: int) -> None:
    content = bytearray(file.read_bytes())
    content[at] ^= 4
    file.write_bytes(content)
    found = 1 if 0 <= at < 21 else 4 if at == -1 else 3
    with pytest.raises(UserError, match=f"some.tfrecord: damaged TFRecord file: .*record {found}"):
        list(read_records(file))


def test_an_end_within_a_record_is_found(file: Path) -> None:
    content = file.read_bytes()
    ends = [len(frame(PAYLOADS[:count])) for count in range(len(PAYLOADS) + 1)]
    for size in range(len(content)):
        if size in ends:
            continue
        file.write_bytes(content[:size])
        number = sum(size > end for end in ends)
        for read in (lambda path: list(read_records(path)), count_records):
            with pytest.raises(UserError, match=f"ends within record {number}"):
                read(file)


def test_records_before_the_damage_are_read(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])
    records = read_records(file)
    assert [next(records) for _ in range(3)] == PAYLOADS[:3]
    with pytest.raises(UserError, match="record 4"):
        next(records)


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No such file"):
        list(read_records(tmp_path / "none"))


def test_what_is_no_tfrecord_is_not_read_into_memory(tmp_path: Path) -> None:
    head = tfrecord._head(2**60)
    (tmp_path / "a").write_bytes(head + b"some")
    with pytest.raises(UserError, match="ends within record 1"):
        list(read_records(tmp_path / "a"))
