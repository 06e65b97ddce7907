"""Log-probabilities of a recording, or of a segment of a long one, as text with times."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from lstmlm.audio.boundaries import boundaries, energies
from lstmlm.audio.segments import Segment
from lstmlm.audio.settings import SHIFT_SECONDS
from lstmlm.bases.speech.options import TranscribeOptions
from lstmlm.decoding.ctc.alignment import Floats, aligned, greedy
from lstmlm.decoding.ctc.prefix_beam import PrefixBeam
from lstmlm.decoding.ctc.words import Pieces
from lstmlm.tokenizer import Tokenizer


@dataclasses.dataclass(frozen=True, slots=True)
class TimedWord:
    """A word, and when it was said, in seconds."""

    word: str
    start: float
    end: float


@dataclasses.dataclass(frozen=True, slots=True)
class Transcript:
    """What was said.

    Attributes:
        text: The text.
        words: Its words with times.
        n_best: The best texts with their scores, best first; empty where they are not asked for.
    """

    text: str
    words: tuple[TimedWord, ...]
    n_best: tuple[tuple[str, float], ...] = ()


class Transcriber:
    """Finds transcripts.

    Args:
        tokenizer: The vocabulary.
        options: The recipe's.
        search: The search; None: the most likely path.
        n_best: Texts that are asked for.
    """

    def __init__(
        self, tokenizer: Tokenizer, options: TranscribeOptions, search: PrefixBeam | None, n_best: int = 1
    ) -> None:
        self._tokenizer, self._options, self._search, self._n_best = tokenizer, options, search, n_best
        self._pieces = Pieces(tokenizer.pieces())

    def transcript(self, log_probabilities: Floats, segment: Segment) -> Transcript:
        """Returns what was said.

        Args:
            log_probabilities: float32 [steps, vocabulary].
            segment: What they are of: the whole recording, or a part of it.
        """
        if not len(log_probabilities):
            return Transcript("", ())
        if self._search is None:
            return self._written(greedy(log_probabilities), log_probabilities, segment)
        ranked = self._search.search(log_probabilities, closed=segment.last and not segment.start)
        best = self._written(ranked[0][0], log_probabilities, segment)
        if self._n_best == 1:
            return best
        scores: dict[str, float] = {}
        for tokens, score in ranked:
            scores.setdefault(self._tokenizer.decode(tokens), round(score, 6))
        return dataclasses.replace(best, n_best=tuple(scores.items())[: self._n_best])

    def _written(self, tokens: Sequence[int], log_probabilities: Floats, segment: Segment) -> Transcript:
        options = self._options
        words = self._pieces.words(tokens, aligned(log_probabilities, tokens))
        middle = (options.stack - 1) // 2  # of the frames that a step reads
        places = [
            (word.first * options.stride + middle, (word.last - 1) * options.stride + middle + 1) for word in words
        ]
        spans = boundaries(energies(segment.samples, options.rate), places)
        start = segment.start / options.rate
        timed = [
            TimedWord(word.text, round(start + first * SHIFT_SECONDS, 3), round(start + last * SHIFT_SECONDS, 3))
            for word, (first, last) in zip(words, spans, strict=True)
        ]
        return Transcript(self._tokenizer.decode(tokens), tuple(timed))


def joined(parts: Sequence[Transcript]) -> Transcript:
    """Returns the transcript of a recording of several segments."""
    if len(parts) == 1:
        return parts[0]
    words = tuple(word for part in parts for word in part.words)
    return Transcript(" ".join(part.text for part in parts if part.text), words)
