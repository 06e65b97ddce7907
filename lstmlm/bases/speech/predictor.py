"""The batch job's predictor of speech: audio of any length in, transcripts out, in bounded memory."""

from __future__ import annotations

import collections
import dataclasses
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lstmlm.audio.decode import AudioError, decoded
from lstmlm.audio.segments import Segment, segments
from lstmlm.bases.speech.network import Batches, load_batches
from lstmlm.bases.speech.options import TranscribeOptions, options_of
from lstmlm.bases.speech.rows import AUDIO
from lstmlm.bases.speech.transcripts import Transcriber, Transcript, joined
from lstmlm.decoding.ctc.fusion import LSTMWords
from lstmlm.decoding.ctc.prefix_beam import BeamOptions, Lexicon, PrefixBeam
from lstmlm.decoding.ctc.words import Pieces
from lstmlm.decoding.meter import Meter
from lstmlm.errors import UserError
from lstmlm.inference.model.engine_model import EngineModel
from lstmlm.inference.model.loading import load_text_model
from lstmlm.recipe.recipe import Recipe
from lstmlm.task import BadRecord, Prediction
from lstmlm.tokenizer import Tokenizer, tokenizer_file


def speech_predictor(export: Path, recipe: Recipe) -> SpeechPredictor:
    """Loads an export folder, and the language model that the recipe names.

    Raises:
        UserError: One of them is not finished, or not of its kind.
    """
    options = options_of(recipe)
    batches = load_batches(export, recipe)
    tokenizer = Tokenizer(tokenizer_file(export))
    search = _search(recipe, tokenizer) if recipe.decoding.method == "beam" else None
    transcriber = Transcriber(tokenizer, options, search, recipe.decoding.n_best)
    return SpeechPredictor(batches, transcriber, options)


def _search(recipe: Recipe, tokenizer: Tokenizer) -> PrefixBeam:
    options = options_of(recipe)
    model = None
    if options.language_model is not None:
        loaded = load_text_model(options.language_model, threads=recipe.training.threads)
        if not isinstance(loaded, EngineModel) or loaded.backend.closes_source:
            what = "not a language model that scores words"
            hint = "Name the export of a recipe with `task: generate`"
            raise UserError(what, where=str(options.language_model), hint=hint)
        model = LSTMWords(loaded.backend, loaded.tokenizer, options.language_model_weight, options.word_bonus)
    lexicon = Lexicon(tokenizer.labels) if options.lexicon else None
    return PrefixBeam(Pieces(tokenizer.pieces()), BeamOptions(recipe.decoding.beam), model, lexicon)


@dataclasses.dataclass(slots=True)
class _Recording:
    """What is known of a request so far.

    Attributes:
        parts: Number of the segment -> its transcript.
        samples: Samples that were read.
        steps: Steps that were computed.
        refused: Why there is no transcript.
    """

    parts: dict[int, Transcript] = dataclasses.field(default_factory=dict)
    samples: int = 0
    steps: int = 0
    refused: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class _Waiting:
    """A segment that waits for others of its length."""

    owner: int
    number: int
    segment: Segment


class SpeechPredictor:
    """See `lstmlm.task.Predictor`. A request holds `audio`: the path of a file, or its content.

    Args:
        batches: The network.
        transcriber: Finds transcripts.
        options: The recipe's.
    """

    def __init__(self, batches: Batches, transcriber: Transcriber, options: TranscribeOptions) -> None:
        self._batches, self._transcriber, self._options = batches, transcriber, options

    def predict(
        self, requests: Sequence[Mapping[str, Any]], seeds: Sequence[int], meter: Meter | None = None
    ) -> list[Prediction | BadRecord]:
        """See `Predictor`; nothing is drawn, so the seeds are of no account."""
        recordings = [_Recording() for _ in requests]
        waiting: dict[int, list[_Waiting]] = collections.defaultdict(list)
        meter = meter or Meter()
        for found in self._segments(requests, recordings):
            bucket = self._batches.bucket(found.segment.samples)
            waiting[bucket].append(found)
            if len(waiting[bucket]) == self._batches.rows(bucket):
                self._compute(bucket, waiting.pop(bucket), recordings, meter)
        for bucket, left in sorted(waiting.items()):
            self._compute(bucket, left, recordings, meter)
        return [self._prediction(recording) for recording in recordings]

    def failures(self) -> tuple[type[Exception], ...]:
        """See `Predictor`."""
        import tensorflow as tf

        return (tf.errors.OpError, ValueError, MemoryError)

    def _segments(self, requests: Sequence[Mapping[str, Any]], recordings: Sequence[_Recording]) -> Iterator[_Waiting]:
        """Yields the segments of all requests; what cannot be read ends its recording."""
        options = self._options
        for owner, request in enumerate(requests):
            try:
                blocks = decoded(request[AUDIO], options.rate, options.channel)
                for number, segment in enumerate(segments(blocks, options.rate)):
                    recordings[owner].samples += len(segment.samples)
                    yield _Waiting(owner, number, segment)
            except AudioError as error:
                recordings[owner].refused = str(error)

    def _compute(self, bucket: int, some: Sequence[_Waiting], recordings: Sequence[_Recording], meter: Meter) -> None:
        begun = time.perf_counter()
        found = self._batches.computed(bucket, [one.segment.samples for one in some])
        for one, log_probabilities in zip(some, found, strict=True):
            recording = recordings[one.owner]
            recording.parts[one.number] = self._transcriber.transcript(log_probabilities, one.segment)
            recording.steps += len(log_probabilities)
        meter.finished(time.perf_counter() - begun, len(some))
        meter.step(self._batches.rows(bucket), len(some))

    def _prediction(self, recording: _Recording) -> Prediction | BadRecord:
        if recording.refused:
            return BadRecord(recording.refused)
        transcript = joined([part for _, part in sorted(recording.parts.items())])
        fields: dict[str, Any] = {
            "output": transcript.text,
            "words": [dataclasses.asdict(word) for word in transcript.words],
            "seconds": round(recording.samples / self._options.rate, 3),
        }
        if transcript.n_best:
            fields["n_best"] = [{"output": text, "score": score} for text, score in transcript.n_best]
        return Prediction(fields, recording.steps)
