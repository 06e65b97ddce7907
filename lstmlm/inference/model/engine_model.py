"""A published model, decoded by the engine."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lstmlm.decoding.alignment import NOTHING
from lstmlm.decoding.engine import Engine
from lstmlm.decoding.meter import Meter
from lstmlm.decoding.score import Score, score
from lstmlm.decoding.search.request import Hypothesis, SearchOptions, SearchRequest
from lstmlm.inference.model.backend_kind import backend_kind, refuse_code
from lstmlm.inference.model.constraining import constraints_of
from lstmlm.inference.model.served import Output, continued, preceding
from lstmlm.recipe.sections.decoding import DecodingSection
from lstmlm.recipe.sections.section import FROM_DATA
from lstmlm.records.record import stable_hash
from lstmlm.task import Task, stored_task
from lstmlm.tokenizer import Tokenizer, tokenizer_file
from lstmlm.tokenizer.backward import BackwardTokenizer


class EngineModel:
    """See `TextModel`.

    Args:
        folder: The export folder.
        facts: What `lstmlm.export` wrote for the engine.
        threads: Threads to compute with.
        decoding: How to decode; None: as the recipe of the export said.
        task: The recipe's task; None: the one whose name the export holds.
    """

    def __init__(
        self,
        folder: Path,
        facts: Mapping[str, Any],
        *,
        threads: int,
        decoding: DecodingSection | None = None,
        task: Task | None = None,
    ) -> None:
        self._decoding = decoding or stored_decoding(facts)
        self._longest = int(facts["max_source"])
        kind = BackwardTokenizer if facts.get("direction") == "backward" else Tokenizer
        self.tokenizer = kind(tokenizer_file(folder))
        self.backend = backend_kind(self._decoding.backend).load(
            folder, facts, self._decoding, threads, task or stored_task(facts["task"])
        )
        self._options = search_options(self._decoding, self.tokenizer)
        self._engine = Engine(self.backend, self._options, self._decoding.slots)

    def generate(self, texts: Sequence[str], seeds: Sequence[int], meter: Meter | None = None) -> list[Output]:
        """See `TextModel`."""
        if len(texts) != len(seeds):
            raise ValueError(f"{len(texts)} texts and {len(seeds)} seeds")
        read = [self.read(text) for text in texts]
        times = self._decoding.n_best if self._decoding.method == "sample" else 1
        requests = [
            SearchRequest(ids, sample_seed(seed, n))
            for (ids, _), seed in zip(read, seeds, strict=True)
            for n in range(times)
        ]
        found = self._engine.decode(requests, meter)
        drawn = [[best for one in found[n : n + times] for best in one] for n in range(0, len(found), times)]
        outputs = [self._output(text, ranked, cut) for text, ranked, (_, cut) in zip(texts, drawn, read, strict=True)]
        return self._scored(requests[::times], drawn, outputs) if self._decoding.scores else outputs

    def score(self, pairs: Sequence[tuple[str, str]]) -> list[Score]:
        """Scores texts.

        Args:
            pairs: A source or, of a language model, nothing (it scores a text by itself); and the text.

        Returns:
            A score for each; *end* counts as a token.
        """
        requests = [SearchRequest(self.read(source)[0] if self.backend.closes_source else []) for source, _ in pairs]
        targets = [[*ids, Tokenizer.END] for ids in self.tokenizer.encode_batch([text for _, text in pairs])]
        return score(self.backend, requests, targets, self._decoding.slots)

    def pieces(self, text: str) -> list[str]:
        """Returns the text of each token of a text, and the empty text for the *end* behind them."""
        return self._pieces([*self.tokenizer.encode(text), Tokenizer.END])

    def failures(self) -> tuple[type[Exception], ...]:
        """See `TextModel`."""
        return (ValueError, RuntimeError, MemoryError, *self.backend.failures)

    def read(self, text: str) -> tuple[list[int], int]:
        """Returns the ids that the model reads of a text, and how many were too many.

        A source is cut at its end; a prompt is read whole, for the state does not grow with it.
        """
        ids, longest = self.tokenizer.encode(text), self._longest
        if self.backend.closes_source:
            return [*ids[: longest - 1], Tokenizer.END], max(0, len(ids) - (longest - 1))
        return ids, 0

    def _scored(
        self, requests: Sequence[SearchRequest], drawn: Sequence[Sequence[Hypothesis]], outputs: Sequence[Output]
    ) -> list[Output]:
        """Adds the scores of their tokens to outputs; *end* counts where the text ended by itself."""
        written = [ranked[0].tokens for ranked in drawn]
        most = self._decoding.max_tokens
        targets = [[*tokens, *([Tokenizer.END] if len(tokens) < most else [])] for tokens in written]
        scores = score(self.backend, requests, targets, self._decoding.slots)
        return [
            dataclasses.replace(
                output,
                log_probability=one.log_probability,
                token_scores=tuple(zip(self._pieces(tokens), one.by_token, strict=False)),
            )
            for output, tokens, one in zip(outputs, written, scores, strict=True)
        ]

    def _pieces(self, ids: Iterable[int]) -> list[str]:
        """Returns the text of each token, with the space that it begins with; *end* is the empty text."""
        return ["" if token == Tokenizer.END else self.tokenizer.decode_continuation([token]) for token in ids]

    def _output(self, source: str, ranked: Sequence[Hypothesis], cut: int) -> Output:
        if not ranked:
            raise ValueError("no output is as decoding.forced, decoding.forbidden and decoding.max_tokens ask for")
        best = [(self._text(source, hypothesis), hypothesis) for hypothesis in ranked]
        text, first = best[0]
        if self._decoding.n_best == 1:
            return Output(text, len(first.tokens), cut)
        if self._decoding.method == "sample":
            drawn = sum(len(hypothesis.tokens) for hypothesis in ranked)
            return Output(text, drawn, cut, tuple((text, None) for text, _ in best))
        # One text can be spelled in several ways: the best of them stays.
        scores = {text: round(hypothesis.score, 6) for text, hypothesis in reversed(best)}
        n_best = [(text, scores[text]) for text in dict.fromkeys(text for text, _ in best)]
        return Output(text, len(first.tokens), cut, tuple(n_best[: self._decoding.n_best]))

    def _text(self, source: str, hypothesis: Hypothesis) -> str:
        """Returns the text of a hypothesis; what is unknown is that of the source, if the recipe wants it."""
        tokens = hypothesis.tokens
        if self.tokenizer.backward:
            return preceding(source, self.tokenizer.decode(tokens))
        if not self.backend.closes_source:
            return continued(source, self.tokenizer.decode_continuation(tokens))
        if not self._decoding.replace_unknown or Tokenizer.UNK not in tokens:
            return self.tokenizer.decode(tokens)
        surfaces = self.tokenizer.surfaces(source)
        aligned = [n for token, n in zip(tokens, hypothesis.alignment, strict=True) if token == Tokenizer.UNK]
        text = self.tokenizer.decode_unknown(tokens, [surfaces[n] if n != NOTHING else "" for n in aligned])
        forbidden = self._options.constraints.words
        return self.tokenizer.decode(tokens) if forbidden is not None and forbidden.finds(text) else text


def stored_decoding(facts: Mapping[str, Any]) -> DecodingSection:
    """Returns how the recipe of an export decodes.

    Raises:
        UserError: It names code, which only a recipe may.
    """
    found = DecodingSection.model_validate(facts["decoding"], context=FROM_DATA)
    refuse_code(found.backend)
    return found


def sample_seed(seed: int, number: int) -> int:
    """Returns the seed of the n-th sample of a record; that of the first is the record's own."""
    return stable_hash(seed, "sample", number) if number else seed


def search_options(decoding: DecodingSection, tokenizer: Tokenizer) -> SearchOptions:
    """Returns what the recipe's section asks of the engine.

    Raises:
        UserError: The vocabulary cannot write a forced phrase, or there is no room for it.
    """
    return SearchOptions(
        method=decoding.method,
        max_tokens=decoding.max_tokens,
        temperature=decoding.temperature,
        top_k=decoding.top_k,
        top_p=decoding.top_p,
        beam=decoding.beam,
        # All that were found: some of them may be the same text.
        n_best=decoding.beam if decoding.n_best > 1 else 1,
        length_penalty=decoding.length_penalty,
        coverage_penalty=decoding.coverage_penalty,
        constraints=constraints_of(decoding, tokenizer),
        align=decoding.replace_unknown,
    )
