"""The engine's backend on onnxruntime: float32 or int8, on the processor."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidArgument, RuntimeException

from lstmlm.decoding.backend import Floats, Ints, Rows
from lstmlm.decoding.numpy_rows import NumpyRows
from lstmlm.decoding.onnx import heads as onnx_heads
from lstmlm.decoding.onnx.files import decoder_file, encoder_file
from lstmlm.decoding.onnx.session import open_session
from lstmlm.errors import UserError

_MEMORY = {"values": 1, "source": 1}
"""What a pair model attends to, and copies from where it does, each with the axis along the source."""

LONG_PROMPT, PART = 4096, 512
"""Tokens of a prompt that is read part by part, and of a part."""


class OnnxBackend(NumpyRows):
    """See `Backend`.

    Args:
        encoder: Reads inputs.
        decoder: Takes steps.
        threads: Threads that a matrix product is computed with.
        scorer: Makes the graph that scores many tokens at once, where there is one (see `lstmlm.decoding.score`).
    """

    failures: tuple[type[Exception], ...] = (Fail, RuntimeException, InvalidArgument)

    def __init__(
        self,
        encoder: onnx.ModelProto,
        decoder: onnx.ModelProto,
        threads: int = 1,
        scorer: Callable[[], onnx.ModelProto] | None = None,
    ) -> None:
        self._decoder, self._threads, self._scorer = decoder, threads, scorer
        self._encoder = self._session(encoder)
        self._best: dict[int, onnxruntime.InferenceSession] = {}
        inputs, outputs = decoder.graph.input, decoder.graph.output
        names = [value.name for value in inputs]
        self.closes_source, self._covers = "values" in names, "coverage" in names
        self._memory = [name for name in _MEMORY if name in names]
        self.source_axes: Sequence[int] = [_MEMORY[name] for name in self._memory]
        self._states = [name for name in names if name[:2] in ("h_", "c_")] + ["coverage"] * self._covers
        self._after = [f"next_{name}" for name in self._states]
        (logits,) = (value for value in outputs if value.name == "logits")
        self.vocabulary = logits.type.tensor_type.shape.dim[1].dim_value

    @classmethod
    def load(
        cls, folder: Path, *, int8: bool, threads: int = 1, scorer: Callable[[], onnx.ModelProto] | None = None
    ) -> OnnxBackend:
        """Loads what `lstmlm.decoding.onnx.files.write` wrote.

        Raises:
            UserError: The folder has no ONNX files.
        """
        paths = encoder_file(folder, int8=int8), decoder_file(folder, int8=int8)
        for path in paths:
            if not path.is_file():
                raise UserError("no such file", where=str(path), hint="Export again")
        return cls(onnx.load(paths[0]), onnx.load(paths[1]), threads, scorer)

    def encode(self, ids: Ints, lengths: Ints) -> Rows:
        """See `Backend`."""
        if len(ids) == 1 and ids.shape[1] > LONG_PROMPT and self.scores_texts:
            return self._encode_long(ids, lengths)
        names = [*self._states, *self._memory]
        found = self._encoder.run(names, {"ids": ids, "length": lengths})
        return Rows(found[: len(self._states)], found[len(self._states) :], lengths, int(self._covers))

    def _encode_long(self, ids: Ints, lengths: Ints) -> Rows:
        """Reads one long prompt part by part: what the encoder keeps of every token would fill the memory."""
        state = self.encode(np.zeros([1, 1], np.int64), np.zeros(1, np.int64)).state
        for start in range(0, int(lengths[0]), PART):
            part = ids[:, start : min(start + PART, int(lengths[0]))]
            _, state = self.score_text(state, part, np.zeros_like(part))
        return Rows(state, [], lengths)

    def most_likely(self, rows: Rows, tokens: Ints) -> Ints:
        """See `Backend`."""
        (chosen,) = self._step(self._most_likely, ["chosen"], rows, tokens)
        return chosen

    def best(self, rows: Rows, tokens: Ints, count: int) -> tuple[Floats, Ints, Floats | None]:
        """See `Backend`."""
        if count not in self._best:
            self._best[count] = self._session(onnx_heads.best(self._decoder, count))
        names = ["log_probabilities", "tokens", *(["attention"] if self._memory else [])]
        scores, ids, *attention = self._step(self._best[count], names, rows, tokens)
        return scores, ids, attention[0] if attention else None

    def logits(self, rows: Rows, tokens: Ints) -> tuple[Floats, Floats | None]:
        """See `Backend`."""
        names = ["logits", *(["attention"] if self._memory else [])]
        logits, *attention = self._step(self._logits, names, rows, tokens)
        return logits, attention[0] if attention else None

    def score(self, rows: Rows, tokens: Ints, targets: Ints) -> Floats:
        """See `Backend`."""
        (found,) = self._step(self._scored, ["log_probability"], rows, tokens, target=targets)
        return found

    @property
    def scores_texts(self) -> bool:
        """Whether `score_text` can be used."""
        return self._scorer is not None

    def score_text(self, state: list[Any], ids: Ints, targets: Ints) -> tuple[Floats, list[Any]]:
        """Takes a step for each column; returns the log-probabilities of the targets, and the states after.

        Args:
            state: The states before.
            ids: What is fed, int64 [rows, time].
            targets: What comes next, int64 [rows, time].
        """
        feed = {"ids": ids, "target": targets} | dict(zip(self._states, state, strict=True))
        found, *after = self._text_scorer.run(["log_probability", *self._after], feed)
        return found, after

    # A session takes about a second and holds the weights: made when it is first needed.

    @functools.cached_property
    def _most_likely(self) -> onnxruntime.InferenceSession:
        return self._session(onnx_heads.most_likely(self._decoder))

    @functools.cached_property
    def _text_scorer(self) -> onnxruntime.InferenceSession:
        assert self._scorer is not None
        return self._session(self._scorer())

    @functools.cached_property
    def _logits(self) -> onnxruntime.InferenceSession:
        return self._session(onnx_heads.never_padding(self._decoder))

    @functools.cached_property
    def _scored(self) -> onnxruntime.InferenceSession:
        return self._session(onnx_heads.scored(self._decoder))

    def _step(
        self, session: onnxruntime.InferenceSession, names: list[str], rows: Rows, tokens: Ints, **more: Ints
    ) -> list[Any]:
        """Runs the decoder with a head; returns the named outputs and puts the states after into `rows`."""
        feed: dict[str, Any] = {"token": tokens, **more}
        feed |= zip(self._states, rows.state, strict=True)
        if self._memory:
            feed |= zip(self._memory, rows.memory, strict=True)
            feed["length"] = rows.lengths
        found = session.run([*names, *self._after], feed)
        rows.state = found[len(names) :]
        return found[: len(names)]

    def _session(self, model: onnx.ModelProto) -> onnxruntime.InferenceSession:
        return open_session(model.SerializeToString(), self._threads)
