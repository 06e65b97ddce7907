"""The language model of the search gives words the probabilities that it gives whole texts."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from lstmlm.decoding.ctc.fusion import LSTMWords
from lstmlm.decoding.onnx import files as onnx_files
from lstmlm.decoding.onnx.backend import OnnxBackend
from lstmlm.decoding.score import score
from lstmlm.decoding.search.request import SearchRequest
from lstmlm.decoding.tensorflow_backend import TensorFlowBackend
from lstmlm.models.language_model import LanguageModel
from lstmlm.recipe.sections.model import ModelSection
from lstmlm.recipe.sections.tokenizer import TokenizerSection
from lstmlm.tokenizer import Tokenizer
from lstmlm.vocabulary.train import train_model, training_lines

WORDS = ["zero", "one", "two", "three"]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    path: Path = tmp_path_factory.mktemp("words") / "tokenizer.model"
    settings = TokenizerSection(algorithm="character")
    path.write_bytes(train_model((line for text in WORDS * 9 for line in training_lines(text)), settings))
    return Tokenizer(path)


@pytest.mark.parametrize("kind", ["onnx", "tensorflow"])
def test_the_words_of_a_text_sum_up_to_the_text(tokenizer: Tokenizer, kind: str) -> None:
    network = LanguageModel(ModelSection(embedding=12, units=16, layers=2), tokenizer.size, 1, tf.float32)
    weights = {name: variable.numpy() for name, variable in network.named_variables().items()}
    if kind == "onnx":
        backend = OnnxBackend(*onnx_files.graphs(weights, (), int8=False))
    else:
        backend = TensorFlowBackend(network, tokenizer.size)
    model = LSTMWords(backend, tokenizer, weight=0.5, bonus=0.25)
    texts = [list(words) for size in (1, 2, 3) for words in itertools.product(WORDS, repeat=size)]
    requests = [SearchRequest([], 0) for _ in texts]
    targets = [[*tokenizer.encode(" ".join(words)), Tokenizer.END] for words in texts]
    expected = [found.log_probability for found in score(backend, requests, targets, 8)]

    def grown(begun: list[tuple[float, int]], place: int) -> list[tuple[float, int]]:
        """All texts take their next word together, so that states are copied and moved."""
        asked = [
            (history, words[place]) for (_, history), words in zip(begun, texts, strict=True) if place < len(words)
        ]
        found = iter(model.scored(asked))
        return [
            (before[0] + (step := next(found))[0], step[1]) if place < len(words) else before
            for before, words in zip(begun, texts, strict=True)
        ]

    totals = [(0.0, model.begin())] * len(texts)
    for place in range(3):
        totals = grown(totals, place)
    ends = model.closed([history for _, history in totals])
    found = [total + end - 0.25 * len(words) for (total, _), end, words in zip(totals, ends, texts, strict=True)]
    np.testing.assert_allclose(found, 0.5 * np.array(expected), atol=1e-4)
