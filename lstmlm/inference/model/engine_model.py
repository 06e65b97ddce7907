"""A published model, decoded by the engine."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lstmlm.decoding.alignment import NOTHING
from lstmlm.decoding.attention import attention
from lstmlm.decoding.backend import Floats
from lstmlm.decoding.constraints.forbidden import Forbidden
from lstmlm.decoding.engine import Engine
from lstmlm.decoding.ensemble import Ensemble
from lstmlm.decoding.meter import Meter
from lstmlm.decoding.running import RunningBatch, Source
from lstmlm.decoding.score import Score, score
from lstmlm.decoding.search.request import Hypothesis, SearchRequest
from lstmlm.inference.input.own_constraints import OwnConstraints
from lstmlm.inference.model.backend_kind import backend_kind
from lstmlm.inference.model.constraining import Constraining
from lstmlm.inference.model.options import sample_seed, search_options, stored_decoding
from lstmlm.inference.model.served import Output, continued, preceding
from lstmlm.recipe.sections.decoding import DecodingSection
from lstmlm.task import BadRecord, Task, stored_task
from lstmlm.tokenizer import Tokenizer, tokenizer_file
from lstmlm.tokenizer.backward import BackwardTokenizer

NO_OUTPUT = "no output is as decoding.forced, decoding.forbidden and decoding.max_tokens ask for"
NO_OWN_OUTPUT = "no output is as its phrases, its prefix and decoding.max_tokens ask for"


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
        members: Export folders, and what is known of them, of models that decode together with it (`check_members`).
    """

    def __init__(
        self,
        folder: Path,
        facts: Mapping[str, Any],
        *,
        threads: int,
        decoding: DecodingSection | None = None,
        task: Task | None = None,
        members: Sequence[tuple[Path, Mapping[str, Any]]] = (),
    ) -> None:
        self._decoding = decoding or stored_decoding(facts)
        self._longest = int(facts["max_source"])
        words = BackwardTokenizer if facts.get("direction") == "backward" else Tokenizer
        self.tokenizer = words(tokenizer_file(folder))
        kind, task = backend_kind(self._decoding.backend), task or stored_task(facts["task"])
        self.backend = kind.load(folder, facts, self._decoding, threads, task)
        if members:
            others = [kind.load(*member, self._decoding, threads, task) for member in members]
            self.backend = Ensemble([self.backend, *others])
        self._constraining = Constraining(self._decoding, self.tokenizer)
        self._options = search_options(self._decoding, self._constraining.common)
        self._engine = Engine(self.backend, self._options, self._decoding.slots)

    def generate(self, texts: Sequence[str], seeds: Sequence[int], meter: Meter | None = None) -> list[Output]:
        """See `TextModel`."""
        if len(texts) != len(seeds):
            raise ValueError(f"{len(texts)} texts and {len(seeds)} seeds")
        asked = [self.asked(text, seed) for text, seed in zip(texts, seeds, strict=True)]
        found = iter(self._engine.decode([request for one in asked for request in one.requests], meter))
        return self.outputs(asked, [[best for _ in one.requests for best in next(found)] for one in asked])

    def constrained(
        self, texts: Sequence[str], seeds: Sequence[int], own: Sequence[OwnConstraints], meter: Meter | None = None
    ) -> list[Output | BadRecord]:
        """Decodes texts that bring constraints of their own.

        Returns:
            One output a text, in their order, or why it has none. That of a text without constraints is the one of
            `generate`, and no output depends on the other texts.
        """
        asked = [self._asked_or_bad(*one) for one in zip(texts, seeds, own, strict=True)]
        good = [one for one in asked if isinstance(one, Asked)]
        hypotheses = iter(self._engine.decode([request for one in good for request in one.requests], meter))
        drawn = [[best for _ in one.requests for best in next(hypotheses)] for one in good]
        pairs = [pair for pair in zip(good, drawn, strict=True) if pair[1]]
        outputs = iter(self.outputs([one for one, _ in pairs], [ranked for _, ranked in pairs]))
        found: Iterator[Output | BadRecord] = iter(
            [next(outputs) if ranked else BadRecord(NO_OWN_OUTPUT) for ranked in drawn]
        )
        return [next(found) if isinstance(one, Asked) else one for one in asked]

    def _asked_or_bad(self, text: str, seed: int, own: OwnConstraints) -> Asked | BadRecord:
        try:
            return self.asked(text, seed, own=own)
        except BadRecord as problem:
            return problem

    def asked(self, text: str, seed: int, limit: int | None = None, own: OwnConstraints | None = None) -> Asked:
        """Returns what the engine decodes for a text: one request, or one for each of its samples.

        Args:
            text: The text.
            seed: Decides the draws, below 2**63.
            limit: Tokens decoded at most, where that is less than `decoding.max_tokens`.
            own: What the text asks of its output.

        Raises:
            BadRecord: No output can be as the text asks for.
        """
        ids, cut = self.read(text)
        if own and own.prefix and not self.backend.closes_source:
            raise BadRecord("an output of a language model has no prefix: put it at the end of the prompt")
        prefix, rules = self._constraining.of_record(own, limit) if own else ((), None)
        times = self._decoding.n_best if self._decoding.method == "sample" else 1
        seeds = [sample_seed(seed, n) for n in range(times)]
        return Asked(text, tuple(SearchRequest(ids, one, limit, prefix, rules) for one in seeds), cut)

    def outputs(self, asked: Sequence[Asked], drawn: Sequence[Sequence[Hypothesis]]) -> list[Output]:
        """Returns the outputs of texts, given the hypotheses of all requests of each.

        Raises:
            ValueError: A text has none.
        """
        outputs = [self._output(one, ranked) for one, ranked in zip(asked, drawn, strict=True)]
        return self._scored([one.requests[0] for one in asked], drawn, outputs) if self._decoding.scores else outputs

    def running(self, source: Source, *, by_record: bool = False) -> RunningBatch:
        """Returns a batch that decodes the requests of a source (see `asked`).

        Args:
            source: Gives the requests.
            by_record: Texts may have constraints of their own; all of them are then decoded as such texts are.
        """
        return self._engine.running(source, by_record=by_record)

    def decoding_as(self, decoding: DecodingSection) -> EngineModel:
        """Returns the same model, its weights shared, that decodes in another way.

        Args:
            decoding: How; its backend, precision and slots have to be those of this model.

        Raises:
            UserError: See `constraints_of`.
        """
        other = copy.copy(self)
        other._decoding, other._constraining = decoding, Constraining(decoding, self.tokenizer)
        other._options = search_options(decoding, other._constraining.common)
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

    def _output(self, asked: Asked, ranked: Sequence[Hypothesis]) -> Output:
        if not ranked:
            raise ValueError(NO_OWN_OUTPUT if asked.requests[0].has_rules else NO_OUTPUT)
        rules = self._options.constraints if asked.requests[0].constraints is None else asked.requests[0].constraints
        best = [(self._text(asked.text, hypothesis, rules.words), hypothesis) for hypothesis in ranked]
        (text, first), cut = best[0], asked.cut
        if self._decoding.n_best == 1:
            return Output(text, len(first.tokens), cut)
        if self._decoding.method == "sample":
            drawn = sum(len(hypothesis.tokens) for hypothesis in ranked)
            return Output(text, drawn, cut, tuple((text, None) for text, _ in best))
        # One text can be spelled in several ways: the best of them stays.
        scores = {text: round(hypothesis.score, 6) for text, hypothesis in reversed(best)}
        n_best = [(text, scores[text]) for text in dict.fromkeys(text for text, _ in best)]
        return Output(text, len(first.tokens), cut, tuple(n_best[: self._decoding.n_best]))

    def _text(self, source: str, hypothesis: Hypothesis, forbidden: Forbidden | None) -> str:
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
        return self.tokenizer.decode(tokens) if forbidden is not None and forbidden.finds(text) else text
