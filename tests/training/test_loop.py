"""The step of one worker: state carried from window to window, and shares that add up to the whole."""

import numpy as np
import pytest
import tensorflow as tf

from lstmlm.examples.dataset import own_rows
from lstmlm.models.language_model import LanguageModel
from lstmlm.models.lstm import State
from lstmlm.training.loop import Loop
from lstmlm.training.optimizer import make_optimizer
from lstmlm.training.workers.carried import CarriedState
from lstmlm.training.workers.shared_memory import room

pytestmark = pytest.mark.slow

ROWS, WINDOW, VOCABULARY = 5, 4, 40
TOKENS = np.random.default_rng(0).integers(3, VOCABULARY, [ROWS, 3 * WINDOW + 1]).astype(np.int32)
BATCHES = [{"tokens": tf.constant(TOKENS[:, n * WINDOW : (n + 1) * WINDOW + 1])} for n in range(3)]


class Recorder:
    """One of several workers; what it would send is kept, and nothing comes back."""

    def __init__(self, rank, world):
        self.rank, self.world, self.sent = rank, world, []

    def sum(self, values):
        self.sent.append(list(values))
        return list(values)


class Lender:
    """A single worker, whose sums are in memory that it uses again, as those of a group on one machine do."""

    rank, world = 0, 1

    def __init__(self):
        raw = np.zeros(4096, np.float32)
        self.memory = raw[-raw.ctypes.data % 64 // 4 :]  # where TensorFlow takes it without a copy

    def sum(self, values):
        parts = tf.numpy_function(self._lend, list(values), [tf.float32] * len(values))
        return [tf.ensure_shape(part, value.shape) for part, value in zip(parts, values, strict=True)]

    def _lend(self, *values):
        lent, start = [], 0
        for value in values:
            lent.append(self.memory[start : start + value.size].reshape(value.shape))
            lent[-1][:] = value
            start += room(value.size)
        return lent


def make(recipe, rank=0, world=1, **training):
    recipe = recipe.model_copy(
        update={
            "training": recipe.training.model_copy(update={"batch": ROWS, "warmup": 0} | training),
            "model": recipe.model.model_copy(update={"layers": 2}),
        }
    )
    model, group = LanguageModel(recipe.model, VOCABULARY, 1, tf.float32), Recorder(rank, world)
    optimizer = make_optimizer(model.named_variables(), recipe.training)
    carried = CarriedState(model, ROWS, group) if recipe.training.carry_state else None
    return (
        Loop(model, optimizer, None, carried, recipe, group, {"tokens": tf.TensorSpec([None, None], tf.int32)}),
        model,
        carried,
    )


def test_evaluation_in_windows_is_the_loss_of_the_whole_streams(recipe):
    loop, model, _ = make(recipe)
    nats, count, _ = model.carried_loss(
        {"tokens": tf.constant(TOKENS)}, model.zero_state(ROWS), noise=None, smoothing=0.0
    )
    np.testing.assert_allclose(loop.evaluate(BATCHES), nats / count, rtol=1e-5)


def test_without_carried_state_every_window_begins_anew(recipe):
    loop, model, _ = make(recipe, carry_state=False)
    single = [model.loss(batch, noise=None, smoothing=0.0)[0] for batch in BATCHES]
    np.testing.assert_allclose(loop.evaluate(BATCHES), sum(single) / (ROWS * 3 * WINDOW), rtol=1e-5)


def test_training_carries_the_state_until_a_fresh_start(recipe):
    recipe = recipe.model_copy(update={"model": recipe.model.model_copy(update={"dropout": 0.0})})
    loop, model, carried = make(recipe)
    loop.train(BATCHES[0], 1, 0.0, fresh=True)  # a rate of 0 keeps the weights
    loop.train(BATCHES[1], 2, 0.0, fresh=False)
    loop.collect_state()
    _, _, states = model.carried_loss(
        {"tokens": tf.constant(TOKENS[:, : 2 * WINDOW + 1])}, model.zero_state(ROWS), noise=None, smoothing=0.0
    )
    np.testing.assert_allclose(carried.variables()["state/1/c"], states[1].c, atol=1e-5)
    loop.train(BATCHES[1], 3, 0.0, fresh=True)
    loop.collect_state()
    _, _, states = model.carried_loss(
        {"tokens": BATCHES[1]["tokens"]}, model.zero_state(ROWS), noise=None, smoothing=0.0
    )
    np.testing.assert_allclose(carried.variables()["state/1/c"], states[1].c, atol=1e-5)


@pytest.mark.parametrize("world", [2, 3, 7])
def test_the_shares_of_the_workers_add_up_to_the_whole(recipe, world):
    """Gradients, loss and state, with dropout, also where the rows cannot be divided evenly."""

    def step(rank, world):
        loop, _, carried = make(recipe, rank, world)
        first_row, count = loop.share.place(ROWS)
        loop.train(own_rows(BATCHES[0], loop.share), 1, 0.0)
        loop.collect_state()
        own = own_rows(BATCHES[1], loop.share)
        sums, _ = loop._gradients(own, loop._states, tf.constant([1, 2]), first_row, count * world, tf.constant(1.0))
        return sums, list(carried.variables().values())

    whole, states = step(0, 1)
    parts = [step(rank, world) for rank in range(world)]
    for expected, *shares in zip(whole, *(sums for sums, _ in parts), strict=True):
        np.testing.assert_allclose(sum(shares), expected, atol=2e-4)
    for expected, *shares in zip(states, *(state for _, state in parts), strict=True):
        # Equal but for the last bit: a product of other rows may be summed in another order.
        np.testing.assert_allclose(sum(share.numpy() for share in shares), expected, atol=1e-7)


def test_a_collected_state_outlives_the_sum_that_gave_it(recipe):
    model, lender = LanguageModel(recipe.model, VOCABULARY, 1, tf.float32), Lender()
    carried = CarriedState(model, ROWS, lender)
    shape = carried.variables()["state/0/h"].shape
    states = [State(tf.random.stateless_normal(shape, [1, 2]), tf.random.stateless_normal(shape, [3, 4]))]
    carried.collect(0, states)
    np.testing.assert_array_equal(lender.memory[: states[0].h.numpy().size], np.ravel(states[0].h))
    lender.memory[:] = -1.0
    np.testing.assert_array_equal(carried.variables()["state/0/h"], states[0].h)
    np.testing.assert_array_equal(carried.variables()["state/0/c"], states[0].c)


def test_slices_of_a_batch_make_the_same_step(recipe):
    found = []
    for slices in (1, 2, 5):
        loop, model, carried = make(recipe, accumulate=slices)
        own = [own_rows(batch, loop.share) for batch in BATCHES]
        results = [loop.train(batch, n + 1, 0.01, fresh=n == 0) for n, batch in enumerate(own)]
        loop.collect_state()
        found.append(([*np.ravel(results)], carried.variables()["state/0/h"], model.projection.kernel.numpy()))
    for other in found[1:]:
        for ours, expected in zip(other, found[0], strict=True):
            np.testing.assert_allclose(ours, expected, atol=1e-4)
