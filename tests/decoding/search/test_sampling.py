"""Draws: the distribution they follow, and what top-k and top-p leave."""

import numpy as np
import pytest
import tensorflow as tf

from lstmlm.decoding.search.sampling import draw, uniform
from lstmlm.models import graph_search as search

LOGITS = np.array([-1e9, 1.0, 2.0, 0.5, -1.0, 1.5], np.float32)
ROWS = 20_000


def drawn(**options):
    rows = np.tile(LOGITS, [ROWS, 1])
    found = draw(rows, np.arange(ROWS), np.zeros(ROWS, np.int64), **options)
    return np.bincount(found, minlength=len(LOGITS)) / ROWS


def softmax(logits, kept):
    weights = np.where(np.isin(np.arange(len(logits)), kept), np.exp(logits), 0)
    return weights / weights.sum()


@pytest.mark.parametrize(
    ("options", "kept"),
    [({}, [1, 2, 3, 4, 5]), ({"top_k": 2}, [2, 5]), ({"top_k": 99}, [1, 2, 3, 4, 5]), ({"top_p": 0.6}, [2, 5]),
     ({"top_p": 0.01}, [2]), ({"top_k": 3, "top_p": 0.9}, [1, 2, 5])],
)  # fmt: skip
def test_draws_follow_the_distribution_that_is_left(options, kept):
    np.testing.assert_allclose(drawn(**options), softmax(LOGITS, kept), atol=0.015)


def test_a_low_temperature_takes_the_most_likely():
    assert drawn(temperature=0.01)[2] == 1


def test_the_uniform_numbers_are_those_of_the_graph():
    seeds, places = np.array([0, 1, 2**62 + 17, 99]), np.array([0, 1, 5, 1000])
    inside = search.uniform(tf.constant(seeds, tf.int64), tf.constant(places, tf.int32)).numpy()
    np.testing.assert_array_equal(uniform(seeds, places), inside)
