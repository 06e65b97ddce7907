"""Properties of both models: padding changes nothing, rows are independent, the loss is the formula."""

import numpy as np
import pytest
import tensorflow as tf

from lstmlm.models.graph_search import Options
from lstmlm.models.language_model import LanguageModel, Penalties
from lstmlm.models.noise import Noise, locked_dropout
from lstmlm.models.output.layers import TiedSoftmax
from lstmlm.models.seq2seq import Seq2Seq
from lstmlm.recipe.sections.model import ModelSection

pytestmark = pytest.mark.slow

SIZES = ModelSection(embedding=12, units=16, layers=2, encoder_units=8, encoder_layers=2, dropout=0.3)
VOCABULARY = 30


@pytest.fixture(scope="module")
def pair_model():
    return Seq2Seq(SIZES, VOCABULARY, 1, tf.float32)


@pytest.fixture(scope="module")
def language_model():
    return LanguageModel(SIZES, VOCABULARY, 1, tf.float32)


def pair_batch(rng, rows, source=6, target=5):
    return {"source": tf.constant(rng.integers(4, VOCABULARY, [rows, source]), tf.int32),
            "target": tf.constant(rng.integers(4, VOCABULARY, [rows, target]), tf.int32)}  # fmt: skip


def test_padding_does_not_change_the_loss_of_a_pair(pair_model):
    batch = pair_batch(np.random.default_rng(0), 3)
    padded = {name: tf.pad(ids, [[0, 2], [0, 4]]) for name, ids in batch.items()}
    plain, count = pair_model.loss(batch, noise=None, smoothing=0.0)
    wide, wide_count = pair_model.loss(padded, noise=None, smoothing=0.0)
    assert count == wide_count == 15
    np.testing.assert_allclose(plain, wide, rtol=1e-5)


def test_the_loss_is_the_sum_over_rows(pair_model):
    batch = pair_batch(np.random.default_rng(1), 4)
    rows = [
        pair_model.loss({n: ids[r : r + 1] for n, ids in batch.items()}, noise=None, smoothing=0.1)[0] for r in range(4)
    ]
    np.testing.assert_allclose(pair_model.loss(batch, noise=None, smoothing=0.1)[0], sum(rows), rtol=1e-5)


def test_a_pair_is_decoded_the_same_single_and_in_company(pair_model):
    rng = np.random.default_rng(2)
    ids = rng.integers(4, VOCABULARY, [5, 16]).astype(np.int32)
    lengths = np.array([3, 16, 7, 1, 10], np.int32)
    ids[np.arange(16)[None] >= lengths[:, None]] = 0
    options, seeds = Options(True, 1.0, 8), tf.range(5, dtype=tf.int64)
    together = pair_model.decode(tf.constant(ids), tf.constant(lengths), seeds, options)
    for r in range(5):
        single = pair_model.decode(
            tf.constant(ids[r : r + 1]), tf.constant(lengths[r : r + 1]), seeds[r : r + 1], options
        )
        np.testing.assert_array_equal(single[0], together[r])


def test_greedy_decoding_agrees_with_teacher_forcing(language_model):
    """The token decoded at each place is the most likely one by the training graph's own logits."""
    prompt = tf.constant([[5, 9, 11]])
    options = Options(False, 1.0, 6)
    decoded = language_model.decode(prompt, tf.constant([3]), tf.constant([0], tf.int64), options).numpy()[0]
    out = [t for t in decoded if t]
    inputs = tf.constant([[3, 5, 9, 11, *out]])
    hidden, _ = language_model.hidden(inputs, language_model.zero_state(1), None)
    logits = language_model.softmax.logits(hidden).numpy()
    logits[:, 0] = -np.inf
    assert out == [int(t) for t in logits[3 : 3 + len(out)].argmax(axis=1)]


def test_scoring_in_windows_equals_scoring_at_once(language_model):
    tokens = tf.constant(np.random.default_rng(3).integers(3, VOCABULARY, [2, 13]), tf.int32)
    whole, _, _ = language_model.carried_loss(
        {"tokens": tokens}, language_model.zero_state(2), noise=None, smoothing=0.0
    )
    states, total = language_model.zero_state(2), 0.0
    for start in (0, 4, 8):
        part, _, states = language_model.carried_loss(
            {"tokens": tokens[:, start : start + 5]}, states, noise=None, smoothing=0.0
        )
        total += part
    np.testing.assert_allclose(total, whole, rtol=1e-5)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
def test_label_smoothing_is_its_definition(smoothing):
    softmax = TiedSoftmax(VOCABULARY, 12, tf.random.Generator.from_seed(1), precision=tf.float32)
    hidden = tf.random.stateless_normal([6, 12], [1, 1])
    targets = tf.constant([4, 0, 9, 29, 1, 0])
    total, count = softmax.loss(hidden, targets, smoothing)
    logs = tf.nn.log_softmax(softmax.logits(hidden)).numpy()
    expected = sum(
        -(1 - smoothing) * logs[r, t] - smoothing * logs[r].mean() for r, t in enumerate(targets.numpy()) if t
    )
    assert count == 4
    np.testing.assert_allclose(total, expected, rtol=1e-5)


def test_the_noise_of_a_row_does_not_depend_on_who_holds_it():
    values, seed = tf.ones([3, 8, 40]), tf.constant([1, 2])
    whole = locked_dropout(values, 0.4, Noise(seed, tf.constant(0), tf.constant(8)), 5)
    halves = [locked_dropout(values[:, :4], 0.4, Noise(seed, tf.constant(f), tf.constant(8)), 5) for f in (0, 4)]
    np.testing.assert_array_equal(tf.concat(halves, axis=1), whole)
    np.testing.assert_array_equal(whole[0], whole[2])  # locked over time
    assert 0.3 < float(tf.reduce_mean(tf.cast(whole == 0, tf.float32))) < 0.5


def test_the_seed_decides_the_initial_weights():
    one, same, other = (LanguageModel(SIZES, VOCABULARY, seed, tf.float32).named_variables() for seed in (1, 1, 2))
    assert all(np.array_equal(one[name], same[name]) for name in one)
    assert not np.array_equal(one["layer_0/kernel"], other["layer_0/kernel"])


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"input_feeding": True},
        {"pointer": True},
        {"attention": "bahdanau", "residual": True},
        {"input_feeding": True, "pointer": True, "attention": "bahdanau"},
        {"softmax": "adaptive", "cutoffs": (12, 20)},
        {"coverage": True, "pointer": True},
        {"coverage": True, "input_feeding": True},
    ],
    ids=str,
)
def test_decoding_one_step_at_a_time_agrees_with_teacher_forcing(options):
    """The loss of a target is the sum of -log p that the decoder gives its tokens one by one."""
    model = Seq2Seq(SIZES.model_copy(update=options), VOCABULARY, 1, tf.float32)
    batch = pair_batch(np.random.default_rng(4), 2)
    source, target = batch["source"], batch["target"]
    memory, states = model.encode(source, tf.constant([6, 6]), None)
    if model.covers:
        model.attention.coverage.assign(-1.5)
    at, token, total = model.begin(states, memory), tf.constant([2, 2]), 0.0
    for t in range(target.shape[1]):
        logits, at = model.follow(token, at, memory, source)
        token = target[:, t]
        total -= tf.reduce_sum(tf.gather(tf.nn.log_softmax(logits), token, batch_dims=1))
    expected, _ = tf.function(lambda: model.loss(batch, noise=None, smoothing=0.0))()
    np.testing.assert_allclose(total, expected, rtol=1e-4)


@pytest.mark.parametrize("options", [{"input_feeding": True}, {"pointer": True, "coverage": True}], ids=str)
def test_every_variable_of_a_pair_model_learns(options):
    model = Seq2Seq(SIZES.model_copy(update=options), VOCABULARY, 1, tf.float32)
    noise = Noise(tf.constant([1, 2]), tf.constant(0), tf.constant(3))
    named = model.named_variables()
    with tf.GradientTape() as tape:
        loss, _ = model.loss(pair_batch(np.random.default_rng(5), 3), noise=noise, smoothing=0.0)
    gradients = dict(zip(named, tape.gradient(loss, list(named.values())), strict=True))
    assert [name for name, gradient in gradients.items() if gradient is None] == []
    assert [n for n, g in gradients.items() if not np.any(tf.convert_to_tensor(g))] == []


def test_the_penalties_are_mean_squares_at_every_place():
    model = LanguageModel(SIZES, VOCABULARY, 1, tf.float32, Penalties(2.0, 3.0))
    tokens = tf.constant(np.random.default_rng(6).integers(3, VOCABULARY, [2, 8]), tf.int32)
    noise = Noise(tf.constant([1, 2]), tf.constant(0), tf.constant(2))
    raw, dropped, _ = model._outputs(tokens[:, :-1], model.zero_state(2), noise, model.softmax)
    activation = 2.0 * np.square(dropped).mean(axis=2).sum()
    temporal = 3.0 * np.square(np.diff(raw, axis=0)).mean(axis=2).sum()
    with_them, _ = model.loss({"tokens": tokens}, noise=noise, smoothing=0.0)
    model.penalties = Penalties(0.0, 0.0)
    without, _ = model.loss({"tokens": tokens}, noise=noise, smoothing=0.0)
    np.testing.assert_allclose(with_them - without, activation + temporal, rtol=1e-3)
