"""Weights as the layers of Keras hold them, and back.

An LSTM's gates are i, f, o, g here and i, f, g, o there; everything else is the same. A weight that is of no layer of
Keras (a query of attention, the bias of a tied softmax) is held by an embedding with as many rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Weights = Mapping[str, Floats]
"""Arrays by the names of `Trainable.named_variables`."""

_PARTS = ("kernel", "recurrent", "bias")


def layer_names(weights: Weights) -> dict[str, list[str]]:
    """Returns the names of the layers, and of the arrays of each in the order in which Keras holds them."""
    found: dict[str, list[str]] = {}
    for name in sorted(weights):
        owner, _, part = name.rpartition("/")
        dense = part in _PARTS and f"{owner}/kernel" in weights and weights[f"{owner}/kernel"].ndim == 2
        found.setdefault(owner if dense else name, []).append(name)
    return {owner: sorted(names, key=lambda name: _order(owner, name)) for owner, names in found.items()}


def _order(owner: str, name: str) -> int:
    return _PARTS.index(name.removeprefix(f"{owner}/")) if name != owner else 0


def keras_layer(owner: str, names: Sequence[str], weights: Weights, **options: Any) -> keras.Layer:
    """Returns a layer of Keras for some arrays, not yet with their values.

    Args:
        owner: Name of the layer.
        names: Its arrays, as `layer_names` gives them.
        weights: All arrays.
        options: More arguments of the layer.
    """
    named = {"name": owner.replace("/", "."), **options}
    if f"{owner}/recurrent" in names:
        units = weights[f"{owner}/recurrent"].shape[0]
        return keras.layers.LSTM(units, **{"return_sequences": True, **named})
    if f"{owner}/kernel" in names:
        return keras.layers.Dense(weights[f"{owner}/kernel"].shape[1], use_bias=f"{owner}/bias" in names, **named)
    rows, width = flat(weights[owner]).shape
    return keras.layers.Embedding(rows, width, **named)


def flat(array: Floats) -> Floats:
    """Returns an array as a matrix, its last axis first of all kept: [..., width] -> [rows, width]."""
    return array.reshape(-1, array.shape[-1] if array.ndim > 1 else 1)


def to_keras(names: Sequence[str], weights: Weights) -> list[Floats]:
    """Returns the arrays of a layer as `keras.Layer.set_weights` takes them."""
    if len(names) == 3:
        return [_swapped(weights[name]) for name in names]
    return [weights[name] if len(names) > 1 or name.endswith("/kernel") else flat(weights[name]) for name in names]


def from_keras(names: Sequence[str], values: Sequence[Floats], weights: Weights) -> dict[str, Floats]:
    """Returns the arrays by their names of what `keras.Layer.get_weights` gives; `weights` has their shapes."""
    changed = [_swapped(value) for value in values] if len(names) == 3 else values
    return {name: value.reshape(weights[name].shape) for name, value in zip(names, changed, strict=True)}


def _swapped(array: Floats) -> Floats:
    """Exchanges the last two of four gates, which are side by side along the last axis."""
    i, f, o, g = np.split(array, 4, axis=-1)
    return np.concatenate([i, f, g, o], axis=-1)
