"""A network that gives labels as an ONNX graph: see `lstmlm.models.labels`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx

from lstmlm.decoding.onnx.bidirectional import over_time
from lstmlm.decoding.onnx.encoder import encoded
from lstmlm.decoding.onnx.graph import GraphWriter, value
from lstmlm.decoding.onnx.layers import (
    Weights,
    layer_step,
    loop_inside,
    masked,
    state_values,
    time_major,
    zero_states,
)
from lstmlm.models.labels.names import FACTOR, PRIME, RATIOS, SCALE, SPREAD, TABLE, member_prefix
from lstmlm.recipe.sections.labels import LabelOptions

_LEAST = np.float32(np.finfo(np.float32).min)


def labelling(weights: Weights, options: LabelOptions, *, int8: bool, residual: bool = False) -> onnx.ModelProto:
    """Returns the graph that predicts.

    It takes `tokens` (int64 [rows, time], padded), `length` (int64 [rows], at least 1) and, of kind `tokens`, `first`
    (int64 [rows, words]), and gives `probabilities`, float32 [rows, labels] or [rows, words, labels].

    Args:
        weights: The network's.
        options: The recipe's `task_options`.
        int8: Compute the matrix products in int8 (see `lstmlm.decoding.onnx.graph`).
        residual: Whether the input of an encoder's layer is added to its output, from the second layer on.
    """
    graph = GraphWriter("labels", int8=int8)
    if options.network == "article":
        logits = _article(graph, weights, options)
    else:
        every = [
            _member(graph, _of_member(weights, number), options, residual=residual) for number in range(options.members)
        ]
        every += [_ngrams(graph, weights, options)] if options.ngrams else []
        logits = graph.apply("Mean", *every)
    many = options.kind == "many"
    graph.rename(graph.apply("Sigmoid", logits) if many else graph.apply("Softmax", logits, axis=-1), "probabilities")
    words = options.kind == "tokens"
    inputs = [value("tokens", np.int64, "rows", "time"), value("length", np.int64, "rows")]
    inputs += [value("first", np.int64, "rows", "words")] if words else []
    labels = weights["output/bias"].shape[0]
    shape: Sequence[int | str] = ("rows", "words", labels) if words else ("rows", labels)
    return graph.model(inputs, [value("probabilities", np.float32, *shape)])


def _of_member(weights: Weights, number: int) -> Weights:
    prefix = member_prefix(number)
    return {name.removeprefix(prefix): array for name, array in weights.items() if name.startswith(prefix)}


def _member(graph: GraphWriter, weights: Weights, options: LabelOptions, *, residual: bool) -> str:
    """Adds a member of an ensemble; returns its logits."""
    values, ends = encoded(graph, weights, "tokens", "length", residual=residual)
    bounded = not residual  # sums of outputs are not within -1 and 1
    if options.kind == "tokens":
        return _word_products(graph, values, weights, bounded=bounded)
    pooled = [_pooled(graph, kind, values, ends, weights) for kind in options.pooling]
    joined = graph.apply("Concat", *pooled, axis=1)
    return graph.product(joined, weights["output/kernel"], weights["output/bias"], bounded=bounded)


def _pooled(graph: GraphWriter, kind: str, values: str, ends: str, weights: Weights) -> str:
    """Adds a pooling of [time, rows, width] over time; see `lstmlm.models.labels.pooling`."""
    if kind == "last":
        return ends
    _, inside, _ = time_major(graph, "tokens", "length")
    if kind == "max":
        kept = graph.apply("Where", inside, values, graph.weight(_LEAST))
        return graph.apply("ReduceMax", kept, graph.integers(0), keepdims=0)
    if kind == "mean":
        kept = graph.apply("Where", inside, values, graph.weight(np.float32(0)))
        total = graph.apply("ReduceSum", kept, graph.integers(0), keepdims=0)
        count = graph.apply("Cast", graph.apply("Unsqueeze", "length", graph.integers(1)), to=onnx.TensorProto.FLOAT)
        return graph.apply("Div", total, count)
    hidden = graph.apply("Tanh", graph.apply("MatMul", values, graph.weight(weights["pooling/kernel"])))
    scores = graph.apply("MatMul", hidden, graph.weight(weights["pooling/query"]))
    scores = graph.apply("Where", inside, scores, graph.weight(_LEAST))
    shares = graph.apply("Mul", graph.apply("Softmax", scores, axis=0), values)
    return graph.apply("ReduceSum", shares, graph.integers(0), keepdims=0)


def _word_products(graph: GraphWriter, values: str, weights: Weights, *, bounded: bool) -> str:
    """Adds the logits of each word, [rows, words, labels], of the vector at its first token."""
    turned = graph.apply("Transpose", values, perm=[1, 0, 2])
    places = graph.apply("Unsqueeze", "first", graph.integers(2))
    words = graph.apply("GatherND", turned, places, batch_dims=1)
    return _over_words(graph, words, weights, "output", bounded=bounded)


def _over_words(graph: GraphWriter, words: str, weights: Weights, name: str, *, bounded: bool) -> str:
    """Adds a dense layer over [rows, words, width]."""
    kernel = weights[f"{name}/kernel"]
    flat = graph.apply("Reshape", words, graph.integers(-1, kernel.shape[0]))
    product = graph.product(flat, kernel, weights[f"{name}/bias"], bounded=bounded)
    shape = graph.apply("Slice", graph.apply("Shape", words), graph.integers(0), graph.integers(2))
    return graph.apply("Reshape", product, graph.apply("Concat", shape, graph.integers(kernel.shape[1]), axis=0))


def _ngrams(graph: GraphWriter, weights: Weights, options: LabelOptions) -> str:
    """Adds the weights of the n-grams of a text; see `lstmlm.models.labels.ngrams`."""
    product = weights[TABLE] * weights[RATIOS] if options.ngram_ratios else weights[TABLE]
    table, every, hashed = graph.weight(product), [], ""
    zero, ends = graph.integers(0), graph.integers(np.iinfo(np.int64).max)
    for length in range(1, options.ngrams + 1):
        last = graph.apply("Slice", "tokens", graph.integers(length - 1), ends, graph.integers(1))
        if hashed:
            before = graph.apply("Slice", hashed, zero, graph.integers(-1), graph.integers(1))
            hashed = graph.apply("Add", graph.apply("Mul", before, graph.integers(FACTOR)), last)
        else:
            hashed = last
        hashed = graph.apply("Mod", hashed, graph.integers(PRIME))
        spread = graph.apply("Mul", graph.apply("Add", hashed, graph.integers(length)), graph.integers(SPREAD))
        spread = graph.apply("Mod", spread, graph.integers(PRIME))
        rows = graph.apply("Gather", table, graph.apply("Mod", spread, graph.integers(options.ngram_buckets)))
        inside = graph.apply("Unsqueeze", graph.apply("Greater", last, zero), graph.integers(2))
        kept = graph.apply("Where", inside, rows, graph.weight(np.float32(0)))
        every.append(graph.apply("ReduceSum", kept, graph.integers(1), keepdims=0))
    count = graph.apply("Cast", graph.apply("Unsqueeze", "length", graph.integers(1)), to=onnx.TensorProto.FLOAT)
    root = graph.apply("Sqrt", graph.apply("Mul", count, graph.weight(np.float32(options.ngrams / SCALE**2))))
    return graph.apply("Div", graph.apply("Sum", *every), root)


def _article(graph: GraphWriter, weights: Weights, options: LabelOptions) -> str:
    """Adds the network of the article; see `lstmlm.models.labels.article`."""
    turned, inside, rows = time_major(graph, "tokens", "length")
    embedded = graph.apply("Gather", graph.weight(weights["embedding/table"]), turned)
    units = weights["layer_0/recurrent"].shape[0]
    body = GraphWriter("labels_step", int8=graph.int8)
    after = layer_step(body, weights, "layer_0", "gates", "h", "c")
    kept = masked(body, "inside", after, ["h", "c"])
    stacked = body.apply("Identity", kept[0])
    inputs = [*state_values(["h", "c"], units, "rows"), value("gates", np.float32, "rows", 4 * units), loop_inside()]
    loop = body.graph(inputs, state_values([*kept, stacked], units, "rows"))
    gates = over_time(graph, weights, "layer_0", embedded)
    last, _, values = graph.scan(loop, zero_states(graph, rows, units, 2), [gates, inside])
    if options.kind == "tokens":
        places = graph.apply("Unsqueeze", "first", graph.integers(2))
        words = graph.apply("GatherND", graph.apply("Transpose", values, perm=[1, 0, 2]), places, batch_dims=1)
        return _over_words(
            graph, _over_words(graph, words, weights, "dense", bounded=True), weights, "output", bounded=False
        )
    dense = graph.product(last, weights["dense/kernel"], weights["dense/bias"])
    return graph.product(dense, weights["output/kernel"], weights["output/bias"], bounded=False)
