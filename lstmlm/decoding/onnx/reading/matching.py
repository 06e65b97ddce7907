"""How the tokens of a passage match those of a question, as ONNX: see `lstmlm.models.reader.matches`."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from lstmlm.decoding.onnx.graph import GraphWriter
from lstmlm.decoding.onnx.layers import Weights
from lstmlm.models.reader.names import LEAST_SHARE, REACHES, SHAPES
from lstmlm.models.reader.shapes import Shape

_END = np.iinfo(np.int64).max


def add_matches(graph: GraphWriter, weights: Weights, question_words: str, bits: str) -> str:
    """Adds the features of the passage's tokens.

    Args:
        graph: The graph being written; it reads `passage` and `question`, each with `_form` and `_stem`.
        weights: The network's.
        question_words: The question's embedded tokens, float32 [rows, question, width].
        bits: What `shape_bits` gives for the passage's tokens.

    Returns:
        Name of float32 [rows, passage, features]; 0 for padding.
    """
    share = _share(graph, _importance(graph, weights, question_words))
    most = graph.apply("ReduceMax", share, graph.integers(1), keepdims=1)
    heaviest = graph.apply("Div", share, graph.apply("Max", most, graph.weight(LEAST_SHARE)))
    exact, form, stem = (_same(graph, name) for name in ("", "_form", "_stem"))
    weighed = graph.apply("Mul", form, graph.apply("Unsqueeze", heaviest, graph.integers(1)))
    features = [_any(graph, match) for match in (exact, form, stem, weighed)]
    pairs = graph.apply("Mul", _inner(graph, form, 1, _END), _inner(graph, form, 0, -1))
    triples = graph.apply("Mul", _inner(graph, pairs, 1, _END), _inner(graph, pairs, 0, -1))
    features += [_spread(graph, _any(graph, match), length) for length, match in ((2, pairs), (3, triples))]
    by_question = graph.apply("Transpose", form, perm=[0, 2, 1])
    for reach in REACHES:
        near = graph.apply("MaxPool", by_question, kernel_shape=[2 * reach + 1], pads=[reach, reach])
        features.append(_found(graph, near, share))
    sentence = _found(graph, _in_sentence(graph, by_question, bits), share)
    best = graph.apply("ReduceMax", sentence, graph.integers(1), keepdims=1)
    features += [sentence, graph.apply("Sub", sentence, best), _rare(graph, weights, "passage")]
    columns = [graph.apply("Unsqueeze", feature, graph.integers(2)) for feature in features]
    inside = graph.apply("Cast", there(graph, "passage"), to=TensorProto.FLOAT)
    stacked = graph.apply("Concat", *columns, bits, axis=2)
    return graph.apply("Mul", stacked, graph.apply("Unsqueeze", inside, graph.integers(2)))


def shape_bits(graph: GraphWriter, shape: str) -> str:
    """Adds the bits of int64 [rows, time], float32 [rows, time, bits]."""
    powers = graph.integers(*(1 << bit for bit in range(SHAPES)))
    shifted = graph.apply("Div", graph.apply("Unsqueeze", shape, graph.integers(2)), powers)
    return graph.apply("Cast", graph.apply("Mod", shifted, graph.integers(2)), to=TensorProto.FLOAT)


def one_bit(graph: GraphWriter, bits: str, shape: Shape) -> str:
    """Adds whether tokens have a shape, float32 [rows, time], by what `shape_bits` gives."""
    place = graph.integers(int(shape).bit_length() - 1)
    return graph.apply("Squeeze", graph.apply("Gather", bits, place, axis=2), graph.integers(2))


def there(graph: GraphWriter, ids: str) -> str:
    """Adds which ids are no padding, bool."""
    return graph.apply("Greater", ids, graph.integers(0))


def _importance(graph: GraphWriter, weights: Weights, words: str) -> str:
    """Adds how much each token of a question says, float32 [rows, question]; 0 for padding."""
    learnt = graph.apply("MatMul", words, graph.weight(weights["matches/weight"]))
    by_rank, shift = (np.float32(number) for number in weights["matches/rarity"])
    rare = graph.apply("Mul", _rare(graph, weights, "question"), graph.weight(by_rank))
    total = graph.apply("Add", rare, graph.apply("Squeeze", learnt, graph.integers(2)))
    positive = graph.apply("Softplus", graph.apply("Add", total, graph.weight(shift)))
    return graph.apply("Mul", positive, graph.apply("Cast", there(graph, "question"), to=TensorProto.FLOAT))


def _share(graph: GraphWriter, importance: str) -> str:
    total = graph.apply("ReduceSum", importance, graph.integers(1), keepdims=1)
    return graph.apply("Div", importance, graph.apply("Max", total, graph.weight(LEAST_SHARE)))


def _rare(graph: GraphWriter, weights: Weights, ids: str) -> str:
    """Adds how rare tokens are, from 0 to 1."""
    rank = graph.apply("Cast", graph.apply("Max", ids, graph.integers(1)), to=TensorProto.FLOAT)
    vocabulary = np.log(np.float32(max(2, len(weights["embedding/table"]))))
    return graph.apply("Div", graph.apply("Log", rank), graph.weight(vocabulary))


def _same(graph: GraphWriter, name: str) -> str:
    """Adds which tokens are equal, float32 [rows, passage, question]."""
    passage = graph.apply("Unsqueeze", f"passage{name}", graph.integers(2))
    question = graph.apply("Unsqueeze", f"question{name}", graph.integers(1))
    same = graph.apply("And", graph.apply("Equal", passage, question), there(graph, question))
    return graph.apply("Cast", same, to=TensorProto.FLOAT)


def _any(graph: GraphWriter, match: str) -> str:
    return graph.apply("ReduceMax", match, graph.integers(2), keepdims=0)


def _inner(graph: GraphWriter, match: str, first: int, behind: int) -> str:
    """Adds a slice of the same places along passage and question."""
    return graph.apply(
        "Slice", match, graph.integers(first, first), graph.integers(behind, behind), graph.integers(1, 2)
    )


def _spread(graph: GraphWriter, starts: str, length: int) -> str:
    """Adds the tokens of runs, by their starts: float32 [rows, passage - length + 1] -> [rows, passage]."""
    more = length - 1
    padded = graph.apply("Pad", starts, graph.integers(0, more, 0, more), graph.weight(np.float32(0)))
    return graph.apply("Max", *shifted(graph, padded, length))


def shifted(graph: GraphWriter, padded: str, length: int) -> list[str]:
    """Adds the slices of [rows, time + length - 1] that begin at the first `length` places, [rows, time] each."""
    more = length - 1
    return [
        graph.apply(
            "Slice", padded, graph.integers(n), graph.integers(n - more if n < more else _END), graph.integers(1)
        )
        for n in range(length)
    ]


def _in_sentence(graph: GraphWriter, by_question: str, bits: str) -> str:
    """Adds which tokens of the question are in a token's own sentence, float32 [rows, question, passage]."""
    ends = one_bit(graph, bits, Shape.SENTENCE_END)
    number = graph.apply("CumSum", ends, graph.weight(np.int64(1)), exclusive=1)
    ours, others = (graph.apply("Unsqueeze", number, graph.integers(axis)) for axis in (2, 1))
    together = graph.apply("Cast", graph.apply("Equal", ours, others), to=TensorProto.FLOAT)
    return graph.apply("Min", graph.apply("MatMul", by_question, together), graph.weight(np.float32(1)))


def _found(graph: GraphWriter, match: str, share: str) -> str:
    """Adds the share of the question that is found: float32 [rows, question, passage] -> [rows, passage]."""
    product = graph.apply("MatMul", graph.apply("Unsqueeze", share, graph.integers(1)), match)
    return graph.apply("Squeeze", product, graph.integers(1))
