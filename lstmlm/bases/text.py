"""The base of tasks of text to text, whose models predict token after token."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstmlm.recipe.recipe import Recipe
from lstmlm.task import BadRecord, MetricProbe, OutputColumn, Prediction, Predictor, Task

if TYPE_CHECKING:
    import tensorflow as tf

    from lstmlm.decoding.meter import Meter
    from lstmlm.inference.model.loading import TextModel
    from lstmlm.inference.model.served import Output
    from lstmlm.models.base import Autoregressive
    from lstmlm.tokenizer import Tokenizer

_LOG = logging.getLogger(__name__)

_OF_PAIRS = (
    "model.pointer",
    "model.coverage",
    "training.coverage_loss",
    "model.input_feeding",
    "decoding.coverage_penalty",
    "decoding.replace_unknown",
    "evaluation.metrics",
    "inference.prefix",
)
_DECIMALS = 6
_OF_RUNNING_TEXT = ("training.activation_penalty", "training.temporal_penalty", "evaluation.cache.size")


class TextTask(Task):
    """A task that reads a text and writes a text."""

    def compare(
        self, outputs: Sequence[str], references: Sequence[Sequence[str]], sources: Sequence[str], recipe: Recipe
    ) -> Mapping[str, Any]:
        """Measures outputs that were decoded during training.

        Args:
            outputs: One text per source.
            references: For each output, its accepted texts.
            sources: What the outputs were made of.
            recipe: The run, for the language of its texts, and the metric that training goes by.

        Returns:
            Each of `output_metrics` and the one that `training.metric` names, as `evaluate` computes them, and perhaps
            others.
        """
        return {}

    def reads_backward(self, recipe: Recipe) -> bool:
        """Says whether the model reads a text from its end: it then predicts what comes before."""
        return False

    def output_metric_probe(
        self, recipe: Recipe, files: Sequence[Path], tokenizer: Path, model: Any, group: Any
    ) -> MetricProbe:
        """See `Task.output_metric_probe`: some of the valid split is decoded greedily."""
        from lstmlm.training.metrics.decoded import OutputProbe

        wanted = {*self.output_metrics, recipe.training.metric}
        names = [name for name in self.training_metrics(recipe) if name in wanted]
        return OutputProbe(recipe, files, tokenizer, model, group, self.compare, names)

    def unused_fields(self) -> Mapping[str, str]:
        """See `Task.unused_fields`."""
        if self.has_targets:
            return dict.fromkeys(_OF_RUNNING_TEXT, "language models")
        return dict.fromkeys(_OF_PAIRS, "tasks of pairs")

    def scored_column(self, recipe: Recipe) -> str | None:
        """See `Task.scored_column`: that of the output of a pair."""
        return recipe.inference.target if self.has_targets else None

    def request(self, row: Mapping[str, Any], recipe: Recipe) -> dict[str, Any]:
        """See `Task.request`: the text, and what its record asks of the output."""
        from lstmlm.inference.input.own_constraints import constraint_fields

        return super().request(row, recipe) | constraint_fields(row, recipe.inference)

    def check_recipe(self, recipe: Recipe) -> None:
        """See `Task.check_recipe`."""
        from lstmlm.decoding.supported import check_decoding

        check_decoding(recipe)

    def check_export(self, tokenizer: Tokenizer, recipe: Recipe) -> None:
        """See `Task.check_export`: phrases that cannot be written."""
        from lstmlm.inference.model.constraining import constraints_of

        constraints_of(recipe.decoding, tokenizer)

    def serving(self, model: Any, tokenizer: Tokenizer, recipe: Recipe) -> tuple[tf.Module, Mapping[str, Any]]:
        """See `Task.serving`."""
        from lstmlm.bases.text_graph import served, served_tokens

        backward = self.reads_backward(recipe)
        if not tokenizer.in_graph:
            module = served_tokens(model, recipe, backward=backward)
            return module, {"serving_default": module.serve, "tokens_only": module.tokens_only}
        module = served(model, tokenizer, recipe, backward=backward)
        return module, {"serving_default": module.serve, "text_only": module.text_only}

    def export_files(self, folder: Path, model: Any, recipe: Recipe, vocabulary: int) -> dict[str, Any]:
        """See `Task.export_files`: the ONNX files of the engine, where it computes such models."""
        from lstmlm.decoding.onnx import files as onnx_files
        from lstmlm.decoding.supported import option_beyond_engine
        from lstmlm.inference.model.loading import DECODING_FACTS, ENGINE_FACTS

        decoding = recipe.decoding.model_dump(mode="json")
        if option_beyond_engine(recipe.model):
            return {DECODING_FACTS: decoding}
        network: Autoregressive = model
        weights = {name: variable.numpy() for name, variable in network.named_variables().items()}
        onnx_files.write(folder, weights, recipe.model.clusters(vocabulary))
        facts = {
            "task": recipe.task,
            "model": recipe.model.model_dump(mode="json"),
            "decoding": decoding,
            "max_source": recipe.examples.max_source,
            "vocabulary": vocabulary,
        }
        if self.reads_backward(recipe):
            facts["direction"] = "backward"
        if recipe.task_options is not None and recipe.task_options.model_dump(exclude_defaults=True):
            facts["task_options"] = recipe.task_options.model_dump(mode="json")
        return {ENGINE_FACTS: facts}

    def check_predicting(self, export: Path, recipe: Recipe) -> None:
        """See `Task.check_predicting`."""
        from lstmlm.decoding.supported import check_attends
        from lstmlm.inference.model.constraining import check_constraints
        from lstmlm.inference.model.loading import check_engine, check_members, check_served_so

        decoding = recipe.decoding
        check_attends(self.has_targets, decoding)
        check_served_so(export, decoding)
        check_members(export, recipe.inference.models)
        check_engine(export, recipe.inference.constraint_columns)
        check_constraints(export, decoding, phrases=bool(recipe.inference.forced or recipe.inference.forbidden))
        if decoding.method != "sample" and decoding.temperature != 1:
            _LOG.warning("decoding.temperature applies only to method sample, but the method is %s", decoding.method)

    def predictor(self, export: Path, recipe: Recipe) -> Predictor:
        """See `Task.predictor`."""
        from lstmlm.inference.model.loading import load_text_model

        threads, models = recipe.training.threads, recipe.inference.models
        return TextPredictor(
            load_text_model(export, threads=threads, decoding=recipe.decoding, task=self, models=models)
        )

    def decoding_stamp(self, recipe: Recipe) -> Sequence[str]:
        """See `Task.decoding_stamp`: the other models of an ensemble."""
        from lstmlm.inference.model.loading import member_stamp

        return member_stamp(recipe.inference.models)

    def schema(self, recipe: Recipe) -> Mapping[str, OutputColumn]:
        """See `Task.schema`."""
        return {
            "id": OutputColumn("id"),
            "source": OutputColumn("text"),
            "output": OutputColumn("text"),
            "cut": OutputColumn("int", always=False),
            "n_best": OutputColumn("list", always=False),
            "log_probability": OutputColumn("float", always=False),
            "token_scores": OutputColumn("list", always=False),
        }


class TextPredictor:
    """A published model of texts as a `Predictor`.

    Args:
        model: The model.
    """

    def __init__(self, model: TextModel) -> None:
        self.model = model

    def predict(
        self, requests: Sequence[Mapping[str, Any]], seeds: Sequence[int], meter: Meter | None = None
    ) -> list[Prediction | BadRecord]:
        """See `Predictor`."""
        from lstmlm.inference.input.own_constraints import OwnConstraints

        texts = [request["source"] for request in requests]
        own = [OwnConstraints.of_request(request) for request in requests]
        if not any(own):
            outputs = self.model.generate(texts, seeds, meter)
            return [prediction_of(text, output) for text, output in zip(texts, outputs, strict=True)]
        if not hasattr(self.model, "constrained"):
            what = "an export with only a SavedModel follows no constraints of single records"
            return [BadRecord(what) for _ in own]
        found = zip(texts, self.model.constrained(texts, seeds, own, meter), strict=True)
        return [one if isinstance(one, BadRecord) else prediction_of(text, one) for text, one in found]

    def failures(self) -> tuple[type[Exception], ...]:
        """See `Predictor`."""
        return self.model.failures()


def prediction_of(source: str, output: Output) -> Prediction:
    """Returns the columns of the batch job's output."""
    fields: dict[str, Any] = {"source": source, "output": output.text}
    if output.cut:
        fields["cut"] = output.cut
    if output.n_best:
        scored = ({"output": text, "score": score} for text, score in output.n_best)
        fields["n_best"] = [one if one["score"] is not None else {"output": one["output"]} for one in scored]
    if output.log_probability is not None:
        fields["log_probability"] = round(output.log_probability, _DECIMALS)
        scores = output.token_scores
        fields["token_scores"] = [{"token": token, "log_probability": round(one, _DECIMALS)} for token, one in scores]
    return Prediction(fields, output.tokens, output.cut)
