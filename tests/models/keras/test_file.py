"""Weights as a `.keras` file and back."""

from __future__ import annotations

import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from lstmlm.errors import UserError
from lstmlm.models.base import Trainable
from lstmlm.models.keras.file import keras_model, read_keras, write_keras
from lstmlm.models.labels.classifier import Classifier
from lstmlm.models.language_model import LanguageModel
from lstmlm.models.seq2seq import Seq2Seq
from lstmlm.recipe.sections.labels import LabelOptions
from lstmlm.recipe.sections.model import ModelSection

SMALL = {"embedding": 5, "units": 6, "encoder_units": 4}


def weights_of(model: Trainable) -> dict[str, np.ndarray]:
    return {name: variable.numpy() for name, variable in model.named_variables().items()}


def networks() -> dict[str, Trainable]:
    hard = ModelSection.model_validate(
        SMALL | {"attention": "bahdanau", "pointer": True, "input_feeding": True, "layers": 2}
    )
    options = LabelOptions(pooling=("attention", "last"), members=2, ngrams=2, ngram_buckets=9)
    adaptive = ModelSection.model_validate(SMALL | {"softmax": "adaptive", "cutoffs": [8, 12]})
    return {
        "language model": LanguageModel(ModelSection.model_validate(SMALL | {"layers": 2}), 20, 1, tf.float32),
        "adaptive softmax": LanguageModel(adaptive, 20, 1, tf.float32),
        "pairs": Seq2Seq(hard, 20, 1, tf.float32),
        "classifier": Classifier(options, ModelSection.model_validate(SMALL), 20, 3, 1, tf.float32),
    }


@pytest.mark.parametrize("name", ["language model", "adaptive softmax", "pairs", "classifier"])
def test_every_weight_comes_back_and_keras_loads_the_file_by_itself(name: str, tmp_path: Path) -> None:
    weights = weights_of(networks()[name])
    write_keras(weights, tmp_path / "model.keras")
    assert [path.name for path in tmp_path.iterdir()] == ["model.keras"]
    found = read_keras(tmp_path / "model.keras", {key: np.zeros_like(array) for key, array in weights.items()})
    assert found.keys() == weights.keys()
    assert all((found[key] == weights[key]).all() for key in weights)
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    values = [loaded.get_layer("encoder_0_forward").get_weights()] if name in ("pairs", "classifier") else []
    for kernel, _, bias in values:
        i, f, g, o = np.split(kernel, 4, axis=1)
        assert (np.concatenate([i, f, o, g], axis=1) == weights["encoder_0_forward/kernel"]).all()
        assert bias.shape == (16,)


@pytest.mark.parametrize("residual", [False, True])
def test_a_language_model_predicts_the_same_in_keras(residual: bool) -> None:
    model = LanguageModel(ModelSection.model_validate(SMALL | {"layers": 3, "residual": residual}), 20, 1, tf.float32)
    tokens = np.array([[3, 5, 7, 9], [4, 4, 19, 2]])
    hidden, _ = model.hidden(tf.constant(tokens, tf.int32), model.zero_state(tf.constant(2)), None)
    ours = tf.nn.softmax(model.softmax.logits(hidden)).numpy().reshape(4, 2, 20).transpose(1, 0, 2)
    theirs = keras_model(weights_of(model), residual=residual).predict(tokens, verbose=0)
    assert np.abs(ours - theirs).max() < 1e-5


def test_what_is_no_file_of_this_network_is_refused_in_one_line(tmp_path: Path) -> None:
    found = networks()
    weights, path = weights_of(found["language model"]), tmp_path / "model.keras"
    with pytest.raises(UserError, match=r"the name of the file must end in \.keras"):
        write_keras(weights, tmp_path / "model.h5")
    write_keras(weights, path)
    with pytest.raises(UserError, match="no weights of this network") as caught:
        read_keras(path, weights_of(found["pairs"]))
    assert "\n" not in str(caught.value)
    untied = keras.saving.load_model(path)
    layer = untied.get_layer("softmax")
    layer.set_weights([layer.get_weights()[0] + 1, layer.get_weights()[1]])
    untied.save(path)
    with pytest.raises(UserError, match="the softmax is not the embedding"):
        read_keras(path, weights)
    path.write_bytes(b"no archive")
    with pytest.raises(UserError, match="no weights of this network"):
        read_keras(path, weights)


def test_a_class_that_the_file_names_is_not_imported(tmp_path: Path) -> None:
    weights = weights_of(networks()["language model"])
    write_keras(weights, tmp_path / "good.keras")
    with zipfile.ZipFile(tmp_path / "good.keras") as good, zipfile.ZipFile(tmp_path / "bad.keras", "w") as bad:
        for name in good.namelist():
            content = good.read(name)
            if name == "config.json":
                content = b'{"module": "no_such_module", "class_name": "Nothing", "config": {}}'
            bad.writestr(name, content)
    found = read_keras(tmp_path / "bad.keras", weights)
    assert all((found[key] == weights[key]).all() for key in weights)
