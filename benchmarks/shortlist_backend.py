"""A backend whose steps compute only the logits of candidates, to measure what that would gain (`shortlist.py`).

A record has candidates of its own, which depend only on its source: the frequent target tokens, and the likely
translations of every source token (Jean et al. 2015). A step computes the logits of the *union* over its rows, and a
mask rules out for each row what only its neighbours may say, so an output does not depend on what is decoded with it.
The candidates of a record travel with its memory, as bits; the engine does not know of them.

The union is gathered anew when a record comes that is not in it. Then it takes those in that wait to be decoded too, so
that this happens about once for as many records as are encoded together.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
from onnx import helper, numpy_helper

from lstmlm.decoding.backend import Floats, Ints, Rows
from lstmlm.decoding.constraints.constraints import NEVER
from lstmlm.decoding.onnx import heads as onnx_heads
from lstmlm.decoding.onnx.backend import OnnxBackend
from lstmlm.decoding.onnx.graph import value
from lstmlm.decoding.onnx.layers import SOFTMAX_BIAS

WIDTH = 512
"""The columns of a union are filled up to a multiple of this: a graph has a fixed number of them."""

Bits = npt.NDArray[np.uint8]


class ShortlistBackend(OnnxBackend):
    """See `Backend`; only greedy search and beam search.

    Args:
        encoder: As of `OnnxBackend`.
        decoder: Likewise.
        frequent: Tokens that are always candidates, int64 [any].
        likely: The candidates that a source token brings along, int64 [vocabulary, any]; padding
            brings none that is new.
    """

    def __init__(self, encoder: onnx.ModelProto, decoder: onnx.ModelProto, frequent: Ints, likely: Ints) -> None:
        super().__init__(encoder, decoder)
        self._frequent, self._likely = frequent, likely
        self._stored = _output_weights(decoder)
        self._sessions: dict[tuple[int, int], onnxruntime.InferenceSession] = {}
        self._union = np.zeros(-(-self.vocabulary // 8), np.uint8)
        self._waiting = self._union
        self._masked: Bits | None = None
        self.unions: list[int] = []

    def encode(self, ids: Ints, lengths: Ints) -> Rows:
        rows = super().encode(ids, lengths)
        allowed = np.zeros([len(ids), self.vocabulary], np.uint8)
        allowed[:, self._frequent] = 1
        np.put_along_axis(allowed, self._likely[ids].reshape(len(ids), -1), 1, axis=1)
        own = np.packbits(allowed, axis=1)
        self._waiting = np.bitwise_or.reduce(own, axis=0)
        return Rows(rows.state, [*rows.memory, own], lengths)

    def most_likely(self, rows: Rows, tokens: Ints) -> Ints:
        (chosen,) = self._among_candidates(0, ["chosen"], rows, tokens)
        return self._columns[chosen]

    def best(self, rows: Rows, tokens: Ints, count: int) -> tuple[Floats, Ints, Floats | None]:
        names = ["log_probabilities", "tokens", "attention"]
        scores, ids, attention = self._among_candidates(count, names, rows, tokens)
        return scores, self._columns[ids], attention

    def _among_candidates(self, count: int, names: list[str], rows: Rows, tokens: Ints) -> list[Any]:
        """Takes a step; `count` is that of `best`, or 0 for the most likely token."""
        *memory, own = rows.memory
        self._cover(own)
        key = (count, len(self._columns))
        if key not in self._sessions:
            model = _narrowed(self._decoder, len(self._columns))
            self._sessions[key] = self._session(
                onnx_heads.best(model, count) if count else onnx_heads.most_likely(model)
            )
        mask = np.repeat(self._mask, len(tokens) // len(own), axis=0)
        inner = Rows(rows.state, memory, rows.lengths)
        found = self._step(self._sessions[key], names, inner, tokens, candidate_mask=mask, **self._narrow)
        rows.state = inner.state
        return found

    def _cover(self, own: Bits) -> None:
        """Makes the union hold the candidates of all rows, and the mask those of each."""
        if (np.bitwise_or.reduce(own, axis=0) & ~self._union).any():
            self._union = np.bitwise_or.reduce(own, axis=0) | self._waiting
            self._gather(np.flatnonzero(np.unpackbits(self._union, count=self.vocabulary)))
            self._masked = None
        if self._masked is None or len(self._masked) != len(own):
            self._mask = self._rule_out(own)
        else:
            changed = np.flatnonzero((own != self._masked).any(axis=1))
            self._mask[changed] = self._rule_out(own[changed])
        self._masked = own.copy()

    def _gather(self, candidates: Ints) -> None:
        """Takes the columns of the candidates; what they are filled up with is padding, which nothing chooses."""
        self.unions.append(len(candidates))
        self._columns = np.pad(candidates, [0, -len(candidates) % WIDTH])
        self._narrow = {name: np.ascontiguousarray(array[self._columns].T) for name, array in self._stored.items()}

    def _rule_out(self, own: Bits) -> Floats:
        allowed = np.unpackbits(own, axis=1, count=self.vocabulary)[:, self._columns]
        return np.where(allowed, np.float32(0), NEVER)


def _output_weights(decoder: onnx.ModelProto) -> dict[str, npt.NDArray[Any]]:
    """Returns the weights of the output layer, with the vocabulary as their first axis, by the names of new inputs."""
    (product,) = (node for node in decoder.graph.node if SOFTMAX_BIAS in node.input)
    weights = {w.name: numpy_helper.to_array(w) for w in decoder.graph.initializer if w.name in product.input}
    vocabulary = len(weights[SOFTMAX_BIAS])
    return {
        f"candidate_{name}": np.ascontiguousarray(array.T)
        for name, array in weights.items()
        if array.ndim and array.shape[-1] == vocabulary
    }


def _narrowed(decoder: onnx.ModelProto, columns: int) -> onnx.ModelProto:
    """Returns a copy that takes the output layer's weights, and a mask, as inputs."""
    copy = onnx.ModelProto()
    copy.CopyFrom(decoder)
    graph = copy.graph
    (product,) = (node for node in graph.node if SOFTMAX_BIAS in node.input)
    for name, array in _output_weights(decoder).items():
        shape = [*array.shape[1:], columns]
        graph.input.append(helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), shape))
        place = list(product.input).index(name.removeprefix("candidate_"))
        product.input[place] = name
    (last,) = (node for node in graph.node if "logits" in node.output)
    last.op_type = "Add"
    last.input.append("candidate_mask")
    graph.input.append(value("candidate_mask", np.float32, "rows", columns))
    (logits,) = (output for output in graph.output if output.name == "logits")
    logits.type.tensor_type.shape.dim[1].dim_value = columns
    return copy
