"""The `.keras` file: a model that Keras loads by itself, with the weights of a network of this package."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np

from lstmlm.errors import UserError
from lstmlm.models.keras.layers import Floats, Weights, from_keras, layer_names, to_keras
from lstmlm.models.keras.networks import TIED, keras_network

_TABLE = "embedding/table"


def keras_model(weights: Weights, *, residual: bool = False) -> keras.Model:
    """Returns a network as a model of Keras with its weights, compiled as in the article; see `keras_network`.

    Args:
        weights: Arrays by the names of `Trainable.named_variables`.
        residual: `model.residual` of the recipe.
    """
    model, layers = keras_network(weights, residual=residual)
    for owner, names in layer_names(weights).items():
        tied = owner == TIED and isinstance(layers[owner], keras.layers.Dense)
        layers[owner].set_weights([weights[_TABLE].T, weights[TIED]] if tied else to_keras(names, weights))
    if len(model.outputs) == 1:
        model.compile("adam", "sparse_categorical_crossentropy", ["accuracy"])
    return model


def write_keras(weights: Weights, path: Path, *, residual: bool = False) -> bool:
    """Writes a `.keras` file; see `keras_model`.

    Returns:
        Whether the model in it predicts, and does not only hold the weights.

    Raises:
        UserError: The name does not end so.
    """
    if path.suffix != ".keras":
        raise UserError("the name of the file must end in .keras", where=str(path), hint=f"Write {path.stem}.keras")
    model = keras_model(weights, residual=residual)
    partial = path.with_name(f".{path.stem}.partial.keras")
    try:
        model.save(partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return len(model.outputs) == 1


def read_keras(path: Path, like: Weights, *, residual: bool = False) -> dict[str, Floats]:
    """Returns the weights in a `.keras` file, by their names here.

    Only numbers are taken of the file: the network is that of `like`, and nothing that the file names is imported.

    Args:
        path: The file.
        like: The weights of the same network, with which the file was written.
        residual: `model.residual` of the recipe.

    Raises:
        UserError: It is not such a file, is of another network, or ties the embedding to the softmax no longer.
    """
    model, layers = keras_network(like, residual=residual)
    try:
        model.load_weights(path)
    except Exception as error:  # Keras raises whatever its parts do
        what = f"no weights of this network: {str(error).strip().splitlines()[0][:200]}"
        raise UserError(what, where=str(path), hint="Name a .keras file of the same network") from error
    found: dict[str, Floats] = {}
    for owner, names in layer_names(like).items():
        values = layers[owner].get_weights()
        tied = owner == TIED and isinstance(layers[owner], keras.layers.Dense)
        found |= {TIED: values[1]} if tied else from_keras(names, values, like)
        if tied and not np.array_equal(values[0].T, layers[_TABLE].get_weights()[0]):
            what = "the softmax is not the embedding, as it is in a language model here"
            raise UserError(what, where=str(path), hint="Train the model here, or tie them again in Keras")
    return {name: np.ascontiguousarray(found[name], np.float32) for name in sorted(found)}
