"""The heads against NumPy on the logits of the same step, for vocabularies that are and are not cut into blocks."""

import numpy as np
import pytest

from lstmlm.decoding.onnx import files as onnx_files
from lstmlm.decoding.onnx.backend import OnnxBackend
from lstmlm.decoding.search.hypotheses import log_softmax


def weights(vocabulary, width=8, units=12):
    rng = np.random.default_rng(vocabulary)
    shapes = {
        "embedding/table": [vocabulary, width],
        "embedding/bias": [vocabulary],
        "layer_0/kernel": [width, 4 * units],
        "layer_0/recurrent": [units, 4 * units],
        "layer_0/bias": [4 * units],
        "projection/kernel": [units, width],
        "projection/bias": [width],
    }
    made = {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    made["embedding/bias"][0] = -50  # a score counts padding in, as training does; it weighs nothing
    return made


@pytest.mark.parametrize("int8", [False, True], ids=["float32", "int8"])
@pytest.mark.parametrize("vocabulary", [30, 1000, 1009, 2048])
def test_heads_give_what_the_logits_say(vocabulary, int8):
    backend = OnnxBackend(*onnx_files.graphs(weights(vocabulary), int8=int8))
    rng = np.random.default_rng(0)
    ids, lengths, tokens = rng.integers(4, vocabulary, [9, 3]), np.full(9, 3), rng.integers(4, vocabulary, 9)
    logits, _ = backend.logits(backend.encode(ids, lengths), tokens)
    assert (logits[:, 0] < -1e8).all()  # padding is never chosen
    np.testing.assert_array_equal(backend.most_likely(backend.encode(ids, lengths), tokens), logits.argmax(axis=1))
    for count in (1, 6):
        scores, best, _ = backend.best(backend.encode(ids, lengths), tokens, count)
        expected = np.sort(log_softmax(logits), axis=1)[:, ::-1][:, :count]
        np.testing.assert_allclose(scores, expected, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(np.take_along_axis(log_softmax(logits), best, axis=1), scores, rtol=1e-5, atol=1e-6)
        assert all(len(set(row)) == count for row in best.tolist())
    targets = rng.integers(1, vocabulary, 9)
    found = backend.score(backend.encode(ids, lengths), tokens, targets)
    np.testing.assert_allclose(found, log_softmax(logits)[np.arange(9), targets], rtol=1e-4, atol=1e-4)
