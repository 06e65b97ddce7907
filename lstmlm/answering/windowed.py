"""The reader by onnxruntime: what `lstmlm.answering.served.Served` does inside its graph is done here around it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lstmlm.answering.lexicon import Lexicon
from lstmlm.answering.limits import Limits
from lstmlm.answering.passages import Tokens, tokens_of, windows
from lstmlm.decoding.meter import Meter
from lstmlm.inference.model.one_pass_onnx import OnnxOnePassPredictor
from lstmlm.models.reader.names import IMPOSSIBLE
from lstmlm.task import Prediction
from lstmlm.tokenizer import Tokenizer, tokenizer_file

Found = tuple[int, int, float, float]
"""First and last token of the best span of a window, its odds, and those of all its spans together."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Window:
    """A part of a passage that is read at once: its request's number, its tokens, and what the graph reads."""

    request: int
    tokens: Tokens
    read: Mapping[str, npt.NDArray[np.int64]]


class WindowedReader:
    """See `lstmlm.task.Predictor`: answers questions by their passages, which are read in windows.

    Args:
        folder: The export folder.
        limits: The sizes.
        made: Turns a request and what is found for it (see `Served`) into a prediction.
        int8: Compute the matrix products in int8.
        threads: Threads to compute with.

    Raises:
        UserError: Not a finished export, or one without the graph.
    """

    def __init__(
        self,
        folder: Path,
        limits: Limits,
        made: Callable[[Mapping[str, Any], Mapping[str, Any]], Prediction],
        *,
        int8: bool,
        threads: int,
    ) -> None:
        self._limits, self._made = limits, made
        self._graph = OnnxOnePassPredictor(folder, _inputs, _outputs, int8=int8, threads=threads)
        self._words = Tokenizer(tokenizer_file(folder))
        self._lexicon = Lexicon(self._words)

    def predict(
        self, requests: Sequence[Mapping[str, Any]], seeds: Sequence[int], meter: Meter | None = None
    ) -> list[Prediction]:
        """See `Predictor`; nothing is drawn, so the seeds are of no account."""
        if not requests:
            return []
        asked = [window for place, request in enumerate(requests) for window in self._windows(place, request)]
        answers = self._graph.predict([window.read for window in asked], [0] * len(asked), meter)
        found: list[list[tuple[_Window, Found]]] = [[] for _ in requests]
        for window, answer in zip(asked, answers, strict=True):
            found[window.request].append((window, answer.fields["found"]))
        return [
            self._made(request, self._best(request["context"], of_windows))
            for request, of_windows in zip(requests, found, strict=True)
        ]

    def failures(self) -> tuple[type[Exception], ...]:
        """See `Predictor`."""
        return self._graph.failures()

    def _windows(self, place: int, request: Mapping[str, Any]) -> list[_Window]:
        question = np.array(self._words.encode(request["question"])[: self._limits.question], np.int32)
        asked = self._read("question", question)
        passage = tokens_of(request["context"], self._words)
        bounds = list(windows(len(passage.ids), self._limits.longest, self._limits.stride))
        parts = [passage.part(first, behind) for first, behind in bounds]
        return [
            _Window(place, part, {**asked, **self._passage(part), **self._own(first=n == 0, last=n == len(parts) - 1)})
            for n, part in enumerate(parts)
        ]

    def _passage(self, part: Tokens) -> dict[str, npt.NDArray[np.int64]]:
        return {**self._read("passage", part.ids), "passage_shape": _long(part.shapes(self._lexicon))}

    def _read(self, name: str, ids: npt.NDArray[np.int32]) -> dict[str, npt.NDArray[np.int64]]:
        """Returns what the graph reads of tokens, by name."""
        read = {name: ids, **self._lexicon.named_classes(name, ids)}
        long = {feature: _long(values) for feature, values in read.items()}
        return {**long, f"{name}_length": np.array(len(long[name]))}

    def _own(self, *, first: bool, last: bool) -> dict[str, npt.NDArray[np.int64]]:
        """Returns the tokens that an answer of a window may begin with: those furthest from the ends of others."""
        margin = (self._limits.longest - self._limits.stride) // 2
        behind = self._limits.longest if last else self._limits.stride + margin
        return {"own_first": np.array(0 if first else margin), "own_behind": np.array(behind)}

    def _best(self, context: str, of_windows: Sequence[tuple[_Window, Found]]) -> dict[str, Any]:
        """Returns the best span of all windows in characters of the passage; see `Served`."""
        window, (start, end, odds, _) = max(of_windows, key=lambda one: one[1][2])
        mass = float(np.logaddexp.reduce([found[3] for _, found in of_windows]))
        if odds <= (0.0 if self._limits.no_answer else IMPOSSIBLE / 1000):
            nothing = math.exp(-float(np.logaddexp(mass, 0.0))) if self._limits.no_answer else 0.0
            return {"answer": "", "start": 0, "end": 0, "confidence": nothing, "odds": odds}
        total = float(np.logaddexp(mass, 0.0)) if self._limits.no_answer else mass
        first, behind = int(window.tokens.starts[start]), int(window.tokens.ends[end])
        found = {"answer": context[first:behind], "start": first, "end": behind}
        return {**found, "confidence": math.exp(odds - total), "odds": odds}


def _long(ids: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """Returns tokens as the graph reads them; of none, one of padding."""
    return ids.astype(np.int64) if len(ids) else np.zeros(1, np.int64)


def _inputs(windows: Sequence[Mapping[str, Any]]) -> Mapping[str, Sequence[Any]]:
    """Returns what the graph reads, by name: an array of each window."""
    return {name: [window[name] for window in windows] for name in windows[0]}


def _outputs(windows: Sequence[Mapping[str, Any]], given: Mapping[str, Any]) -> list[Prediction]:
    names = ("start", "end", "odds", "mass")
    rows = zip(*(given[name][: len(windows)].tolist() for name in names), strict=True)
    return [Prediction({"found": row}) for row in rows]
