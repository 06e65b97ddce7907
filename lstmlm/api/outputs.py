"""What the calls of a model return: one typed result for each input."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any


@dataclasses.dataclass(frozen=True, slots=True)
class Failed:
    """An input that has no output.

    Attributes:
        index: Its place among the inputs, counted from 0.
        given: The input.
        reason: Why.
    """

    index: int
    given: Any
    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class TokenScore:
    """A token of a text.

    Attributes:
        token: Its text, with the space that it begins with; empty for the end of the text.
        log_probability: Natural logarithm of its probability after those before it.
    """

    token: str
    log_probability: float


@dataclasses.dataclass(frozen=True, slots=True)
class Candidate:
    """One of the best texts, or one of several samples.

    Attributes:
        text: The text.
        score: What they are ranked by, higher is better; None for a sample.

    >>> max([Candidate("a house", -1.5), Candidate("house", -2.0)], key=lambda one: one.score).text
    'a house'
    """

    text: str
    score: float | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Generated:
    """A text that a model wrote.

    Attributes:
        source: The prompt, or the text that was translated or summarized.
        text: The output. That of a language model begins with a space where one belongs, so `source + text` is whole.
        cut: Tokens of the source that were too many to be read.
        n_best: The best texts, or all samples, where `n_best` is more than 1.
        log_probability: Natural logarithm of the probability of the text, with `scores`.
        token_scores: The same for each of its tokens, with `scores`.
    """

    source: str
    text: str
    cut: int = 0
    n_best: tuple[Candidate, ...] = ()
    log_probability: float | None = None
    token_scores: tuple[TokenScore, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class LabelledSpan:
    """A part of a text with a label; places in characters, the end exclusive; confidence from 0 to 1."""

    start: int
    end: int
    label: str
    text: str
    confidence: float


@dataclasses.dataclass(frozen=True, slots=True)
class Classified:
    """The label or labels of a text.

    Attributes:
        source: The text.
        label: The most probable label, of models with one label a text.
        confidence: Its probability, 0 to 1.
        labels: The labels, of models with several a text.
        probabilities: Label -> probability, but for models that label words.
        spans: The labelled parts of the text, of models that label words.
        cut: Tokens that were too many to be read.
    """

    source: str
    label: str | None = None
    confidence: float | None = None
    labels: tuple[str, ...] = ()
    probabilities: Mapping[str, float] = dataclasses.field(default_factory=dict)
    spans: tuple[LabelledSpan, ...] = ()
    cut: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Answered:
    """An answer, found in a passage.

    Attributes:
        question: The question.
        answer: The answer; empty: the passage has none.
        start: Where it begins in the passage, in characters.
        end: Where it ends, exclusive.
        confidence: Probability of this answer, 0 to 1.
        evidence: The sentence that it is in.
        document: The id of the document, where the recipe names documents to look in.
    """

    question: str
    answer: str
    start: int
    end: int
    confidence: float
    evidence: str
    document: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word of a recording, and when it was said, in seconds."""

    word: str
    start: float
    end: float


@dataclasses.dataclass(frozen=True, slots=True)
class Transcribed:
    """What was said in a recording.

    Attributes:
        text: The transcript.
        words: Its words with their times.
        seconds: Length of the recording.
        n_best: The best transcripts, where `n_best` is more than 1.
    """

    text: str
    words: tuple[SpokenWord, ...]
    seconds: float
    n_best: tuple[Candidate, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Attended:
    """What a model attends to in a source while it writes a text.

    Attributes:
        source: The tokens of the source, each with the space that it begins with; empty for its end.
        text: The tokens of the text, as those of the source.
        weights: For each token of the text a weight for each token of the source; they add up to 1.
    """

    source: tuple[str, ...]
    text: tuple[str, ...]
    weights: tuple[tuple[float, ...], ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Scored:
    """How probable a text is.

    Attributes:
        text: The text.
        log_probability: Natural logarithm of its probability, its end included.
        perplexity: Per token.
        token_scores: Each token's.
    """

    text: str
    log_probability: float
    perplexity: float
    token_scores: tuple[TokenScore, ...]


Output = Generated | Classified | Answered | Transcribed
"""What a model makes of an input."""
