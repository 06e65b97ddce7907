"""The network of the article against `keras.Sequential`, written out as it was published."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from lstmlm.models.keras.file import keras_model
from lstmlm.models.labels.article import Article
from lstmlm.recipe.file import parse_recipe
from lstmlm.tasks.classify import TASK

pytestmark = pytest.mark.slow

RECIPE = "name: article\ntask: classify\npreset: article\ncorpus: {train: x.tsv}\n"


def published() -> keras.Model:
    model = keras.Sequential(
        [
            keras.layers.Embedding(10_000, 128),
            keras.layers.LSTM(1024, return_sequences=True),
            keras.layers.Dense(1024),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.build((None, None))
    return model


def test_the_preset_is_the_published_network() -> None:
    recipe = parse_recipe(RECIPE, "article")
    ours, theirs = TASK.build(recipe, recipe.tokenizer.vocabulary, ["neg", "pos"]), published()
    assert isinstance(ours, Article)
    draw = np.random.default_rng(1)
    for variable in ours.named_variables().values():
        variable.assign_add(draw.normal(0.0, 0.02, variable.shape).astype(np.float32))
    weights = {name: variable.numpy() for name, variable in ours.named_variables().items()}
    assert sum(array.size for array in weights.values()) == theirs.count_params() == 7_054_338
    written = keras_model(weights)
    assert [type(layer) for layer in written.layers] == [type(layer) for layer in theirs.layers]
    assert written.optimizer.name.startswith("adam")
    assert written.loss == "sparse_categorical_crossentropy"
    theirs.set_weights(written.get_weights())
    tokens = draw.integers(0, 10_000, (2, 24))  # 0, padding, is read like any other token
    found = tf.nn.softmax(ours.token_logits(tf.constant(tokens, tf.int32))).numpy()
    assert found.shape == (2, 24, 2)
    assert np.abs(found - theirs.predict(tokens, verbose=0)).max() < 1e-5


def test_a_text_has_the_label_of_its_last_token_which_each_token_learns() -> None:
    recipe = parse_recipe(RECIPE, "article", ["model.units=6", "model.embedding=4"])
    model = TASK.build(recipe, 20, ["neg", "pos"])
    tokens = tf.constant([[5, 6, 3, 0], [7, 3, 0, 0]])
    batch = {"tokens": tokens, "label": tf.constant([0, 1]), "is_example": tf.constant([1, 1])}
    logits = model.token_logits(tokens).numpy()
    shares = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    assert np.allclose(model.predict(batch)["probabilities"], [shares[0, 2], shares[1, 1]], atol=1e-6)
    from lstmlm.models.noise import Noise

    noise = Noise(tf.constant([1, 1]), tf.constant(0), tf.constant(2))
    total, _ = model.loss(batch, noise=noise, smoothing=0.0)
    wanted = -np.log(shares[0, :3, 0]).mean() - np.log(shares[1, :2, 1]).mean()
    assert abs(float(total) - wanted) < 1e-5
