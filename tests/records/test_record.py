from __future__ import annotations

import subprocess
import sys

import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from lstmlm.records.record import Record, deserialize, serialize, stable_hash

texts = st.text(st.characters(codec="utf-8"), max_size=40)


@given(record=st.builds(Record, texts, texts, st.lists(texts, max_size=3).map(tuple)))
def test_a_record_survives_and_tensorflow_would_write_the_same(record: Record) -> None:
    def feature(*values: str) -> tf.train.Feature:
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value.encode() for value in values]))

    named = {"id": feature(record.id), "source": feature(record.source)}
    named |= {"targets": feature(*record.targets)} if record.targets else {}
    example = tf.train.Example(features=tf.train.Features(feature=named))
    assert serialize(record) == example.SerializeToString(deterministic=True)
    assert deserialize(serialize(record)) == record


@pytest.mark.parametrize("length", [0, 1, 100, 127, 128, 16_383, 16_384, 2_100_000])
def test_texts_of_every_length_come_back(length: int) -> None:
    record = Record("a" * min(length, 200), "b" * length, ("c" * length, ""))
    assert deserialize(serialize(record)) == record


def test_what_is_no_record_is_refused() -> None:
    feature = tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"text"]))
    example = tf.train.Example(features=tf.train.Features(feature={"source": feature}))
    for serialized in (example.SerializeToString(), b"", b"text"):
        with pytest.raises(ValueError, match="not an Example that is a record"):
            deserialize(serialized)


def test_a_part_of_a_record_is_refused_or_has_fewer_targets() -> None:
    record = Record("a.txt:1", "text " * 50, ("one", "", "three" * 50))
    serialized = serialize(record)
    for size in range(len(serialized)):
        try:
            found = deserialize(serialized[:size])
        except ValueError:
            continue
        # Where a value ends, only the checksum of its TFRecord file can show that more should follow.
        assert (found.id, found.source) == (record.id, record.source)
        assert len(found.targets) < 3


def test_stable_hash_is_the_same_in_every_process() -> None:
    code = "from lstmlm.records.record import stable_hash; print(stable_hash('split', 'a.txt:1', 7))"
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("0", "1")
    }
    assert outputs == {f"{stable_hash('split', 'a.txt:1', 7)}\n"}


def test_stable_hash_distinguishes_its_parts() -> None:
    assert stable_hash("ab", "c") != stable_hash("a", "bc")
    assert 0 <= stable_hash("x") < 2**63
