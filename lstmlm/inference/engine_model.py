"""A published model, decoded by the engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lstmlm.decoding.alignment import NOTHING
from lstmlm.decoding.backend import Backend
from lstmlm.decoding.constraints import Constraints
from lstmlm.decoding.engine import Engine
from lstmlm.decoding.hypothesis import Hypothesis, Request, SearchOptions
from lstmlm.decoding.meter import Meter
from lstmlm.errors import UserError
from lstmlm.inference.served import Output
from lstmlm.recipe import Decoding, Model, Recipe, Training
from lstmlm.recipe_corpus import Corpus
from lstmlm.task import load_task
from lstmlm.tokenizer import MODEL_FILE, Tokenizer


class EngineModel:
    """See `TextModel`.

    Args:
        folder: The export folder.
        facts: What `lstmlm.export` wrote for the engine.
        threads: Threads to compute with.
        decoding: How to decode; None: as the recipe of the export said.
    """

    def __init__(
        self, folder: Path, facts: Mapping[str, Any], *, threads: int, decoding: Decoding | None = None
    ) -> None:
        self._decoding = decoding or Decoding.model_validate(facts["decoding"])
        self._longest = int(facts["max_source"])
        self.tokenizer = Tokenizer(folder / MODEL_FILE)
        self.backend = load_backend(folder, facts, self._decoding, threads)
        options = search_options(self._decoding, self.tokenizer)
        self._engine = Engine(self.backend, options, self._decoding.slots)

    def generate(self, texts: Sequence[str], seeds: Sequence[int], meter: Meter | None = None) -> list[Output]:
        """See `TextModel`."""
        if len(texts) != len(seeds):
            raise ValueError(f"{len(texts)} texts and {len(seeds)} seeds")
        read = [self.read(text) for text in texts]
        requests = [Request(ids, seed) for (ids, _), seed in zip(read, seeds, strict=True)]
        found = self._engine.decode(requests, meter)
        return [self._output(text, ranked, cut) for text, ranked, (_, cut) in zip(texts, found, read, strict=True)]

    def failures(self) -> tuple[type[Exception], ...]:
        """See `TextModel`."""
        return (ValueError, RuntimeError, MemoryError, *self.backend.failures)

    def read(self, text: str) -> tuple[list[int], int]:
        """Returns the ids that the model reads of a text, and how many were too many.

        A source is cut at its end, a prompt at its start.
        """
        ids, longest = self.tokenizer.encode(text), self._longest
        if self.backend.closes_source:
            return [*ids[: longest - 1], Tokenizer.END], max(0, len(ids) - (longest - 1))
        return ids[-longest:], max(0, len(ids) - longest)

    def _output(self, source: str, ranked: Sequence[Hypothesis], cut: int) -> Output:
        texts = [self._text(source, hypothesis) for hypothesis in ranked]
        scores = [round(hypothesis.score, 6) for hypothesis in ranked]
        n_best = tuple(zip(texts, scores, strict=True)) if self._decoding.n_best > 1 else ()
        return Output(texts[0], len(ranked[0].tokens), cut, n_best)

    def _text(self, source: str, hypothesis: Hypothesis) -> str:
        """Returns the text of a hypothesis; what is unknown is that of the source, if the recipe wants it."""
        tokens = hypothesis.tokens
        if not self._decoding.replace_unknown or Tokenizer.UNK not in tokens:
            return self.tokenizer.decode(tokens)
        surfaces = self.tokenizer.surfaces(source)
        aligned = [n for token, n in zip(tokens, hypothesis.alignment, strict=True) if token == Tokenizer.UNK]
        return self.tokenizer.decode_unknown(tokens, [surfaces[n] if n != NOTHING else "" for n in aligned])


def search_options(decoding: Decoding, tokenizer: Tokenizer) -> SearchOptions:
    """Returns what the recipe's section asks of the engine."""
    constraints = Constraints(
        decoding.min_tokens,
        decoding.no_repeat_ngram,
        tuple(_phrase(word, tokenizer, "decoding.forbidden") for word in decoding.forbidden),
        tuple(_phrase(word, tokenizer, "decoding.forced") for word in decoding.forced),
    )
    return SearchOptions(
        method=decoding.method,
        max_tokens=decoding.max_tokens,
        temperature=decoding.temperature,
        top_k=decoding.top_k,
        top_p=decoding.top_p,
        beam=decoding.beam,
        n_best=decoding.n_best,
        length_penalty=decoding.length_penalty,
        coverage_penalty=decoding.coverage_penalty,
        constraints=constraints,
        align=decoding.replace_unknown,
    )


def _phrase(word: str, tokenizer: Tokenizer, where: str) -> tuple[int, ...]:
    ids = tuple(tokenizer.encode(word))
    if not ids:
        raise UserError(f"{word!r} has no tokens", where=where, cure="Name a word with letters in it")
    return ids


def load_backend(folder: Path, facts: Mapping[str, Any], decoding: Decoding, threads: int) -> Backend:
    """Loads what computes the model, as the recipe's section says."""
    if decoding.backend == "onnx":
        from lstmlm.decoding.onnx_backend import OnnxBackend

        return OnnxBackend.load(folder, int8=decoding.precision == "int8", threads=threads)
    from lstmlm.decoding.tensorflow_backend import TensorFlowBackend
    from lstmlm.inference.served import bound_threads
    from lstmlm.training.checkpoint import load_arrays

    bound_threads(threads)
    recipe = Recipe(
        name="model",
        task=facts["task"],
        corpus=Corpus(train=""),
        model=Model.model_validate(facts["model"]),
        training=Training(precision="bfloat16" if decoding.precision == "bfloat16" else "float32"),
    )
    network = load_task(recipe.task).build(recipe, int(facts["vocabulary"]))
    load_arrays(folder / "weights.npz", network.named_variables())
    return TensorFlowBackend(network, int(facts["vocabulary"]))
