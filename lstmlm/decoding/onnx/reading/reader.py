"""The reader of question answering as an ONNX graph: see `lstmlm.models.reader.reader`."""

from __future__ import annotations

import numpy as np
import onnx

from lstmlm.decoding.onnx.bidirectional import over_time
from lstmlm.decoding.onnx.encoder import encoded_values
from lstmlm.decoding.onnx.graph import GraphWriter, value
from lstmlm.decoding.onnx.layers import Weights
from lstmlm.decoding.onnx.reading.matching import add_matches, one_bit, shape_bits, shifted, there
from lstmlm.models.reader.names import IMPOSSIBLE
from lstmlm.models.reader.shapes import Shape

PASSAGE = ("passage", "passage_form", "passage_stem", "passage_shape")
QUESTION = ("question", "question_form", "question_stem")
PER_ROW = ("passage_length", "question_length", "own_first", "own_behind")
"""What the graph reads: tokens of a passage and of a question, and a number of each row."""


def reading(weights: Weights, *, residual: bool, int8: bool) -> onnx.ModelProto:
    """Returns the graph.

    It takes `PASSAGE` and `QUESTION` (int64 [rows, time], padded) and `PER_ROW` (int64 [rows]; lengths are at least 1),
    and gives `start`, `end` (int64 [rows]), `odds` and `mass` (float32 [rows]), which are what
    `lstmlm.models.reader.spans.Best` holds, at the fitted temperature.

    Args:
        weights: Arrays by the names of `Reader.named_variables`.
        residual: Whether a layer's input is added to its output, from the second layer on.
        int8: Compute the matrix products in int8 (see `lstmlm.decoding.onnx.graph`).
    """
    graph = GraphWriter("reader", int8=int8)
    table = graph.weight(weights["embedding/table"])
    passage_words, passage_read = _read(graph, weights, table, "passage", residual=residual)
    question_words, question_read = _read(graph, weights, table, "question", residual=residual)
    bits = shape_bits(graph, "passage_shape")
    features = add_matches(graph, weights, question_words, bits)
    aligned = _aligned(graph, weights, passage_words, question_words)
    asked = _asked(graph, weights, question_read)
    joined = [passage_words, passage_read, aligned, features, _about(graph, weights, asked)]
    values = _over(graph, weights, "joining", graph.apply("Concat", *joined, axis=2))
    own = {name.replace("reader_", "encoder_"): array for name, array in weights.items() if name.startswith("reader_")}
    read, _ = encoded_values(graph, own, values, "passage_length", bounded=False, residual=residual)
    read = graph.apply("Transpose", read, perm=[1, 0, 2])
    logits = _span_logits(graph, weights, asked, graph.apply("Concat", read, features, axis=2), bits)
    _add_best(graph, weights, logits, _no_answer(graph, weights, asked, read))
    inputs = [value(name, np.int64, "rows", "passage_time") for name in PASSAGE]
    inputs += [value(name, np.int64, "rows", "question_time") for name in QUESTION]
    inputs += [value(name, np.int64, "rows") for name in PER_ROW]
    outputs = [value(name, np.int64, "rows") for name in ("start", "end")]
    return graph.model(inputs, [*outputs, *(value(name, np.float32, "rows") for name in ("odds", "mass"))])


def _read(graph: GraphWriter, weights: Weights, table: str, name: str, *, residual: bool) -> tuple[str, str]:
    """Adds embedded tokens and what the encoder makes of them, float32 [rows, time, width] each."""
    words = graph.apply("Gather", table, name)
    read, _ = encoded_values(graph, weights, words, f"{name}_length", bounded=False, residual=residual)
    return words, graph.apply("Transpose", read, perm=[1, 0, 2])


def _over(graph: GraphWriter, weights: Weights, name: str, values: str) -> str:
    """Adds a dense layer with rectified outputs over float32 [rows, time, width]."""
    return graph.apply("Relu", over_time(graph, weights, name, values, bounded=False))


def _few(graph: GraphWriter, weights: Weights, name: str, values: str) -> str:
    """Adds a dense layer whose products are few, in float32."""
    product = graph.apply("MatMul", values, graph.weight(weights[f"{name}/kernel"]))
    return graph.apply("Add", product, graph.weight(weights[f"{name}/bias"]))


def _masked(graph: GraphWriter, scores: str, inside: str) -> str:
    return graph.apply("Where", inside, scores, graph.weight(np.float32(IMPOSSIBLE)))


def _aligned(graph: GraphWriter, weights: Weights, passage: str, question: str) -> str:
    """Adds for each token of the passage the mean embedding of the question's tokens that it aligns with."""
    left, right = (_over(graph, weights, "aligning", side) for side in (passage, question))
    scores = graph.apply("MatMul", left, graph.apply("Transpose", right, perm=[0, 2, 1]))
    inside = graph.apply("Unsqueeze", there(graph, "question"), graph.integers(1))
    shares = graph.apply("Softmax", _masked(graph, scores, inside), axis=2)
    return graph.apply("MatMul", shares, question)


def _asked(graph: GraphWriter, weights: Weights, read: str) -> str:
    """Adds the question's vector, float32 [rows, width]."""
    scores = graph.apply("Squeeze", _few(graph, weights, "weighing", read), graph.integers(2))
    shares = graph.apply("Softmax", _masked(graph, scores, there(graph, "question")), axis=1)
    total = graph.apply("MatMul", graph.apply("Unsqueeze", shares, graph.integers(1)), read)
    return graph.apply("Squeeze", total, graph.integers(1))


def _about(graph: GraphWriter, weights: Weights, asked: str) -> str:
    """Adds what is asked for at each token of the passage, float32 [rows, passage, units]."""
    about = graph.apply("Unsqueeze", graph.apply("Tanh", _few(graph, weights, "asking", asked)), graph.integers(1))
    shape = graph.apply("Concat", graph.apply("Shape", "passage"), graph.integers(1), axis=0)
    return graph.apply("Expand", about, shape)


def _span_logits(graph: GraphWriter, weights: Weights, asked: str, read: str, bits: str) -> str:
    """Adds the scores of spans, float32 [rows, passage, longest]."""
    text = graph.apply("Less", one_bit(graph, bits, Shape.NOTHING), graph.weight(np.float32(0.5)))
    possible = graph.apply("And", there(graph, "passage"), text)
    start, end = (_scores(graph, weights, side, asked, read, possible) for side in ("start", "end"))
    length = weights["length"]
    padded = graph.apply("Pad", end, graph.integers(0, 0, 0, len(length) - 1), graph.weight(np.float32(IMPOSSIBLE)))
    columns = [graph.apply("Unsqueeze", one, graph.integers(2)) for one in shifted(graph, padded, len(length))]
    ends = graph.apply("Concat", *columns, axis=2)
    starts = graph.apply("Unsqueeze", start, graph.integers(2))
    logits = graph.apply("Add", graph.apply("Add", starts, ends), graph.weight(length))
    return _masked(graph, logits, graph.apply("Unsqueeze", _own(graph), graph.integers(2)))


def _scores(graph: GraphWriter, weights: Weights, side: str, asked: str, read: str, possible: str) -> str:
    direction = graph.apply("Unsqueeze", _few(graph, weights, side, asked), graph.integers(2))
    return _masked(graph, graph.apply("Squeeze", graph.apply("MatMul", read, direction), graph.integers(2)), possible)


def _own(graph: GraphWriter) -> str:
    """Adds which tokens an answer of this window may begin with, bool [rows, passage]."""
    width = graph.apply("Gather", graph.apply("Shape", "passage"), graph.weight(np.int64(1)))
    places = graph.apply("Range", graph.weight(np.int64(0)), width, graph.weight(np.int64(1)))
    first, behind = (graph.apply("Unsqueeze", name, graph.integers(1)) for name in ("own_first", "own_behind"))
    return graph.apply("And", graph.apply("GreaterOrEqual", places, first), graph.apply("Less", places, behind))


def _no_answer(graph: GraphWriter, weights: Weights, asked: str, read: str) -> str:
    """Adds the score of no answer, float32 [rows, 1]."""
    inside = graph.apply("Unsqueeze", there(graph, "passage"), graph.integers(2))
    outside = graph.apply("Where", inside, graph.weight(np.float32(0)), graph.weight(np.float32(IMPOSSIBLE)))
    most = graph.apply("ReduceMax", graph.apply("Add", read, outside), graph.integers(1), keepdims=0)
    return _few(graph, weights, "none", graph.apply("Concat", asked, most, axis=1))


def _add_best(graph: GraphWriter, weights: Weights, logits: str, none: str) -> None:
    """Adds the outputs: the best span of each row, its odds, and those of all spans."""
    longest = graph.integers(len(weights["length"]))
    flat = graph.apply("Sub", graph.apply("Reshape", logits, graph.integers(0, -1)), none)
    flat = graph.apply("Div", flat, graph.weight(np.exp(np.float32(weights["temperature"]))))
    place = graph.apply("ArgMax", flat, axis=1, keepdims=1)
    start = graph.apply("Div", place, longest)
    end = graph.apply("Add", start, graph.apply("Mod", place, longest))
    odds = graph.apply("GatherElements", flat, place, axis=1)
    for name, found in (("start", start), ("end", end), ("odds", odds)):
        graph.rename(graph.apply("Squeeze", found, graph.integers(1)), name)
    graph.rename(graph.apply("ReduceLogSumExp", flat, graph.integers(1), keepdims=0), "mass")
