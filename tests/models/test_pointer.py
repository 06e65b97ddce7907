"""Copying: the mixture is a distribution, and the loss is its own -log p."""

import numpy as np
import tensorflow as tf

from lstmlm.models.pointer import Pointer

SOURCE = tf.constant([[5, 7, 5, 3], [4, 3, 0, 0]])
WEIGHTS = tf.constant([[0.1, 0.2, 0.3, 0.4], [0.7, 0.3, 0.0, 0.0]])
VECTORS = tf.random.stateless_normal([2, 6], [1, 2])
LOGITS = tf.random.stateless_normal([2, 9], [3, 4])


def test_the_mixture_is_its_formula():
    pointer = Pointer(6, tf.random.Generator.from_seed(1))
    gate = tf.sigmoid(pointer.gate(VECTORS)).numpy()
    copied = np.zeros([2, 9])
    for row in range(2):
        for token, weight in zip(SOURCE[row].numpy(), WEIGHTS[row].numpy(), strict=True):
            copied[row, token] += weight
    expected = gate * tf.nn.softmax(LOGITS).numpy() + (1 - gate) * copied
    found = np.exp(pointer.logits(VECTORS, LOGITS, WEIGHTS, SOURCE))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(found.sum(axis=1), 1.0, rtol=1e-5)


def test_the_loss_of_a_target_is_minus_log_of_the_mixture():
    pointer = Pointer(6, tf.random.Generator.from_seed(1))
    logs = pointer.logits(VECTORS, LOGITS, WEIGHTS, SOURCE).numpy()
    for targets in ([5, 4], [8, 8], [3, 3]):  # copied, in no source, copied
        nats = -tf.gather(tf.nn.log_softmax(LOGITS), tf.constant(targets), batch_dims=1)
        found = pointer.target_nats(VECTORS, nats, WEIGHTS, SOURCE, tf.constant(targets))
        np.testing.assert_allclose(found, [-logs[0, targets[0]], -logs[1, targets[1]]], rtol=1e-4, atol=1e-5)
