"""The acoustic model: CTC against the sum over all paths, and rows that do not depend on each other."""

from __future__ import annotations

import itertools
import math

import numpy as np
import onnxruntime
import pytest
import tensorflow as tf

from lstmlm.audio import normalise as numpy_frames
from lstmlm.decoding.ctc.alignment import collapsed
from lstmlm.decoding.onnx import acoustic
from lstmlm.models.speech.acoustic import Acoustic, Frames
from lstmlm.models.speech.frames import normalised, stacked
from lstmlm.recipe.sections.model import ModelSection

LENGTHS, TOKENS = [9, 6, 10], [[1, 2], [2, 2], [3]]


@pytest.fixture(scope="module")
def network() -> Acoustic:
    return Acoustic(ModelSection(encoder_units=6, encoder_layers=2, dropout=0.3), Frames(8, 3, 2), 4, 1, tf.float32)


def batch(rows: list[int], time: int = 16) -> dict[str, tf.Tensor]:
    draw = np.random.default_rng(1)
    every = [draw.normal(10, 3, [length, 8]) for length in LENGTHS]
    frames, tokens = np.zeros([len(rows), time, 8], np.float32), np.zeros([len(rows), 8], np.int32)
    for place, row in enumerate(rows):
        frames[place, : LENGTHS[row]] = every[row]
        tokens[place, : len(TOKENS[row])] = TOKENS[row]
    return {
        "frames": tf.constant(frames),
        "frames_length": tf.constant([LENGTHS[row] for row in rows]),
        "tokens": tf.constant(tokens),
        "tokens_length": tf.constant([len(TOKENS[row]) for row in rows]),
        "is_example": tf.ones([len(rows)], tf.int32),
    }


def test_the_loss_is_that_of_all_paths(network: Acoustic) -> None:
    found = network.predict(batch([0, 1, 2]))
    total = 0.0
    for row, tokens in enumerate(TOKENS):
        steps = int(found["steps"][row])
        assert steps == -(-LENGTHS[row] // 2)
        outputs = found["log_probabilities"][row, :steps].numpy()
        paths = (path for path in itertools.product(range(4), repeat=steps) if collapsed(path) == tokens)
        total -= math.log(sum(math.exp(sum(outputs[step, t] for step, t in enumerate(path))) for path in paths))
    loss, weight = network.loss(batch([0, 1, 2]), noise=None, smoothing=0.0)
    assert float(weight) == 5
    assert float(loss) == pytest.approx(total, rel=1e-4)


def test_a_row_of_padding_weighs_nothing(network: Acoustic) -> None:
    whole = batch([0, 1])
    padded = {name: tf.pad(values, [[0, 2], *[[0, 0]] * (values.shape.rank - 1)]) for name, values in whole.items()}
    expected, found = (network.loss(some, noise=None, smoothing=0.0) for some in (whole, padded))
    np.testing.assert_allclose([*map(float, found)], [*map(float, expected)], rtol=1e-6)


def test_a_row_does_not_depend_on_its_neighbours_or_the_padding(network: Acoustic) -> None:
    single = network.predict(batch([1]))["log_probabilities"][0, :3]
    among = network.predict(batch([0, 1, 2]))["log_probabilities"][1, :3]
    longer = network.predict(batch([1], time=40))["log_probabilities"][0, :3]
    np.testing.assert_allclose(among, single, atol=1e-5)
    np.testing.assert_allclose(longer, single, atol=1e-5)


@pytest.mark.parametrize("per_band", [False, True])
def test_frames_are_normalised_over_the_own_frames_of_a_row(per_band: bool) -> None:
    some, axes = batch([0, 2]), 0 if per_band else None
    found = normalised(some["frames"], some["frames_length"], per_band).numpy()
    for row, length in enumerate([9, 10]):
        np.testing.assert_allclose(found[row, :length].mean(axis=axes), 0, atol=1e-5)
        np.testing.assert_allclose(found[row, :length].std(axis=axes), 1, atol=1e-4)
        assert not found[row, length:].any()


@pytest.mark.parametrize(("stack", "stride"), [(3, 2), (1, 1), (2, 3), (4, 4)])
def test_frames_are_stacked(stack: int, stride: int) -> None:
    frames = np.arange(1, 23, dtype=np.float32).reshape(1, 11, 2)
    found, steps = stacked(tf.constant(frames), tf.constant([11]), stack, stride)
    longer = np.concatenate([frames[0], np.zeros([stack + stride, 2], np.float32)])
    expected = [longer[at : at + stack].reshape(-1) for at in range(0, 11, stride)]
    np.testing.assert_array_equal(found[0], expected)
    assert steps.numpy().tolist() == [len(expected)]


@pytest.mark.parametrize("residual", [False, True])
def test_the_onnx_graph_computes_the_same(residual: bool) -> None:
    sizes = ModelSection(encoder_units=6, encoder_layers=3, residual=residual)
    network = Acoustic(sizes, Frames(8, 3, 2), 4, 1, tf.float32)
    weights = {name: variable.numpy() for name, variable in network.named_variables().items()}
    frames = [batch([row])["frames"][0, : LENGTHS[row]].numpy() for row in (0, 1, 2)]
    values = np.zeros([4, 8, 24], np.float32)  # the last row is one of padding only
    for row, own in enumerate(frames):
        read = numpy_frames.stacked(numpy_frames.normalised(own, False), 3, 2)
        values[row, : len(read)] = read
    expected = network.predict(batch([0, 1, 2]))
    for int8, most in ((False, 1e-5), (True, 0.1)):
        session = onnxruntime.InferenceSession(
            acoustic.graph(weights, residual=residual, int8=int8).SerializeToString(),
            providers=["CPUExecutionProvider"],
        )
        (found,) = session.run(["log_probabilities"], {"values": values, "length": np.array([5, 3, 5, 1])})
        for row, steps in enumerate([5, 3, 5]):
            own = expected["log_probabilities"][row, :steps].numpy()
            assert np.abs(np.exp(found[row, :steps]) - np.exp(own)).max() < most


@pytest.mark.parametrize("per_band", [False, True])
def test_numpy_and_the_graph_normalise_alike(per_band: bool) -> None:
    some = batch([0, 1])
    found = normalised(some["frames"], some["frames_length"], per_band)
    ours, steps = stacked(found, some["frames_length"], 3, 2)
    for row in (0, 1):
        own = numpy_frames.normalised(some["frames"][row, : LENGTHS[row]].numpy(), per_band)
        np.testing.assert_allclose(found[row, : LENGTHS[row]], own, atol=1e-5)
        read = numpy_frames.stacked(own, 3, 2)
        np.testing.assert_allclose(ours[row, : steps[row]], read, atol=1e-5)
    assert numpy_frames.stacked(np.zeros([0, 8], np.float32), 3, 2).shape == (0, 24)
