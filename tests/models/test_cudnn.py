"""The layer by cuDNN: its vector of weights, the graph, and on a GPU the numbers."""

import numpy as np
import pytest
import tensorflow as tf

from lstmlm.models.cudnn import pack
from lstmlm.models.lstm import LSTM, State

TIME, BATCH, WIDTH, UNITS = 5, 3, 4, 6


@pytest.fixture
def layer():
    return LSTM(WIDTH, UNITS, tf.random.Generator.from_seed(1), precision=tf.float32, name="layer")


@pytest.fixture
def given():
    rng = np.random.default_rng(1)
    return [tf.constant(rng.normal(size=shape), tf.float32) for shape in ([TIME, BATCH, WIDTH], *2 * [[BATCH, UNITS]])]


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def by_the_manual(packed, x, h, c):
    """Runs a layer whose weights are in the order of cuDNN's manual: W and R of i, f, g, o, then the biases of both."""
    sizes = 4 * [(UNITS, WIDTH)] + 4 * [(UNITS, UNITS)] + 8 * [(UNITS,)]
    places = np.cumsum([np.prod(size) for size in sizes])
    assert places[-1] == len(packed)
    parts = [part.reshape(size) for part, size in zip(np.split(packed, places[:-1]), sizes, strict=True)]
    w, r, b_w, b_r = parts[:4], parts[4:8], parts[8:12], parts[12:]
    outputs = []
    for x_t in x:
        i, f, g, o = (w[n] @ x_t.T + r[n] @ h.T + (b_w[n] + b_r[n])[:, None] for n in range(4))
        c = sigmoid(f.T) * c + sigmoid(i.T) * np.tanh(g.T)
        h = sigmoid(o.T) * np.tanh(c)
        outputs.append(h)
    return np.stack(outputs), h, c


def test_the_packed_weights_read_by_the_manual_give_the_same_layer(layer, given):
    layer.bias.assign(tf.range(4.0 * UNITS) / 10.0 - 1.0)
    packed = pack(layer.kernel, layer.recurrent, layer.bias).numpy()
    expected, state = layer(given[0], State(*given[1:]))
    found = by_the_manual(packed, *(part.numpy() for part in given))
    for one, other in zip(found, (expected, state.h, state.c), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("precision", [tf.float32, tf.bfloat16])
def test_the_graph_is_cudnns_there_and_back(precision):
    layer = LSTM(WIDTH, UNITS, tf.random.Generator.from_seed(1), precision=precision, name="layer")
    layer.cudnn = True
    dropped = tf.constant([1.0, 0.0] * (2 * UNITS))

    @tf.function(input_signature=[tf.TensorSpec([None, None, WIDTH]), *2 * [tf.TensorSpec([None, UNITS])]])
    def gradients(x, h, c):
        with tf.GradientTape() as tape:
            outputs, state = layer(x, State(h, c), layer.recurrent * dropped)
            loss = tf.reduce_sum(outputs) + tf.reduce_sum(state.h) + tf.reduce_sum(state.c)
        assert outputs.dtype == state.h.dtype == state.c.dtype == tf.float32
        assert outputs.shape.as_list() == [None, None, UNITS]
        return tape.gradient(loss, layer.trainable_variables)

    concrete = gradients.get_concrete_function()
    kinds = [operation.type for operation in concrete.graph.get_operations()]
    assert kinds.count("CudnnRNN") == kinds.count("CudnnRNNBackprop") == 1
    assert not any("While" in kind for kind in kinds)
    shapes = [part.shape.as_list() for part in concrete.structured_outputs]
    assert shapes == [variable.shape.as_list() for variable in layer.trainable_variables]


@pytest.mark.skipif(not tf.config.list_physical_devices("GPU"), reason="no GPU here")
def test_on_a_gpu_outputs_and_gradients_are_those_of_the_loop(layer, given):
    found = []
    for layer.cudnn in (False, True):
        with tf.GradientTape() as tape:
            tape.watch(given)
            outputs, state = layer(given[0], State(*given[1:]))
            loss = tf.reduce_sum(outputs**2) + tf.reduce_sum(state.h) + tf.reduce_sum(state.c * 3.0)
        found.append([outputs, *state, *tape.gradient(loss, [*given, *layer.trainable_variables])])
    for loop, cudnn in zip(*found, strict=True):
        np.testing.assert_allclose(loop, cudnn, atol=1e-3)  # cuDNN may round products to TF32
