"""Copying and coverage in the engine: against plain NumPy equations, and against all texts there are."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import tensorflow as tf

from lstmlm.decoding.engine import Engine
from lstmlm.decoding.onnx import files as onnx_files
from lstmlm.decoding.onnx.backend import OnnxBackend
from lstmlm.decoding.search.hypotheses import length_penalty
from lstmlm.decoding.search.request import SearchOptions, SearchRequest
from lstmlm.decoding.tensorflow_backend import TensorFlowBackend
from lstmlm.models.seq2seq import Seq2Seq
from lstmlm.recipe.sections.model import ModelSection

pytestmark = pytest.mark.slow

VOCABULARY, MOST, BEGIN, END = 7, 3, 2, 3
SIZES = ModelSection(embedding=6, units=8, layers=2, encoder_units=4, pointer=True, coverage=True)


@pytest.fixture(scope="module")
def network():
    network = Seq2Seq(SIZES, VOCABULARY, 3, tf.float32)
    for variable in network.named_variables().values():
        variable.assign(variable * 2.0)
    network.attention.coverage.assign(-1.7)
    return network


@pytest.fixture(scope="module", params=["onnx", "tensorflow"])
def backend(request, network):
    if request.param == "tensorflow":
        return TensorFlowBackend(network, VOCABULARY)
    weights = {name: variable.numpy() for name, variable in network.named_variables().items()}
    return OnnxBackend(*onnx_files.graphs(weights, int8=False))


def requests(count=12):
    rng = np.random.default_rng(4)
    return [SearchRequest([*rng.integers(4, VOCABULARY, rng.integers(0, 9)).tolist(), END]) for _ in range(count)]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    exponents = np.exp(x - x.max())
    return exponents / exponents.sum()


class Reference:
    """The decoder of one source, in float64, after the equations."""

    def __init__(self, network, ids):
        self.w = {name: variable.numpy().astype(float) for name, variable in network.named_variables().items()}
        states, memory = network.start(tf.constant([ids]), tf.constant([len(ids)]))
        self.ids, self.values = np.array(ids), memory.values.numpy()[0].astype(float)
        self.start = [(h.numpy()[0], c.numpy()[0]) for h, c in states], np.zeros(len(ids))

    def step(self, token, at):
        """Returns log p of every next token, and the state after."""
        layers, coverage = at
        w, x, after = self.w, self.w["embedding/table"][token], []
        for n, (h, c) in enumerate(layers):
            gates = x @ w[f"decoder_{n}/kernel"] + w[f"decoder_{n}/bias"] + h @ w[f"decoder_{n}/recurrent"]
            i, f, o, g = np.split(gates, 4)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            x = sigmoid(o) * np.tanh(c)
            after.append((x, c))
        attention = softmax(self.values @ w["attention/score"] @ x + w["attention/coverage"] * coverage)
        joined = np.concatenate([attention @ self.values, x])
        vector = np.tanh(joined @ w["attention_combine/kernel"] + w["attention_combine/bias"])
        gate = sigmoid(vector @ w["pointer/kernel"] + w["pointer/bias"])
        p = gate * softmax(w["embedding/table"] @ vector + w["embedding/bias"])
        np.add.at(p, self.ids, (1 - gate) * attention)
        p[0] = 0  # padding is ruled out
        with np.errstate(divide="ignore"):
            return np.log(p / p.sum()), (after, coverage + attention)

    def log_probability(self, tokens, *, ended):
        at, total, before = self.start, 0.0, BEGIN
        for token in [*tokens, *([END] if ended else [])]:
            logs, at = self.step(before, at)
            total, before = total + logs[token], token
        return total

    def ranked(self, alpha):
        """Returns every text of at most MOST tokens and its score, best first."""
        found = []
        for size in range(MOST + 1):
            for tokens in itertools.product([t for t in range(1, VOCABULARY) if t != END], repeat=size):
                ended = size < MOST  # the longest are cut
                value = self.log_probability(tokens, ended=ended)
                found.append((value / length_penalty(size + ended, alpha), tokens))
        return sorted(found, reverse=True)


def test_a_step_is_its_equations(network, backend):
    for request in requests():
        reference = Reference(network, request.ids)
        rows, at = backend.encode(np.array([request.ids]), np.array([len(request.ids)])), reference.start
        for token in (BEGIN, 5, 4, 6):
            logits, _ = backend.logits(rows, np.array([token]))
            expected, at = reference.step(token, at)
            found = logits[0, 1:] - np.log(np.exp(logits[0, 1:]).sum())
            np.testing.assert_allclose(found, expected[1:], rtol=1e-4, atol=1e-5)


def test_a_wide_beam_finds_the_best_of_all_texts(network, backend):
    options = SearchOptions("beam", max_tokens=MOST, beam=200, n_best=5, length_penalty=0.8)
    wanted = requests(3)
    for request, ranked in zip(wanted, Engine(backend, options, 400).decode(wanted), strict=True):
        best = Reference(network, request.ids).ranked(0.8)[:5]
        assert [hypothesis.tokens for hypothesis in ranked] == [tokens for _, tokens in best]
        np.testing.assert_allclose([h.score for h in ranked], [score for score, _ in best], rtol=1e-4)


def test_a_beam_of_one_is_greedy_search(network, backend):
    wanted = requests(30)
    greedy = Engine(backend, SearchOptions(max_tokens=12), 16).decode(wanted)
    beam = Engine(backend, SearchOptions("beam", max_tokens=12, beam=1), 16).decode(wanted)
    assert [best.tokens for (best,) in greedy] == [best.tokens for (best,) in beam]


def test_company_changes_no_output(network, backend):
    wanted = requests(30)
    for options in (SearchOptions(max_tokens=12), SearchOptions("beam", max_tokens=12, beam=3, n_best=3)):
        together = Engine(backend, options, 24).decode(wanted)
        single = [Engine(backend, options, 24).decode([request])[0] for request in wanted]
        assert [[h.tokens for h in ranked] for ranked in together] == [[h.tokens for h in ranked] for ranked in single]


def test_padding_is_never_decoded(network, backend):
    """The mixture has a floor, which padding must stay below: else a beam wider than the rest would take it."""
    options = SearchOptions("beam", max_tokens=MOST, beam=6, n_best=6)
    for ranked in Engine(backend, options, 12).decode(requests()):
        assert all(0 not in hypothesis.tokens for hypothesis in ranked)
