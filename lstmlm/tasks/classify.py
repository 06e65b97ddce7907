"""Classification: one label a text, any number of labels a text, or a label a word; by calibrated probabilities."""

from __future__ import annotations

import collections
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from lstmlm.bases.labels.columns import SPANS, labelled_record, labels_of
from lstmlm.bases.labels.examples import FEATURES, encoded_texts, labelled_examples
from lstmlm.bases.labels.measures import NAMES, measures
from lstmlm.bases.labels.options import options_of
from lstmlm.bases.labels.predictions import SCHEMAS, labelled_prediction, labelled_predictions
from lstmlm.bases.labels.words import BEGIN, INSIDE, OUTSIDE, SPACES, word_pattern
from lstmlm.bases.one_pass import OnePassTask
from lstmlm.errors import UserError
from lstmlm.recipe.sections.labels import LabelOptions
from lstmlm.records.sums import RecordSums
from lstmlm.task import Better, Feature, OutputColumn, Prediction, request_text

if TYPE_CHECKING:
    import onnx
    import tensorflow as tf

    from lstmlm.bases.graph_tokenizer import GraphTokenizer
    from lstmlm.models.labels.labelling import Labelling
    from lstmlm.recipe.recipe import Recipe
    from lstmlm.records.record import Record
    from lstmlm.task.values import Values
    from lstmlm.tokenizer import Tokenizer


class Classify(OnePassTask):
    """Learns to label texts, or words of texts."""

    Options = LabelOptions
    output_metrics: ClassVar[Mapping[str, Better]] = {"accuracy": "higher"}
    baselines: ClassVar[Mapping[str, tuple[str, ...]]] = {"accuracy": ("majority_accuracy",)}

    # From the corpus to examples.

    def columns(self, recipe: Recipe) -> Sequence[str]:
        """See `Task.columns`."""
        return [recipe.corpus.source, options_of(recipe).label]

    def record(self, row: Mapping[str, Any], record_id: str, recipe: Recipe) -> Record:
        """See `Task.record`: a record without a label, or with one that is none, is a dead letter."""
        return labelled_record(row, record_id, recipe)

    def labels(self, record: Record) -> Iterable[str]:
        """See `Task.labels`; of spans, those that words can have."""
        if SPANS not in record.columns:
            yield from labels_of(record)
            return
        yield OUTSIDE
        for label in labels_of(record, SPANS):
            yield from (BEGIN + label, INSIDE + label)

    def check_labels(self, labels: Sequence[str], recipe: Recipe) -> None:
        """See `Task.check_labels`: one label is nothing to choose from."""
        where, kind = "task_options.label", options_of(recipe).kind
        if kind == "one" and len(labels) < 2:
            what = f"every record of the train split has the label {labels[0]!r}: there is nothing to learn"
            raise UserError(what, where=where, hint="Name the column of the labels, or add records of other labels")
        if kind == "tokens" and len(labels) < 2:
            what = "no record of the train split has a labelled span"
            raise UserError(what, where=where, hint="Name the column of the spans")

    def features(self, recipe: Recipe) -> Mapping[str, Feature]:
        """See `Task.features`."""
        return FEATURES[options_of(recipe).kind]

    def encode(
        self,
        blocks: Iterable[Sequence[Record]],
        tokenizer: Tokenizer,
        recipe: Recipe,
        counts: collections.Counter[str],
    ) -> Iterator[Mapping[str, Values]]:
        """See `Task.encode`: a record with a label that no record of the train split has is left out, and counted."""
        longest = recipe.examples.max_source
        return labelled_examples(options_of(recipe).kind, blocks, tokenizer, longest, counts)

    # The model.

    def build(self, recipe: Recipe, vocabulary: int, labels: Sequence[str] = ()) -> Labelling:
        """See `Task.build`."""
        import tensorflow as tf

        from lstmlm.models.labels.article import Article
        from lstmlm.models.labels.classifier import Classifier

        options, precision = options_of(recipe), tf.as_dtype(recipe.training.precision)
        if options.network == "article":
            return Article(options.kind, recipe.model, vocabulary, len(labels), recipe.seed, precision)
        return Classifier(options, recipe.model, vocabulary, len(labels), recipe.seed, precision)

    def takes_ids(self, recipe: Recipe) -> bool:
        """See `Task.takes_ids`: the labels of words are of places in the text."""
        return options_of(recipe).kind != "tokens"

    def inputs(self, recipe: Recipe) -> Mapping[str, tf.TensorSpec]:
        """See `OnePassTask.inputs`."""
        import tensorflow as tf

        return {"text": tf.TensorSpec([None], tf.string)}

    def batch_of(
        self, inputs: Mapping[str, tf.Tensor], tokenizer: GraphTokenizer | None, recipe: Recipe
    ) -> Mapping[str, tf.Tensor]:
        """See `OnePassTask.batch_of`."""
        assert tokenizer is not None
        longest = recipe.examples.max_source
        if options_of(recipe).kind == "tokens":
            tokens, words, first, cut = tokenizer.words(inputs["text"], word_pattern(), SPACES, longest)
            return {"tokens": tokens, "first": first, "words": words, "cut": cut}
        tokens, cut = tokenizer.closed(inputs["text"], longest)
        return {"tokens": tokens, "cut": cut}

    def outputs(
        self, predicted: Mapping[str, tf.Tensor], labels: Sequence[str], recipe: Recipe
    ) -> Mapping[str, tf.Tensor]:
        """See `OnePassTask.outputs`: `names` are the labels that the probabilities are of."""
        import tensorflow as tf

        shares, names = predicted["probabilities"], tf.constant(labels)
        others = {name: values for name, values in predicted.items() if name in ("words", "cut")}
        best = {"label": tf.gather(names, tf.argmax(shares, axis=-1)), "confidence": tf.reduce_max(shares, axis=-1)}
        if options_of(recipe).kind == "tokens":
            return {**best, **others}
        tiled = tf.tile(names[None], [tf.shape(shares)[0], 1])
        found = {"probabilities": shares, "names": tiled, **others}
        return found if options_of(recipe).kind == "many" else {**best, **found}

    def onnx_graph(self, weights: Mapping[str, Any], recipe: Recipe, *, int8: bool) -> onnx.ModelProto | None:
        """See `OnePassTask.onnx_graph`."""
        from lstmlm.decoding.onnx.labels import labelling

        return labelling(weights, options_of(recipe), int8=int8, residual=recipe.model.residual)

    def onnx_inputs(
        self, requests: Sequence[Mapping[str, Any]], tokenizer: Tokenizer, recipe: Recipe
    ) -> Mapping[str, Sequence[Any]]:
        """See `OnePassTask.onnx_inputs`."""
        texts = [request["text"] for request in requests]
        return encoded_texts(options_of(recipe).kind, texts, tokenizer, recipe.examples.max_source)

    def onnx_predictions(
        self,
        requests: Sequence[Mapping[str, Any]],
        given: Mapping[str, Any],
        labels: Sequence[str],
        recipe: Recipe,
    ) -> list[Prediction]:
        """See `OnePassTask.onnx_predictions`."""
        texts = [request["text"] for request in requests]
        return labelled_predictions(texts, given, labels, options_of(recipe))

    # Predictions, and how good they are.

    def request(self, row: Mapping[str, Any], recipe: Recipe) -> dict[str, Any]:
        """See `Task.request`."""
        return {"text": request_text(row, recipe.inference.field)}

    def request_of(self, record: Record) -> dict[str, Any]:
        """See `Task.request_of`."""
        return {"text": record.source}

    def prediction(self, request: Mapping[str, Any], outputs: Mapping[str, Any], recipe: Recipe) -> Prediction:
        """See `OnePassTask.prediction`."""
        return labelled_prediction(request["text"], outputs, options_of(recipe))

    def schema(self, recipe: Recipe) -> Mapping[str, OutputColumn]:
        """See `Task.schema`."""
        return SCHEMAS[options_of(recipe).kind]

    def measured(self, recipe: Recipe) -> Sequence[str]:
        """See `Task.measured`."""
        return NAMES[options_of(recipe).kind]

    def measure(
        self, predictions: Sequence[Prediction], records: Sequence[Record], recipe: Recipe
    ) -> Mapping[str, Any]:
        """See `OnePassTask.measure`; the tables are the scores of each label and the confusion matrix."""
        return measures(options_of(recipe).kind, predictions, records)

    def sums(
        self, predictions: Sequence[Prediction], records: Sequence[Record], recipe: Recipe
    ) -> Mapping[str, RecordSums]:
        """See `OnePassTask.sums`."""
        from lstmlm.bases.labels.sums import label_sums

        return label_sums(options_of(recipe).kind, predictions, records)

    def report(self, measured: Mapping[str, Any], folder: Path, recipe: Recipe) -> None:
        """See `Task.report`: `confusion.png`."""
        from lstmlm.evaluation.labels.picture import draw_confusion

        if matrix := measured.get("confusion"):
            draw_confusion(matrix["labels"], matrix["counts"], folder / "confusion.png", recipe.name)

    def measure_batch(
        self, predicted: Mapping[str, Any], batch: Mapping[str, Any], recipe: Recipe
    ) -> Mapping[str, tuple[float, float]]:
        """See `OnePassTask.measure_batch`."""
        from lstmlm.bases.labels.measures import batch_accuracy

        return {"accuracy": batch_accuracy(options_of(recipe), predicted["probabilities"], batch)}


TASK = Classify()
