"""A published model, decoded by the engine."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lstmlm.decoding.alignment import NOTHING
from lstmlm.decoding.attention import attention
from lstmlm.decoding.backend import Floats
from lstmlm.decoding.engine import Engine
from lstmlm.decoding.meter import Meter
from lstmlm.decoding.running import RunningBatch, Source
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


@dataclasses.dataclass(frozen=True, slots=True)
class Asked:
    """A text and what the engine decodes for it.

    Attributes:
        text: The text.
        requests: One request, or one for each sample.
        cut: Tokens of the text that were too many to be read.
    """

    text: str
    requests: tuple[SearchRequest, ...]
    cut: int


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
        asked = [self.asked(text, seed) for text, seed in zip(texts, seeds, strict=True)]
        found = iter(self._engine.decode([request for one in asked for request in one.requests], meter))
        return self.outputs(asked, [[best for _ in one.requests for best in next(found)] for one in asked])

    def asked(self, text: str, seed: int, limit: int | None = None) -> Asked:
        """Returns what the engine decodes for a text: one request, or one for each of its samples.

        Args:
            text: The text.
            seed: Decides the draws, below 2**63.
            limit: Tokens decoded at most, where that is less than `decoding.max_tokens`.
        """
        ids, cut = self.read(text)
        times = self._decoding.n_best if self._decoding.method == "sample" else 1
        return Asked(text, tuple(SearchRequest(ids, sample_seed(seed, n), limit) for n in range(times)), cut)

    def outputs(self, asked: Sequence[Asked], drawn: Sequence[Sequence[Hypothesis]]) -> list[Output]:
        """Returns the outputs of texts, given the hypotheses of all requests of each.

        Raises:
            ValueError: A text has none.
        """
        outputs = [self._output(one.text, ranked, one.cut) for one, ranked in zip(asked, drawn, strict=True)]
        return self._scored([one.requests[0] for one in asked], drawn, outputs) if self._decoding.scores else outputs

    def running(self, source: Source) -> RunningBatch:
        """Returns a batch that decodes the requests of a source (see `asked`)."""
        return self._engine.running(source)

    def decoding_as(self, decoding: DecodingSection) -> EngineModel:
        """Returns the same model, its weights shared, that decodes in another way.

        Args:
            decoding: How; its backend, precision and slots have to be those of this model.

        Raises:
            UserError: See `search_options`.
        """
        other = copy.copy(self)
        other._decoding, other._options = decoding, search_options(decoding, self.tokenizer)
        other._engine = Engine(self.backend, other._options, decoding.slots)
        return other

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

    def at_most(self, limit: int | None) -> EngineModel:
        """Returns the same model, which decodes at most that many tokens; None: as many as before."""
        if limit is None:
            return self
        decoding = self._decoding.model_copy(update={"max_tokens": min(limit, self._decoding.max_tokens)})
        return self.decoding_as(decoding)

    def attention(self, source: str, text: str) -> tuple[list[str], list[str], Floats]:
        """Returns what the model attends to in a source while it writes a text.

        Returns:
            The text of each token of the source, of each token of the text (*end* is the empty text), and the weights,
            float32 [text, source]; see `lstmlm.decoding.attention`.

        Raises:
            ValueError: The model attends to no source.
        """
        read, written = self.read(source)[0], [*self.tokenizer.encode(text), Tokenizer.END]
        return self._pieces(read), self._pieces(written), attention(self.backend, read, written)

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
        limits = [request.limit or self._decoding.max_tokens for request in requests]
        targets = [
            [*tokens, *([Tokenizer.END] if len(tokens) < most else [])]
            for tokens, most in zip(written, limits, strict=True)
        ]
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
