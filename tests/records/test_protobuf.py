"""The wire format: what TensorFlow and NumPy say, byte for byte."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from lstmlm.records.protobuf import bytes_example, entry_head, fields, number_of, packed_varints, varint

# Where one name begins another, protobuf's own languages do not agree on the order.
names = st.sampled_from(["id", "source", "targets", "tokens", "split_key"])
values = st.one_of(st.binary(max_size=40), st.integers(0, 70_000).map(bytes))


def bytes_feature(contents: list[bytes]) -> tf.train.Feature:
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=contents))


@given(features=st.dictionaries(names, st.lists(values, max_size=4), max_size=4))
def test_bytes_are_those_of_tensorflow(features: dict[str, list[bytes]]) -> None:
    example = tf.train.Example(
        features=tf.train.Features(feature={name: bytes_feature(contents) for name, contents in features.items()})
    )
    serialized = bytes_example(features)
    assert serialized == example.SerializeToString(deterministic=True)


@given(number=st.one_of(st.integers(0, 300), st.integers(0, 2**63)))
def test_a_varint_comes_back(number: int) -> None:
    assert number_of(varint(number)) == number


@given(first=values, others=st.lists(values, max_size=3))
def test_the_head_of_an_entry_ends_where_the_first_value_begins(first: bytes, others: list[bytes]) -> None:
    entry = bytes_example({"id": [first, *others]})[1:]
    entry = entry[next(n for n, byte in enumerate(entry) if byte < 128) + 1 :]
    found = re.compile(entry_head("id")).match(entry)
    assert found is not None
    assert number_of(found[1]) == len(first)
    assert entry[found.end() :].startswith(first)
    assert re.compile(entry_head("if")).match(entry) is None


@given(numbers=st.lists(st.one_of(st.integers(0, 300), st.integers(0, 2**31 - 1)), max_size=50))
def test_varints_of_many_are_those_of_each(numbers: list[int]) -> None:
    packed, offsets = packed_varints(np.array(numbers, np.int32))
    assert [packed[a:b] for a, b in itertools.pairwise(offsets)] == list(map(varint, numbers))
    assert len(packed) == offsets[-1]
    expected = tf.train.Int64List(value=numbers).SerializeToString()
    assert packed == expected[len(expected) - len(packed) :]


@pytest.mark.parametrize("largest", [0, 127, 128, 2**14 - 1, 2**14, 2**21, 2**28 - 1, 2**28, 2**31 - 1])
def test_varints_at_the_bounds_of_their_widths(largest: int) -> None:
    packed, _ = packed_varints(np.array([0, largest], np.int32))
    assert packed == varint(0) + varint(largest)


def test_fields_of_every_wire_type() -> None:
    message = b"\x08\xac\x02" + b"\x15abcd" + b"\x1a\x02hi" + b"\x21ABCDEFGH" + varint(200 << 3) + b"\x01"
    expected = [(8, b"\xac\x02"), (0x15, b"abcd"), (0x1A, b"hi"), (0x21, b"ABCDEFGH"), (200 << 3, b"\x01")]
    assert list(fields(message)) == expected
    for broken in (message[:2], b"\x1a\x05hi", b"\x0b", b"\x15ab"):
        with pytest.raises(ValueError, match=r"ends too early|no field has the key"):
            list(fields(broken))
