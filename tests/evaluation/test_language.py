"""Perplexity of a network over a stream, against scoring the same stream in one piece."""

import json

import numpy as np
import pytest
import tensorflow as tf

from lstmlm.evaluation.language import score_stream
from lstmlm.evaluation.run import evaluate
from lstmlm.models.language_model import LanguageModel
from lstmlm.progress import Silent
from lstmlm.recipe.sections.evaluation import Cache
from lstmlm.recipe.sections.model import ModelSection

pytestmark = pytest.mark.slow

VOCABULARY = 20


@pytest.mark.parametrize("length", [2, 17, 300])
def test_an_untrained_uniform_network_scores_log_vocabulary_a_token(length):
    network = LanguageModel(ModelSection(embedding=8, units=8), VOCABULARY, 1, tf.float32)
    for variable in network.named_variables().values():
        variable.assign(tf.zeros_like(variable))
    ids = np.random.default_rng(0).integers(3, VOCABULARY, length).astype(np.int32)
    assert score_stream(network, ids, 5)[0] == pytest.approx((length - 1) * np.log(VOCABULARY), rel=1e-5)


def test_the_window_does_not_change_the_score():
    network = LanguageModel(ModelSection(embedding=8, units=8), VOCABULARY, 1, tf.float32)
    ids = np.random.default_rng(0).integers(3, VOCABULARY, 16 * 24 + 1).astype(np.int32)
    cache = Cache(size=10)
    assert score_stream(network, ids, 6, cache) == pytest.approx(score_stream(network, ids, 24, cache), rel=1e-5)


def test_a_published_model_is_evaluated_next_to_its_baselines(exported, tmp_path):
    if exported.recipe.task != "generate":
        pytest.skip("only a language model has a perplexity")
    evaluate(exported.recipe, exported.export, exported.records, tmp_path / "evaluated", Silent())
    metrics = json.loads((tmp_path / "evaluated" / "metrics.json").read_text())["metrics"]
    assert metrics["trigram_perplexity"] < metrics["unigram_perplexity"] < 600
    assert 400 < metrics["perplexity"] < 900  # untrained: about the vocabulary
    assert metrics["word_perplexity"] > metrics["word_perplexity_eos"]
