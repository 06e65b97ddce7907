"""Networks of Keras layers that compute what a network of this package computes, or that only hold its weights."""

from __future__ import annotations

from collections.abc import Mapping

import keras

from lstmlm.models.keras.layers import Weights, keras_layer, layer_names

Layers = Mapping[str, keras.Layer]

TIED = "embedding/bias"
"""The layer of a language model in Keras that has a copy of the embedding too: its softmax."""


def keras_network(weights: Weights, *, residual: bool = False) -> tuple[keras.Model, Layers]:
    """Returns a model of Keras for some weights, not yet with their values, and its layers by their names here.

    The network of the article is `keras.Sequential` as published, a language model with a full softmax gives the
    probabilities of the next token at each place. Any other network is a model that holds every layer, each with an
    input and an output of its own.

    Args:
        weights: The network's.
        residual: Whether the input of a layer is added to its output, from the second layer on.
    """
    layers = {owner: keras_layer(owner, names, weights) for owner, names in layer_names(weights).items()}
    if _is_article(weights):
        layers["output"] = keras.layers.Dense(weights["output/bias"].size, activation="softmax", name="output")
        return _article(layers), layers
    if _is_language_model(weights):
        layers[TIED] = keras.layers.Dense(weights[TIED].size, activation="softmax", name="softmax")
        return _language_model(layers, residual=residual), layers
    return _unconnected(layers, weights), layers


def _is_article(weights: Weights) -> bool:
    return set(layer_names(weights)) == {"embedding/table", "layer_0", "dense", "output"}


def _is_language_model(weights: Weights) -> bool:
    others = {name for name in layer_names(weights) if not name.startswith("layer_")}
    return others == {"embedding/table", "embedding/bias", "projection"}


def _article(layers: Layers) -> keras.Model:
    order = ("embedding/table", "layer_0", "dense", "output")
    model = keras.Sequential([layers[name] for name in order], name="article")
    model.build((None, None))
    return model


def _language_model(layers: Layers, *, residual: bool) -> keras.Model:
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    values = layers["embedding/table"](tokens)
    for n in range(sum(name.startswith("layer_") for name in layers)):
        above = layers[f"layer_{n}"](values)
        values = keras.layers.Add(name=f"sum_{n}")([above, values]) if residual and n else above
    return keras.Model(tokens, layers[TIED](layers["projection"](values)), name="language_model")


def _unconnected(layers: Layers, weights: Weights) -> keras.Model:
    inputs, outputs = [], []
    for owner, layer in layers.items():
        if isinstance(layer, keras.layers.Embedding):
            inputs.append(keras.Input((None,), dtype="int32", name=f"{layer.name}.input"))
        else:
            width = weights[f"{owner}/kernel"].shape[0]
            inputs.append(keras.Input((None, width), name=f"{layer.name}.input"))
        outputs.append(layer(inputs[-1]))
    return keras.Model(inputs, outputs, name="weights")
