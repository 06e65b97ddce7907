"""The recipe's `task_options` of speech recognition."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from lstmlm.audio.settings import SHIFT_SECONDS, Features
from lstmlm.recipe.sections.section import Fraction, Positive, Section

if TYPE_CHECKING:
    from lstmlm.audio.augment import Changes
    from lstmlm.recipe.recipe import Recipe

_FIRST_BUCKET, _GROWTH = 32, 1.25

Share = Annotated[float, Field(ge=0.0, lt=0.5)]
Seconds = Annotated[float, Field(gt=0.0)]


class Augment(Section):
    """How recordings are changed at random while they are learnt from, each epoch in another way."""

    join: Fraction = Field(0.0, description="Share of recordings that another one is put behind, after a pause.")
    speed: Share = Field(0.1, description="Largest relative change of speed (Ko et al. 2015).")
    tract: Share = Field(0.08, description="Largest relative change of frequencies (Jaitly and Hinton 2013).")
    noise: Fraction = Field(0.3, description="Share of recordings that noise is added to.")
    snr: tuple[float, float] = Field((5.0, 25.0), description="Least and greatest signal-to-noise ratio, in dB.")
    frequency_masks: Annotated[int, Field(ge=0)] = Field(
        2, description="Masks over mel bands (SpecAugment, Park et al. 2019)."
    )
    frequency_width: Annotated[int, Field(ge=0)] = Field(8, description="Bands that a mask covers at most.")
    time_masks: Annotated[int, Field(ge=0)] = Field(2, description="Masks over time.")
    time_width: Annotated[int, Field(ge=0)] = Field(20, description="Frames of 10 ms that a mask covers at most.")
    time_share: Fraction = Field(0.2, description="Share of a recording that a mask over time covers at most.")

    def changes(self) -> Changes:
        """Returns them as `lstmlm.audio.augment` takes them."""
        from lstmlm.audio.augment import Changes

        return Changes(**self.model_dump())


class TranscribeOptions(Section):
    """What is made of audio, and how transcripts are found."""

    belongs_to: ClassVar[Mapping[str, str]] = {
        "augment": "training",
        "language_model": "decoding",
        "language_model_weight": "decoding",
        "word_bonus": "decoding",
        "lexicon": "decoding",
    }

    rate: Annotated[int, Field(ge=4_000, le=48_000)] = Field(
        16_000, description="Samples per second that recordings are brought to and kept at."
    )
    mels: Annotated[int, Field(ge=8, le=128)] = Field(80, description="Mel bands of a frame of 25 ms, every 10 ms.")
    stack: Positive = Field(3, description="Frames that a step of the network reads.")
    stride: Positive = Field(
        3, description="Frames from one step to the next. A step writes one character at most: 2 for fast speech."
    )
    normalise: Literal["recording", "bands"] = Field(
        "recording",
        description="What is brought to mean 0 and variance 1: all features of a recording together, or each mel band "
        "by itself, which takes out the microphone and, of short recordings, much of the sound too.",
    )
    channel: Annotated[int, Field(ge=0)] | None = Field(
        None, description="The channel that is read, counted from 0; absent: the mean of all."
    )
    longest: Seconds = Field(
        30.0,
        description="Seconds of a recording of the corpus; a longer one is a dead letter. The batch job has no limit.",
    )
    times: str | None = Field(
        None,
        description="Column of the corpus with `start-end` of each word in seconds, separated by spaces; the "
        "evaluation compares word times with it.",
    )
    augment: Augment = Augment()
    language_model: Path | None = Field(
        None, description="Export folder of a `generate` model of transcripts, for `decoding.method: beam`."
    )
    language_model_weight: Annotated[float, Field(ge=0.0)] = Field(
        0.5, description="Factor on the log-probabilities of the language model."
    )
    word_bonus: float = Field(0.0, description="Added to the score of a transcript for each of its words.")
    lexicon: bool = Field(False, description="Write only words of the train split; `decoding.method: beam`.")

    @property
    def form(self) -> Features:
        """The form of the features."""
        return Features(self.rate, self.mels)

    def buckets(self) -> tuple[int, ...]:
        """Returns the upper lengths in frames that recordings are grouped by for batches."""
        most = math.ceil(self.longest / SHIFT_SECONDS)
        found = [_FIRST_BUCKET]
        while found[-1] < most:
            found.append(math.ceil(found[-1] * _GROWTH / 8) * 8)
        return tuple(found)


def options_of(recipe: Recipe) -> TranscribeOptions:
    """Returns the recipe's options of speech recognition."""
    assert isinstance(recipe.task_options, TranscribeOptions)
    return recipe.task_options
