"""The backends against the model itself: in float32 the same outputs, in int8 nearly the same distributions."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from lstmlm.decoding.engine import Engine
from lstmlm.decoding.onnx import files as onnx_files
from lstmlm.decoding.onnx import language_model as onnx_language_model
from lstmlm.decoding.onnx.backend import OnnxBackend
from lstmlm.decoding.score import score
from lstmlm.decoding.search.request import SearchOptions, SearchRequest
from lstmlm.decoding.tensorflow_backend import TensorFlowBackend
from lstmlm.models import graph_search as search
from lstmlm.models.language_model import LanguageModel
from lstmlm.models.seq2seq import Seq2Seq
from lstmlm.recipe.sections.model import ModelSection

SIZES = ModelSection(embedding=12, units=16, layers=2, encoder_units=8, encoder_layers=2, dropout=0.3)
VOCABULARY = 40
MOST = 10


def sharpened(network):
    """Larger weights make the outputs of an untrained model differ from each other, and end at times."""
    for name, variable in network.named_variables().items():
        factor = 3.0 if name == "embedding/table" else 1.6
        variable.assign(variable * factor)
    bias = np.random.default_rng(5).normal(size=VOCABULARY).astype(np.float32)
    bias[search.END] = 2.0
    network.softmax.bias.assign(bias)
    return network


ADAPTIVE = SIZES.model_copy(update={"softmax": "adaptive", "cutoffs": (12, 20)})


POINTING = SIZES.model_copy(update={"pointer": True})
KINDS = {
    "pairs": (Seq2Seq, SIZES),
    "language": (LanguageModel, SIZES),
    "adaptive pairs": (Seq2Seq, ADAPTIVE),
    "adaptive language": (LanguageModel, ADAPTIVE),
    "pointing pairs": (Seq2Seq, POINTING),
    "covering pairs": (Seq2Seq, SIZES.model_copy(update={"coverage": True})),
    "pointing, covering pairs": (Seq2Seq, POINTING.model_copy(update={"coverage": True})),
}


@pytest.fixture(scope="module", params=KINDS)
def network(request):
    kind, sizes = KINDS[request.param]
    network = sharpened(kind(sizes, VOCABULARY, 1, tf.float32))
    if network.covers:
        network.attention.coverage.assign(-2.0)
    return network


def onnx_backend(network, *, int8=False):
    weights = {name: variable.numpy() for name, variable in network.named_variables().items()}
    return OnnxBackend(*onnx_files.graphs(weights, network.sizes.clusters(VOCABULARY), int8=int8))


@pytest.fixture(scope="module")
def backends(network):
    return {"onnx": onnx_backend(network), "tensorflow": TensorFlowBackend(network, VOCABULARY)}


def requests(network, count=60):
    rng = np.random.default_rng(2)
    rows = [rng.integers(4, VOCABULARY, rng.integers(0, 25)).tolist() for _ in range(count)]
    return [SearchRequest([*row, search.END] if network.closes_source else row, seed) for seed, row in enumerate(rows)]


def in_graph(network, wanted, *, sample=False, temperature=1.0):
    time = max(len(request.ids) for request in wanted)
    ids = np.array([request.ids + [0] * (time - len(request.ids)) for request in wanted], np.int32)
    lengths = np.array([len(request.ids) for request in wanted], np.int32)
    seeds = tf.constant([request.seed for request in wanted], tf.int64)
    options = search.Options(sample, temperature, MOST)
    found = network.decode(tf.constant(ids), tf.constant(lengths), seeds, options).numpy()
    return [tuple(int(token) for token in row if token) for row in found]


@pytest.mark.parametrize("name", ["onnx", "tensorflow"])
def test_greedy_and_sampling_equal_the_graph_of_the_saved_model(network, backends, name):
    wanted = requests(network)
    greedy = Engine(backends[name], SearchOptions(max_tokens=MOST), 16).decode(wanted)
    assert [best.tokens for (best,) in greedy] == in_graph(network, wanted)
    assert len({len(best.tokens) for (best,) in greedy}) > 3  # outputs that are worth comparing
    sample = Engine(backends[name], SearchOptions("sample", max_tokens=MOST, temperature=0.8), 16).decode(wanted)
    assert [best.tokens for (best,) in sample] == in_graph(network, wanted, sample=True, temperature=0.8)


def test_beams_are_the_same_on_both(network, backends):
    wanted = requests(network, 30)
    options = SearchOptions("beam", max_tokens=MOST, beam=4, n_best=4, length_penalty=0.7, coverage_penalty=0.2)
    one, other = (Engine(backend, options, 20).decode(wanted) for backend in backends.values())
    assert [[h.tokens for h in ranked] for ranked in one] == [[h.tokens for h in ranked] for ranked in other]
    for left, right in zip(one, other, strict=True):
        np.testing.assert_allclose([h.score for h in left], [h.score for h in right], rtol=1e-4)


def test_alignments_are_the_same_on_both_and_change_no_output(network, backends):
    wanted = requests(network, 30)
    for method in ("greedy", "sample", "beam"):
        options = SearchOptions(method, max_tokens=MOST, beam=3, align=True)
        if not network.closes_source:
            with pytest.raises(ValueError, match="without attention"):
                Engine(backends["onnx"], options, 12).decode(wanted)
            continue
        one, other = (Engine(backend, options, 12).decode(wanted) for backend in backends.values())
        assert [[h.alignment for h in ranked] for ranked in one] == [[h.alignment for h in ranked] for ranked in other]
        plain = Engine(backends["onnx"], SearchOptions(method, max_tokens=MOST, beam=3), 12).decode(wanted)
        assert [[h.tokens for h in ranked] for ranked in one] == [[h.tokens for h in ranked] for ranked in plain]


def test_company_changes_nothing_in_int8_either(network):
    backend, wanted = onnx_backend(network, int8=True), requests(network, 30)
    for options in (SearchOptions(max_tokens=MOST), SearchOptions("beam", max_tokens=MOST, beam=3)):
        together = Engine(backend, options, 24).decode(wanted)
        assert together == [Engine(backend, options, 24).decode([request])[0] for request in wanted]


def test_scores_are_the_training_loss(network, backends):
    rng = np.random.default_rng(3)
    texts = [[*rng.integers(4, VOCABULARY, rng.integers(1, 9)).tolist(), search.END] for _ in range(20)]
    wanted = requests(network, 20) if network.closes_source else [SearchRequest([]) for _ in texts]
    for backend in backends.values():
        for request, text, found in zip(wanted, texts, score(backend, wanted, texts, 8), strict=True):
            if network.closes_source:
                batch = {"source": tf.constant([request.ids]), "target": tf.constant([text])}
            else:
                batch = {"tokens": tf.constant([[search.END, *text]])}
            nats, count = network.loss(batch, noise=None, smoothing=0.0)
            assert found.tokens == int(count)
            np.testing.assert_allclose(-found.log_probability, nats, rtol=1e-4)


@pytest.mark.parametrize("int8", [False, True])
def test_a_text_is_scored_at_once_as_it_is_step_by_step(network, int8, monkeypatch):
    if network.closes_source:
        pytest.skip("a pair is scored step by step")
    weights = {name: variable.numpy() for name, variable in network.named_variables().items()}
    clusters = network.sizes.clusters(VOCABULARY)
    graphs = onnx_files.graphs(weights, clusters, int8=int8)
    fast = OnnxBackend(*graphs, scorer=lambda: onnx_language_model.scorer(weights, clusters, int8=int8))
    rng = np.random.default_rng(3)
    texts = [[*rng.integers(4, VOCABULARY, size).tolist(), search.END] for size in (0, 1, 3, 200, 7, 30, 31)] + [[]]
    prompts = [SearchRequest([]) for _ in texts]
    steps = score(OnnxBackend(*graphs), prompts, texts, 4)
    for tokens in (512, 8, 3):
        monkeypatch.setattr("lstmlm.decoding.score.TOKENS", tokens)
        at_once = score(fast, prompts, texts, 4)
        assert [one.tokens for one in at_once] == [one.tokens for one in steps]
        np.testing.assert_allclose(
            [one.log_probability for one in at_once], [one.log_probability for one in steps], rtol=1e-4
        )


def test_a_long_prompt_is_read_part_by_part(network, monkeypatch):
    if network.closes_source:
        pytest.skip("a source is cut")
    weights = {name: variable.numpy() for name, variable in network.named_variables().items()}
    clusters = network.sizes.clusters(VOCABULARY)
    graphs = onnx_files.graphs(weights, clusters, int8=False)
    parts = OnnxBackend(*graphs, scorer=lambda: onnx_language_model.scorer(weights, clusters, int8=False))
    monkeypatch.setattr("lstmlm.decoding.onnx.backend.LONG_PROMPT", 10)
    monkeypatch.setattr("lstmlm.decoding.onnx.backend.PART", 7)
    ids = np.random.default_rng(4).integers(4, VOCABULARY, [1, 40])
    for size in (11, 35, 40):
        lengths = np.array([size])
        one, other = (backend.encode(ids, lengths) for backend in (OnnxBackend(*graphs), parts))
        for left, right in zip(one.state, other.state, strict=True):
            np.testing.assert_allclose(left, right, atol=1e-5)


HAS_VNNI = "vnni" in Path("/proc/cpuinfo").read_text(encoding="utf-8")
"""Without this instruction sums of two int8 products saturate at 16 bits, which costs accuracy."""

pytestmark = pytest.mark.slow


def test_int8_is_close_to_float32(network):
    exact, rounded = onnx_backend(network), onnx_backend(network, int8=True)
    ids = np.random.default_rng(4).integers(4, VOCABULARY, [8, 6])
    lengths = np.array([6, 3, 1, 5, 2, 6, 4, 6])
    rows = [backend.encode(ids * (np.arange(6) < lengths[:, None]), lengths) for backend in (exact, rounded)]
    for token in (2, 9, 30):
        tokens = np.full(8, token)
        left, right = (b.logits(r, tokens)[0][:, 1:] for b, r in zip((exact, rounded), rows, strict=True))
        assert np.corrcoef(left.ravel(), right.ravel())[0, 1] > (0.99 if HAS_VNNI else 0.97)
        assert np.abs(left - right).mean() < (0.1 if HAS_VNNI else 0.2) * left.std()


def test_the_files_are_the_same_for_the_same_weights(network, tmp_path):
    weights = {name: variable.numpy() for name, variable in network.named_variables().items()}
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        onnx_files.write(tmp_path / folder, weights, network.sizes.clusters(VOCABULARY))
    one, two = ({p.name: p.read_bytes() for p in (tmp_path / folder).iterdir()} for folder in ("one", "two"))
    assert one == two
    assert set(one) == {"encoder.onnx", "decoder.onnx", "encoder.int8.onnx", "decoder.int8.onnx"}
    loaded = OnnxBackend.load(tmp_path / "one", int8=False)
    options, wanted = SearchOptions(max_tokens=MOST), requests(network, 5)
    assert Engine(loaded, options).decode(wanted) == Engine(onnx_backend(network), options).decode(wanted)
