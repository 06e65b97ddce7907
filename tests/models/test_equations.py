"""The layer computes the equations of `docs/equations.md`, with its weights found by the names of the article there."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from lstmlm.models.lstm import LSTM, State

PAGE = Path(__file__).parents[2] / "docs" / "equations.md"
ROW = re.compile(r"^\| `(\w+)` \| `(\w+)` \| (\d)u to (\d)u \|$", re.MULTILINE)
NAMES = {f"W_{gate}{way}" for gate in "ifoc" for way in "fb"} | {f"b_{gate}" for gate in "ifoc"}


def by_name(layer: LSTM) -> dict[str, np.ndarray]:
    """Returns the weights by the names of the article, as the table of the page says; matrices act from the left."""
    arrays = {name: getattr(layer, name).numpy().astype(float) for name in ("kernel", "recurrent", "bias")}
    return {
        name: arrays[array][..., int(first) * layer.units : int(last) * layer.units].T
        for name, array, first, last in ROW.findall(PAGE.read_text(encoding="utf-8"))
    }


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def step(w, x_t, h, cell):
    """The equations of the page, for one row."""
    f_t = sigmoid(w["W_ff"] @ x_t + w["W_fb"] @ h + w["b_f"])
    i_t = sigmoid(w["W_if"] @ x_t + w["W_ib"] @ h + w["b_i"])
    c_t = np.tanh(w["W_cf"] @ x_t + w["W_cb"] @ h + w["b_c"])
    cell = f_t * cell + i_t * c_t
    o_t = sigmoid(w["W_of"] @ x_t + w["W_ob"] @ h + w["b_o"])
    return o_t * np.tanh(cell), cell


@pytest.fixture
def layer() -> LSTM:
    layer = LSTM(4, 3, tf.random.Generator.from_seed(1), precision=tf.float32, name="layer")
    layer.bias.assign(np.random.default_rng(1).normal(size=12).astype(np.float32))
    return layer


def test_the_table_names_every_weight_once(layer: LSTM) -> None:
    found = ROW.findall(PAGE.read_text(encoding="utf-8"))
    assert {name for name, *_ in found} == NAMES
    assert len(found) == len(NAMES) == len({tuple(place) for _, *place in found})
    sizes = [
        sum(weight.size for name, weight in by_name(layer).items() if name.startswith(kind)) for kind in ("W", "b")
    ]
    assert sum(sizes) == sum(int(tf.size(variable)) for variable in layer.trainable_variables)


def test_the_layer_computes_the_equations_under_these_names(layer: LSTM) -> None:
    rng, w = np.random.default_rng(2), by_name(layer)
    x, h, c = rng.normal(size=[9, 2, 4]), rng.normal(size=[2, 3]), rng.normal(size=[2, 3])
    outputs, state = layer(tf.constant(x, tf.float32), State(tf.constant(h, tf.float32), tf.constant(c, tf.float32)))
    for row in range(2):
        h_row, c_row = h[row], c[row]
        for t in range(9):
            h_row, c_row = step(w, x[t, row], h_row, c_row)
            np.testing.assert_allclose(outputs[t, row], h_row, atol=1e-5)
        np.testing.assert_allclose(state.c[row], c_row, atol=1e-5)


def test_a_new_layer_keeps_what_its_cells_hold() -> None:
    layer = LSTM(4, 3, tf.random.Generator.from_seed(1), precision=tf.float32, name="layer")
    biases = {name: weight for name, weight in by_name(layer).items() if name.startswith("b_")}
    assert {name: set(weight.tolist()) for name, weight in biases.items()} == {
        "b_f": {1.0},
        "b_i": {0.0},
        "b_o": {0.0},
        "b_c": {0.0},
    }
