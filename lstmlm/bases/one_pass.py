"""The base of tasks whose models predict in one pass: a label, a label per token, a span, a score per frame.

Such a task says what an example holds (`features`, `encode`), what its SavedModel reads (`inputs`) and how that becomes
a batch (`batch_of`), what is made of the model's predictions (`outputs`), and how good they are (`measure`).
"""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from lstmlm.errors import UserError
from lstmlm.recipe.recipe import Recipe
from lstmlm.records.record import Record, stable_hash
from lstmlm.records.sums import RecordSums
from lstmlm.task import WHOLE, MetricProbe, Prediction, Predictor, Share, Task

if TYPE_CHECKING:
    import onnx
    import tensorflow as tf

    from lstmlm.bases.graph_tokenizer import GraphTokenizer
    from lstmlm.tokenizer import Tokenizer


class OnePassTask(Task):
    """A task with a `OnePass` model."""

    batch_field: ClassVar[Literal["batch", "batch_tokens"]] = "batch"

    def batches(
        self, files: Sequence[Path], recipe: Recipe, *, epoch: int | None, first: int = 0, share: Share = WHOLE
    ) -> tf.data.Dataset:
        """See `Task.batches`: `training.batch` examples of like length; see `lstmlm.examples.dataset.bucketed`."""
        from lstmlm.examples.dataset import bucketed

        sizes = recipe.examples
        buckets = (*(bucket for bucket in sizes.buckets if bucket < sizes.max_source), sizes.max_source)
        rows = [recipe.training.batch] * len(buckets)
        kinds, seed = self.features(recipe), recipe.seed
        return bucketed(files, kinds, buckets, rows, seed=seed, epoch=epoch, first=first, share=share)

    # From raw inputs to predictions.

    @abc.abstractmethod
    def inputs(self, recipe: Recipe) -> Mapping[str, tf.TensorSpec]:
        """Returns what the SavedModel reads: name -> the type of [rows, ...]. A request holds a value for each."""

    @abc.abstractmethod
    def batch_of(
        self, inputs: Mapping[str, tf.Tensor], tokenizer: GraphTokenizer | None, recipe: Recipe
    ) -> Mapping[str, tf.Tensor]:
        """Turns raw inputs into what the model reads, inside the graph.

        Args:
            inputs: What `inputs` says.
            tokenizer: The vocabulary; None for a task without one.
            recipe: The run.

        Returns:
            The features that `OnePass.predict` takes; what else there is, is passed on to `outputs`.
        """

    def outputs(
        self, predicted: Mapping[str, tf.Tensor], labels: Sequence[str], recipe: Recipe
    ) -> Mapping[str, tf.Tensor]:
        """Turns predictions into what the SavedModel gives: name -> [rows, ...]; as they are where not overridden."""
        return predicted

    def prediction(self, request: Mapping[str, Any], outputs: Mapping[str, Any], recipe: Recipe) -> Prediction:
        """Turns what the SavedModel gives for one request into columns of the output: as they are, by name."""
        return Prediction(dict(outputs))

    def serving(self, model: Any, tokenizer: Tokenizer, recipe: Recipe) -> tuple[tf.Module, Mapping[str, Any]]:
        """See `Task.serving`: the signature `serving_default` reads `inputs`.

        With a vocabulary that tensorflow-text has no operation for, it reads ids where they are texts.
        """
        import tensorflow as tf

        from lstmlm.bases.graph_tokenizer import GivenIds, GraphTokenizer

        words = None if not tokenizer.size else GraphTokenizer(tokenizer) if tokenizer.in_graph else GivenIds()
        read = dict(self.inputs(recipe))
        if isinstance(words, GivenIds):
            ids = tf.TensorSpec([None, None], tf.int32)
            read = {name: ids if spec.dtype == tf.string else spec for name, spec in read.items()}
        module = tf.Module(name="served")
        module.model, module.words = model, words  # they own what the signature reads

        def serve(**inputs: tf.Tensor) -> dict[str, tf.Tensor]:
            batch, features = self.batch_of(inputs, words, recipe), self.features(recipe)
            others = {name: values for name, values in batch.items() if name.removesuffix("_length") not in features}
            predicted = {**model.predict(batch), **others}
            return dict(self.outputs(predicted, tokenizer.labels, recipe))

        specs = {name: tf.TensorSpec(spec.shape, spec.dtype, name=name) for name, spec in read.items()}
        return module, {"serving_default": tf.function(serve).get_concrete_function(**specs)}

    # The same by onnxruntime, for tasks that have such a graph.

    def onnx_graph(self, weights: Mapping[str, Any], recipe: Recipe, *, int8: bool) -> onnx.ModelProto | None:
        """Returns the model as an ONNX graph, for the batch job in float32 and int8; None: there is none.

        Args:
            weights: Arrays by the names of `named_variables`.
            recipe: The run.
            int8: Compute the matrix products in int8.
        """
        return None

    def onnx_inputs(
        self, requests: Sequence[Mapping[str, Any]], tokenizer: Tokenizer, recipe: Recipe
    ) -> Mapping[str, Sequence[Any]]:
        """Returns what the graph reads, by name: an array for each request; other names go to `onnx_predictions`."""
        raise NotImplementedError(f"{type(self).__name__} has a graph of ONNX and no inputs for it")

    def onnx_predictions(
        self,
        requests: Sequence[Mapping[str, Any]],
        given: Mapping[str, Any],
        labels: Sequence[str],
        recipe: Recipe,
    ) -> list[Prediction]:
        """Returns a prediction for each request of what the graph gives, name -> [rows, ...]; further rows fill up."""
        raise NotImplementedError(f"{type(self).__name__} has a graph of ONNX and no predictions from it")

    @property
    def has_onnx(self) -> bool:
        """Whether there is an ONNX graph."""
        return type(self).onnx_graph is not OnePassTask.onnx_graph

    def check_recipe(self, recipe: Recipe) -> None:
        """See `Task.check_recipe`: a precision that nothing computes in."""
        precision = recipe.decoding.precision
        if precision == "bfloat16" or (precision == "int8" and not self.has_onnx):
            known = "float32 or int8" if self.has_onnx else "float32"
            what = f"models of the task {recipe.task} predict in {known}, not in {precision}"
            raise UserError(what, where="decoding.precision", hint="Change it")

    def export_files(self, folder: Path, model: Any, recipe: Recipe, vocabulary: int) -> dict[str, Any]:
        """See `Task.export_files`: the ONNX graph in float32 and in int8, where there is one."""
        if self.has_onnx:
            from lstmlm.inference.model.one_pass_onnx import onnx_file

            weights = {name: variable.numpy() for name, variable in model.named_variables().items()}
            for int8 in (False, True):
                graph = self.onnx_graph(weights, recipe, int8=int8)
                if graph is not None:
                    onnx_file(folder, int8=int8).write_bytes(graph.SerializeToString(deterministic=True))
        return {}

    def predictor(self, export: Path, recipe: Recipe) -> Predictor:
        """See `Task.predictor`: onnxruntime where `decoding.backend` says so and can, else the SavedModel."""
        from lstmlm.inference.model.one_pass import OnePassPredictor
        from lstmlm.inference.model.one_pass_onnx import OnnxOnePassPredictor
        from lstmlm.tokenizer import Tokenizer, tokenizer_file

        if self.has_onnx and recipe.decoding.backend == "onnx":
            words = Tokenizer(tokenizer_file(export))
            return OnnxOnePassPredictor(
                export,
                lambda requests: self.onnx_inputs(requests, words, recipe),
                lambda requests, given: self.onnx_predictions(requests, given, words.labels, recipe),
                int8=recipe.decoding.precision == "int8",
                threads=recipe.training.threads,
            )

        def made(request: Mapping[str, Any], outputs: Mapping[str, Any]) -> Prediction:
            return self.prediction(request, outputs, recipe)

        return OnePassPredictor(export, made, threads=recipe.training.threads)

    # How well a model does.

    @abc.abstractmethod
    def measure(
        self, predictions: Sequence[Prediction], records: Sequence[Record], recipe: Recipe
    ) -> Mapping[str, Any]:
        """Measures predictions by the records whose requests they answer; see `Task.evaluate`."""

    def evaluate(
        self, export: Path, records: Sequence[Record], training: Path | None, recipe: Recipe
    ) -> dict[str, Any]:
        """See `Task.evaluate`: `measure` of `evaluation.max_records` records, drawn by hash."""
        return dict(self.measure(*self._predicted(export, records, recipe), recipe))

    def record_sums(self, export: Path, records: Sequence[Record], recipe: Recipe) -> Mapping[str, RecordSums]:
        """See `Task.record_sums`: `sums` of the same records as `evaluate`."""
        found = self.sums(*self._predicted(export, records, recipe), recipe)
        return found or super().record_sums(export, records, recipe)

    def sums(
        self, predictions: Sequence[Prediction], records: Sequence[Record], recipe: Recipe
    ) -> Mapping[str, RecordSums]:
        """Returns what metrics are computed from, as `measure` does; see `Task.record_sums`."""
        return {}

    def _predicted(
        self, export: Path, records: Sequence[Record], recipe: Recipe
    ) -> tuple[list[Prediction], list[Record]]:
        """Predicts `evaluation.max_records` records, drawn by hash; returns the predictions, and the records."""
        most, seed = recipe.evaluation.max_records, recipe.seed
        drawn = sorted(records, key=lambda record: stable_hash(seed, "evaluate", record.id))[:most]
        requests = [self.request_of(record) for record in drawn]
        seeds = [stable_hash(seed, record.id) for record in drawn]
        answers = zip(drawn, self.predictor(export, recipe).predict(requests, seeds), strict=True)
        answered = [(record, answer) for record, answer in answers if isinstance(answer, Prediction)]
        if len(answered) < len(drawn):
            raise RuntimeError(f"{len(drawn) - len(answered)} records of a finished folder cannot be predicted")
        return [answer for _, answer in answered], drawn

    def measure_batch(
        self, predicted: Mapping[str, Any], batch: Mapping[str, Any], recipe: Recipe
    ) -> Mapping[str, tuple[float, float]]:
        """Measures a batch during training, for a task with `output_metrics`.

        Args:
            predicted: What `OnePass.predict` gives, as arrays.
            batch: The batch, as arrays.
            recipe: The run.

        Returns:
            Metric -> its sum over the examples, and what that is divided by.
        """
        raise NotImplementedError(f"{type(self).__name__} has output_metrics and does not measure them")

    def output_metric_probe(
        self, recipe: Recipe, files: Sequence[Path], tokenizer: Path, model: Any, group: Any
    ) -> MetricProbe:
        """See `Task.output_metric_probe`: `measure_batch` over some batches of the valid split."""
        from lstmlm.training.metrics.one_pass import OnePassProbe

        batches = self.batches(files, recipe, epoch=None).take(recipe.training.evaluate_batches)

        def measured(predicted: Mapping[str, Any], batch: Mapping[str, Any]) -> Mapping[str, tuple[float, float]]:
            return self.measure_batch(predicted, batch, recipe)

        return OnePassProbe(list(batches), model, measured, list(self.output_metrics), group)
