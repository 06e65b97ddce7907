"""Speech recognition: audio to text, with the times of words."""

from __future__ import annotations

import collections
import itertools
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from lstmlm.audio.headers import ENDINGS
from lstmlm.bases.one_pass import OnePassTask
from lstmlm.bases.speech.options import TranscribeOptions, options_of
from lstmlm.bases.speech.rows import AUDIO, TIMES, audio_in, audio_of, times_of
from lstmlm.errors import UserError
from lstmlm.records.record import Record, stable_hash
from lstmlm.records.sums import RecordSums
from lstmlm.task import (
    WHOLE,
    BadRecord,
    Better,
    Feature,
    MetricProbe,
    OutputColumn,
    Prediction,
    Predictor,
    Share,
    text_of,
)

if TYPE_CHECKING:
    import onnx
    import tensorflow as tf

    from lstmlm.bases.graph_tokenizer import GraphTokenizer
    from lstmlm.models.speech.acoustic import Acoustic
    from lstmlm.recipe.recipe import Recipe
    from lstmlm.task.values import Values
    from lstmlm.tokenizer import Tokenizer

_LOG = logging.getLogger(__name__)


class Transcribe(OnePassTask):
    """Learns to write what is said; evaluated by the word error rate."""

    Options = TranscribeOptions
    has_targets = True
    block_rows = 64
    file_endings = ENDINGS
    output_metrics: ClassVar[Mapping[str, Better]] = {"wer": "lower", "cer": "lower"}

    # From the corpus to records.

    def columns(self, recipe: Recipe) -> Sequence[str]:
        """See `Task.columns`."""
        times = options_of(recipe).times
        return [*super().columns(recipe), *([times] if times is not None else [])]

    def record(self, row: Mapping[str, Any], record_id: str, recipe: Recipe) -> Record:
        """See `Task.record`: the audio is in it, so that nothing after ingest reads the files of the corpus."""
        from lstmlm.audio.decode import whole
        from lstmlm.audio.flac import to_flac

        options = options_of(recipe)
        if recipe.corpus.target is None:
            raise BadRecord("the recipe names no corpus.target column")
        transcript = text_of(row, recipe.corpus.target)
        audio = audio_of(row, recipe.corpus.source, recipe.corpus.root)
        try:
            samples = whole(audio, options.rate, options.channel, options.longest)
        except ValueError as error:
            raise BadRecord(f"column {recipe.corpus.source!r}: {error}") from error
        columns: dict[str, Any] = {AUDIO: to_flac(samples, options.rate)}
        if options.times is not None:
            columns[TIMES] = times_of(row, options.times, len(transcript.split()))
        return Record(record_id, "", (" ".join(transcript.split()),), columns=columns)

    def corpus_stamp(self, recipe: Recipe) -> Sequence[str]:
        """See `Task.corpus_stamp`: the content of every audio file below the root."""
        from lstmlm.corpus.sources.files import checksum

        root = recipe.corpus.root
        if isinstance(root, str):
            return []
        found = (path for path in Path(root).rglob("*") if path.name.lower().endswith(tuple(self.file_endings)))
        files = sorted((path.relative_to(root).as_posix(), path) for path in found if path.is_file())
        return [f"{name} {checksum(str(path))}" for name, path in files]

    # From records to batches.

    def vocabulary_texts(self, record: Record) -> Iterable[str]:
        """See `Task.vocabulary_texts`: the transcript."""
        return record.targets

    def labels(self, record: Record) -> Iterable[str]:
        """See `Task.labels`: the words of the transcripts, which `decoding` may hold outputs to."""
        return record.targets[0].split()

    def features(self, recipe: Recipe) -> Mapping[str, Feature]:
        """See `Task.features`."""
        return {"frames": Feature("float", (None, options_of(recipe).mels)), "tokens": Feature("tokens")}

    def encode(
        self,
        blocks: Iterable[Sequence[Record]],
        tokenizer: Tokenizer,
        recipe: Recipe,
        counts: collections.Counter[str],
    ) -> Iterator[Mapping[str, Values]]:
        """See `Task.encode`: log-mel frames, and the tokens of the transcript without *end*."""
        from lstmlm.audio.features import log_mel
        from lstmlm.audio.flac import from_flac
        from lstmlm.bases.speech.examples import reason_against, rows_of

        options = options_of(recipe)
        for block in blocks:
            kept = []
            for record in block:
                samples = from_flac(audio_in(record)).astype("float32") / 32768
                frames, tokens = log_mel(samples, options.form), tokenizer.encode(record.targets[0])
                reason = reason_against(len(frames), tokens, options.stride)
                if reason is None:
                    kept.append((frames, tokens))
                    continue
                counts[reason] += 1
                if counts[reason] == 1:
                    _LOG.warning("not learnt from: %s: %s; the manifest counts them", record.id, reason)
            counts["examples"] += len(kept)
            counts["tokens"] += sum(len(tokens) for _, tokens in kept)
            counts["frames"] += sum(len(frames) for frames, _ in kept)
            if kept:
                yield {"frames": [frames for frames, _ in kept], "tokens": rows_of([tokens for _, tokens in kept])}

    def batches(
        self, files: Sequence[Path], recipe: Recipe, *, epoch: int | None, first: int = 0, share: Share = WHOLE
    ) -> tf.data.Dataset:
        """See `Task.batches`: `training.batch` recordings of like length, changed as `task_options.augment` says."""
        from lstmlm.audio.augment import changed
        from lstmlm.examples.dataset import bucketed, own_rows, with_options

        options = options_of(recipe)
        buckets = options.buckets()
        rows = [recipe.training.batch] * len(buckets)
        kinds, changes = self.features(recipe), options.augment.changes()
        augmented = epoch is not None and changes.any
        # A changed row depends on the others of its batch, so these are read too.
        read = WHOLE if augmented else share
        found = bucketed(files, kinds, buckets, rows, seed=recipe.seed, epoch=epoch, first=first, share=read)
        if not augmented:
            return found
        seed = stable_hash("augment", recipe.seed, epoch) % 2**31

        def change(place: Any, batch: Mapping[str, Any]) -> dict[str, Any]:
            import tensorflow as tf

            drawn = tf.stack([tf.constant(seed, tf.int32), tf.cast(place, tf.int32)])
            return own_rows(changed(batch, changes, drawn, rate=options.rate, stride=options.stride), share)

        return with_options(found.enumerate(first).map(change))

    # The model.

    def build(self, recipe: Recipe, vocabulary: int, labels: Sequence[str] = ()) -> Acoustic:
        """See `Task.build`."""
        import tensorflow as tf

        from lstmlm.models.speech.acoustic import Acoustic, Frames

        options = options_of(recipe)
        frames = Frames(options.mels, options.stack, options.stride, options.normalise == "bands")
        return Acoustic(recipe.model, frames, vocabulary, recipe.seed, tf.as_dtype(recipe.training.precision))

    def inputs(self, recipe: Recipe) -> Mapping[str, tf.TensorSpec]:
        """See `OnePassTask.inputs`: samples between -1 and 1 at `task_options.rate`, and how many are a row's own."""
        import tensorflow as tf

        return {
            "samples": tf.TensorSpec([None, None], tf.float32),
            "samples_length": tf.TensorSpec([None], tf.int32),
        }

    def batch_of(
        self, inputs: Mapping[str, tf.Tensor], tokenizer: GraphTokenizer | None, recipe: Recipe
    ) -> Mapping[str, tf.Tensor]:
        """See `OnePassTask.batch_of`: log-mel features inside the graph."""
        import tensorflow as tf

        from lstmlm.audio.graph_features import frame_counts, log_mel

        form = options_of(recipe).form
        samples = tf.pad(inputs["samples"], [[0, 0], [0, form.frame]])  # one frame at least
        return {"frames": log_mel(samples, form), "frames_length": frame_counts(inputs["samples_length"], form)}

    def serving(self, model: Any, tokenizer: Tokenizer, recipe: Recipe) -> tuple[tf.Module, Mapping[str, Any]]:
        """See `Task.serving`: `output` is decoded greedily; `log_probabilities` and `steps` are for other searches."""
        from lstmlm.bases.speech.graph import served

        return served(self, model, tokenizer, recipe)

    # From a model to predictions.

    def request_at(self, row: Mapping[str, Any], folder: Path | str, recipe: Recipe) -> dict[str, Any]:
        """See `Task.request_at`: a path, or the content of an audio file."""
        found = audio_of(row, recipe.inference.field, folder, what="field")
        return {AUDIO: found}

    def request(self, row: Mapping[str, Any], recipe: Recipe) -> dict[str, Any]:
        """See `Task.request`."""
        return self.request_at(row, recipe.corpus.root, recipe)

    def request_of(self, record: Record) -> dict[str, Any]:
        """See `Task.request_of`."""
        return {AUDIO: audio_in(record)}

    def takes_ids(self, recipe: Recipe) -> bool:
        """See `Task.takes_ids`."""
        return False

    def check_recipe(self, recipe: Recipe) -> None:
        """See `Task.check_recipe`."""
        super().check_recipe(recipe)
        duplicates, decoding = recipe.corpus.duplicates, recipe.decoding
        if duplicates.exact or duplicates.near is not None:
            what = "recordings are not compared: copies are found by their text, and many have the same"
            raise UserError(what, where="corpus.duplicates", hint="Leave it out")
        if decoding.method == "sample":
            what = "no transcript is drawn at random"
            raise UserError(what, where="decoding.method", hint="Set it to greedy or beam")
        options = options_of(recipe)
        if decoding.method != "beam" and (options.language_model is not None or options.lexicon):
            what = "a language model and a lexicon need a search that keeps several transcripts"
            raise UserError(what, where="decoding.method", hint="Set it to beam, or leave them out of task_options")

    def check_export(self, tokenizer: Tokenizer, recipe: Recipe) -> None:
        """See `Task.check_export`: a vocabulary that no graph can hold."""
        _ = tokenizer.model_bytes

    def onnx_graph(self, weights: Mapping[str, Any], recipe: Recipe, *, int8: bool) -> onnx.ModelProto:
        """See `OnePassTask.onnx_graph`: it reads normalised and stacked frames."""
        from lstmlm.decoding.onnx import acoustic

        return acoustic.graph(weights, residual=recipe.model.residual, int8=int8)

    def check_predicting(self, export: Path, recipe: Recipe) -> None:
        """See `Task.check_predicting`."""
        self.check_recipe(recipe)

    def decoding_stamp(self, recipe: Recipe) -> Sequence[str]:
        """See `Task.decoding_stamp`: the language model's."""
        from lstmlm.publish.folder import read_manifest

        model = options_of(recipe).language_model
        return [] if model is None else [read_manifest(model, "export").fingerprint]

    def predictor(self, export: Path, recipe: Recipe) -> Predictor:
        """See `Task.predictor`."""
        from lstmlm.bases.speech.predictor import speech_predictor

        return speech_predictor(export, recipe)

    def schema(self, recipe: Recipe) -> Mapping[str, OutputColumn]:
        """See `Task.schema`: `words` are objects with `word`, and `start` and `end` in seconds."""
        return {
            "id": OutputColumn("id"),
            "output": OutputColumn("text"),
            "words": OutputColumn("list"),
            "seconds": OutputColumn("float"),
            "n_best": OutputColumn("list", always=False),
        }

    # How well a model does.

    def measured(self, recipe: Recipe) -> Sequence[str]:
        """See `Task.measured`."""
        from lstmlm.bases.speech.metrics import NAMES, TIME_NAMES

        return [*NAMES, *(TIME_NAMES if options_of(recipe).times is not None else ())]

    def measure(
        self, predictions: Sequence[Prediction], records: Sequence[Record], recipe: Recipe
    ) -> Mapping[str, Any]:
        """See `OnePassTask.measure`: word and character error rate with their edits, and the error of word times."""
        from lstmlm.bases.speech.metrics import measured

        return measured(predictions, records)

    def sums(
        self, predictions: Sequence[Prediction], records: Sequence[Record], recipe: Recipe
    ) -> Mapping[str, RecordSums]:
        """See `OnePassTask.sums`: the error rates."""
        from lstmlm.bases.speech.metrics import error_sums

        return error_sums(predictions, records)

    def output_metric_probe(
        self, recipe: Recipe, files: Sequence[Path], tokenizer: Path, model: Any, group: Any
    ) -> MetricProbe:
        """See `Task.output_metric_probe`: error rates of some batches of the valid split, decoded greedily."""
        from lstmlm.bases.speech.metrics import greedy_errors
        from lstmlm.tokenizer import Tokenizer, tokenizer_file
        from lstmlm.training.metrics.one_pass import OnePassProbe

        batches = list(itertools.islice(self.batches(files, recipe, epoch=None), recipe.training.evaluate_batches))
        words = Tokenizer(tokenizer_file(tokenizer))
        return OnePassProbe(
            batches, model, lambda found, batch: greedy_errors(found, batch, words), [*self.output_metrics], group
        )


TASK = Transcribe()
