"""Tensors are grouped for the network. The sums themselves are tested in test_distributed."""

import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from lstmlm.training.workers.all_reduce import SingleWorker, buckets


@given(st.lists(st.integers(0, 50), max_size=12), st.integers(4, 120))
def test_buckets_keep_the_order_and_the_limit(sizes, limit):
    values = [tf.zeros([size]) for size in sizes]
    found = list(buckets(values, limit))
    assert [id(value) for bucket in found for value in bucket] == [id(value) for value in values]
    assert all(len(bucket) == 1 or sum(4 * v.shape[0] for v in bucket) <= limit for bucket in found)
    assert all(bucket for bucket in found)


def test_one_worker_sums():
    values = [tf.constant([1.0, 2.0]), tf.constant(3.0)]
    assert SingleWorker().sum(values) == values
