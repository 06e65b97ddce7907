"""The article's network as `keras.Sequential`, written out, with the weights of this project's.

Prints `{"ours": parameters, "keras": parameters, "difference": largest difference of the outputs}`.
"""

from __future__ import annotations

import json

import keras
import numpy as np
import tensorflow as tf

from lstmlm.models.labels.article import Article
from lstmlm.recipe.presets import PRESETS
from lstmlm.recipe.sections.model import ModelSection


def main() -> None:
    """Compares them."""
    ours = Article("one", ModelSection(**PRESETS["article"]["model"]), 10_000, 2, 1, tf.float32)
    draw = np.random.default_rng(1)
    for variable in ours.named_variables().values():
        variable.assign(variable + draw.normal(0.0, 0.02, variable.shape).astype(np.float32))
    weights = {name: variable.numpy() for name, variable in ours.named_variables().items()}
    theirs = keras.Sequential(
        [
            keras.layers.Embedding(10_000, 128),
            keras.layers.LSTM(1024, return_sequences=True),
            keras.layers.Dense(1024),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    theirs.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    theirs.build((None, None))
    gates = {part: np.split(weights[f"layer_0/{part}"], 4, axis=-1) for part in ("kernel", "recurrent", "bias")}
    lstm = [np.concatenate([i, f, g, o], axis=-1) for i, f, o, g in gates.values()]
    dense = [weights[f"{name}/{part}"] for name in ("dense", "output") for part in ("kernel", "bias")]
    theirs.set_weights([weights["embedding/table"], *lstm, *dense])
    tokens = draw.integers(0, 10_000, (4, 60))
    found = tf.nn.softmax(ours.token_logits(tf.constant(tokens, tf.int32))).numpy()
    wanted = theirs.predict(tokens, verbose=0)
    assert found.shape == wanted.shape == (4, 60, 2)
    count = sum(array.size for array in weights.values())
    print(json.dumps({"ours": count, "keras": theirs.count_params(), "difference": float(abs(found - wanted).max())}))


if __name__ == "__main__":
    main()
