"""The output layers: an exact distribution, the loss that belongs to it, and its gradient."""

import numpy as np
import pytest
import tensorflow as tf

from lstmlm.errors import UserError
from lstmlm.models.noise import Noise
from lstmlm.models.output.cross_entropy import token_nats
from lstmlm.models.output.layers import AdaptiveSoftmax, TiedSoftmax, output_layer
from lstmlm.recipe.sections.model import ModelSection

VOCABULARY, WIDTH = 30, 12
HIDDEN = tf.random.stateless_normal([9, WIDTH], [1, 1]) * 3.0
TARGETS = tf.constant([4, 0, 9, 10, 29, 1, 0, 19, 20])


def layer(kind: str) -> TiedSoftmax:
    generator = tf.random.Generator.from_seed(1)
    sizes = ModelSection(embedding=WIDTH, softmax=kind, cutoffs=(10, 20) if kind == "adaptive" else ())
    made = output_layer(sizes, VOCABULARY, generator, precision=tf.float32)
    made.bias.assign(generator.normal([VOCABULARY]))
    return made


@pytest.mark.parametrize(("kind", "smoothing"), [("full", 0.0), ("full", 0.1), ("adaptive", 0.0)])
def test_the_loss_and_its_gradient_are_those_of_the_logits(kind, smoothing):
    """The hand-written backward pass against automatic differentiation of a plain softmax over the same logits."""
    softmax = layer(kind)
    variables = list(softmax.trainable_variables)

    def reference():
        logs = tf.nn.log_softmax(softmax.logits(HIDDEN))
        nats = -(1 - smoothing) * tf.gather(logs, TARGETS, batch_dims=1) - smoothing * tf.reduce_mean(logs, axis=1)
        return tf.reduce_sum(tf.where(TARGETS > 0, nats, 0.0))

    found = []
    for function in (lambda: softmax.loss(HIDDEN, TARGETS, smoothing)[0], reference):
        with tf.GradientTape() as tape:
            tape.watch(HIDDEN)
            value = function() * 2.0
        found.append([value, *map(tf.convert_to_tensor, tape.gradient(value, [HIDDEN, *variables]))])
    for ours, expected in zip(*found, strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["full", "adaptive"])
def test_a_layer_for_a_loss_gives_the_gradient_of_the_layer(kind):
    """Tokens that are looked up, looked up twice, predicted, both, and neither."""
    softmax, found = layer(kind), []
    for used in (softmax, softmax.for_loss):
        with tf.GradientTape() as tape:
            used = used() if used is not softmax else used
            looked_up = used.embed(tf.constant([[3, 4, 4], [29, 11, 3]])), used.embed(tf.constant([4, 5]))
            value = used.loss(HIDDEN, TARGETS, 0.1)[0]
            value += sum(tf.reduce_sum(tf.square(part)) for part in looked_up)
        found.append([value, *map(tf.convert_to_tensor, tape.gradient(value, softmax.trainable_variables))])
    for ours, expected in zip(*found, strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("scale", [1.0, 60.0])  # 60: targets so unlikely that float32 has no number for it
def test_every_row_may_weigh_differently_in_the_gradient(scale):
    softmax, weights = layer("full"), tf.constant([1.0, 0.0, -2.0, 3.0, 0.5, 1.0, 1.0, 0.0, 7.0])
    hidden = HIDDEN * scale
    found = []
    for row_nats in (
        lambda: token_nats(hidden, softmax.table, softmax.bias, TARGETS, tf.float32),
        lambda: -tf.gather(tf.nn.log_softmax(softmax.logits(hidden)), TARGETS, batch_dims=1),
    ):
        with tf.GradientTape() as tape:
            tape.watch(hidden)
            nats = row_nats()
            value = tf.reduce_sum(nats * weights)
        found.append([nats, *tape.gradient(value, [hidden, softmax.table, softmax.bias])])
    assert (np.max(found[0][0]) > 100) == (scale > 1)
    for ours, expected in zip(*found, strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-5)


def test_bfloat16_rounds_a_probability_and_nothing_more():
    """On numbers that bfloat16 holds exactly, so that the products are those of float32."""
    softmax = layer("full")
    hidden, table, bias = (
        tf.cast(tf.cast(value, tf.bfloat16), tf.float32) for value in (HIDDEN, softmax.table, softmax.bias)
    )
    logits = tf.matmul(tf.cast(hidden, tf.bfloat16), tf.cast(table, tf.bfloat16), transpose_b=True)
    logits = tf.cast(tf.nn.bias_add(logits, tf.cast(bias, tf.bfloat16)), tf.float32)
    expected = -tf.gather(tf.nn.log_softmax(logits), TARGETS, batch_dims=1)
    # Processors without bfloat16 round each sum of products to it, at other places than those with it.
    rounding = 2**-8 * np.abs(logits).max()
    np.testing.assert_allclose(token_nats(hidden, table, bias, TARGETS, tf.bfloat16), expected, atol=rounding)


@pytest.mark.parametrize("precision", [tf.float32, tf.bfloat16])
def test_no_rows_have_no_nats_and_no_gradient(precision):
    softmax = layer("full")
    with tf.GradientTape() as tape:
        nats = token_nats(HIDDEN[:0], softmax.table, softmax.bias, TARGETS[:0], precision)
    assert nats.shape == [0]
    np.testing.assert_array_equal(tape.gradient(nats, softmax.table), tf.zeros_like(softmax.table))


def test_adaptive_logits_are_log_probabilities_of_a_distribution():
    probabilities = np.exp(layer("adaptive").logits(HIDDEN))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, rtol=1e-5)


def test_a_token_of_a_cluster_is_as_likely_as_its_cluster_times_itself_within():
    softmax = layer("adaptive")
    table, bias = softmax.table.numpy(), softmax.bias.numpy()
    hidden = HIDDEN.numpy()

    def distribution(weights, offset):
        z = hidden @ weights.T + offset
        return np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)

    head = distribution(
        np.concatenate([table[:10], softmax.clusters.numpy()]),
        np.concatenate([bias[:10], softmax.cluster_bias.numpy()]),
    )
    expected = np.concatenate(
        [
            head[:, :10],
            head[:, 10:11] * distribution(table[10:20], bias[10:20]),
            head[:, 11:12] * distribution(table[20:], bias[20:]),
        ],
        axis=1,
    )
    np.testing.assert_allclose(np.exp(softmax.logits(HIDDEN)), expected, rtol=1e-4, atol=1e-7)


def test_smoothing_spreads_over_the_choices_on_the_way_to_a_token():
    softmax, smoothing = layer("adaptive"), 0.1
    table, bias, hidden = softmax.table.numpy(), softmax.bias.numpy(), HIDDEN.numpy()

    def smoothed(weights, offset, row, chosen):
        z = hidden[row] @ weights.T + offset
        nats = np.log(np.exp(z).sum()) - z
        return (1 - smoothing) * nats[chosen] + smoothing * nats.mean()

    head = np.concatenate([table[:10], softmax.clusters]), np.concatenate([bias[:10], softmax.cluster_bias])
    expected = 0.0
    for row, target in enumerate(TARGETS.numpy()):
        if target == 0:
            continue
        cluster = None if target < 10 else (target - 10) // 10
        expected += smoothed(*head, row, target if cluster is None else 10 + cluster)
        if cluster is not None:
            part = slice(10 + 10 * cluster, 20 + 10 * cluster)
            expected += smoothed(table[part], bias[part], row, target - part.start)
    found, count = softmax.loss(HIDDEN, TARGETS, smoothing)
    assert float(found) == pytest.approx(expected, rel=1e-4)
    assert float(count) == 7


def test_a_cutoff_beyond_the_vocabulary_is_the_users_to_fix():
    with pytest.raises(UserError, match=r"model\.cutoffs: 30 is beyond the vocabulary of 30"):
        AdaptiveSoftmax(30, WIDTH, (10, 30), tf.random.Generator.from_seed(1), precision=tf.float32)


def test_embedding_dropout_drops_a_token_wherever_it_occurs():
    softmax, noise = layer("full"), Noise(tf.constant([1, 2]), tf.constant(0), tf.constant(2))
    ids = tf.constant([list(range(VOCABULARY)), list(range(VOCABULARY))[::-1]])
    dropped = softmax.embed_some(ids, 0.4, noise).numpy()
    gone = np.all(dropped[0] == 0.0, axis=1)
    np.testing.assert_array_equal(gone, np.all(dropped[1] == 0.0, axis=1)[::-1])
    assert 3 < gone.sum() < 22
    np.testing.assert_allclose(dropped[0][~gone], softmax.table.numpy()[~gone] / 0.6, rtol=1e-6)
    np.testing.assert_array_equal(softmax.embed_some(ids, 0.4, None), softmax.embed(ids))


def test_bfloat16_stays_near_float32():
    exact, coarse = layer("full"), layer("full")
    coarse.precision = tf.bfloat16
    np.testing.assert_allclose(coarse.loss(HIDDEN, TARGETS, 0.0)[0], exact.loss(HIDDEN, TARGETS, 0.0)[0], rtol=0.01)
