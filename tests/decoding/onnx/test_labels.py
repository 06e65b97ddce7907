"""The graph of a classifier gives the probabilities of the network, also where its layers are residual."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
import tensorflow as tf

from lstmlm.decoding.onnx.labels import labelling
from lstmlm.models.labels.classifier import Classifier
from lstmlm.recipe.sections.labels import LabelOptions
from lstmlm.recipe.sections.model import ModelSection


@pytest.mark.parametrize("residual", [False, True])
def test_probabilities_are_those_of_the_network(residual: bool) -> None:
    pooling = ("last", "max", "mean", "attention")
    options = LabelOptions(ngrams=2, ngram_buckets=50, ngram_ratios=residual, members=2, pooling=pooling)
    sizes = ModelSection(embedding=6, encoder_units=5, encoder_layers=3, dropout=0.0, residual=residual)
    network = Classifier(options, sizes, 30, 4, seed=1, precision=tf.float32)
    rng = np.random.default_rng(0)
    for variable in network.trainable_variables:
        variable.assign_add(rng.normal(0.0, 0.3, variable.shape))
    tokens = np.array([[5, 6, 7, 8, 9], [10, 11, 0, 0, 0]], np.int64)
    expected = network.predict({"tokens": tf.constant(tokens, tf.int32)})["probabilities"]
    weights = {name: variable.numpy() for name, variable in network.named_variables().items()}
    graph = labelling(weights, options, int8=False, residual=residual)
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"tokens": tokens, "length": np.array([5, 2])})
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
