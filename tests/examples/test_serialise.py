"""Examples of token ids: the bytes TensorFlow writes."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from lstmlm.examples.serialise import int64_examples, serialized_examples
from lstmlm.tokenizer.rows import TokenRows

ids = st.lists(st.one_of(st.integers(0, 9000), st.integers(0, 2**31 - 1)), max_size=90)


def example(**features: list[int]) -> bytes:
    named = {n: tf.train.Feature(int64_list=tf.train.Int64List(value=found)) for n, found in features.items()}
    serialized: bytes = tf.train.Example(features=tf.train.Features(feature=named)).SerializeToString(
        deterministic=True
    )
    return serialized


def joined(lists: list[list[int]]) -> TokenRows:
    return TokenRows.joined([np.array(found, np.int32) for found in lists])


@given(lists=st.lists(ids, max_size=6))
def test_one_feature_is_as_tensorflow_writes_it(lists: list[list[int]]) -> None:
    assert int64_examples({"tokens": joined(lists)}) == [example(tokens=found) for found in lists]


@given(pairs=st.lists(st.tuples(ids, ids), max_size=6))
def test_two_features_are_as_tensorflow_writes_them(pairs: list[tuple[list[int], list[int]]]) -> None:
    sources, targets = [source for source, _ in pairs], [target for _, target in pairs]
    found = int64_examples({"target": joined(targets), "source": joined(sources)})
    assert found == [example(source=source, target=target) for source, target in pairs]


@given(stream=ids, starts=st.lists(st.integers(0, 90), max_size=6), length=st.integers(0, 90))
def test_rows_that_overlap_are_written_whole(stream: list[int], starts: list[int], length: int) -> None:
    first = np.minimum(np.array(starts, np.int64), len(stream))
    last = np.minimum(first + length, len(stream))
    rows = TokenRows(np.array(stream, np.int32), first, last)
    assert int64_examples({"tokens": rows}) == [example(tokens=found) for found in rows.to_lists()]


def test_numbers_of_any_rank_are_what_tensorflow_reads():
    lengths = [3, 0, 2]
    frames = [np.arange(6.0, dtype=np.float32).reshape(-1, 2)[:length] + n for n, length in enumerate(lengths)]
    features = {
        "ids": joined([[4, 5], [6], [7, 8, 9]]),
        "frames": frames,
        "label": np.array([2, 0, -1]),
        "weights": np.array([[0.5, 1.5]] * 3),
    }
    spec = {
        "ids": tf.io.RaggedFeature(tf.int64),
        "frames": tf.io.RaggedFeature(tf.float32),
        "label": tf.io.FixedLenFeature([], tf.int64),
        "weights": tf.io.FixedLenFeature([2], tf.float32),
    }
    found = tf.io.parse_example(serialized_examples(features), spec)
    assert found["ids"].to_list() == [[4, 5], [6], [7, 8, 9]]
    assert found["frames"].to_list() == [values.ravel().tolist() for values in frames]
    assert found["label"].numpy().tolist() == [2, 0, -1]
    assert found["weights"].numpy().tolist() == [[0.5, 1.5]] * 3
