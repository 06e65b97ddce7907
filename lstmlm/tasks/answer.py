"""Question answering: finds the answer to a question in a passage."""

from __future__ import annotations

import collections
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from lstmlm.answering.limits import Limits
from lstmlm.bases.one_pass import OnePassTask
from lstmlm.errors import UserError
from lstmlm.recipe.recipe import Recipe
from lstmlm.recipe.sections.section import Positive, Section
from lstmlm.records.record import Record
from lstmlm.records.sums import RecordSums, mean_of
from lstmlm.task import BadRecord, Better, Feature, OutputColumn, Prediction, Predictor

if TYPE_CHECKING:
    import onnx
    import tensorflow as tf

    from lstmlm.models.reader.reader import Reader
    from lstmlm.records.columns import Value
    from lstmlm.task.values import Values
    from lstmlm.tokenizer import Tokenizer

ORIGINAL = "original"
"""Column of the passage as it was before it was cleaned, UTF-8: requests are not cleaned either."""


class AnswerOptions(Section):
    """How questions and answers are given, and what an answer may be. The passage is `corpus.source`."""

    question: str = Field("question", description="Column or key of the question.")
    answers: str = Field("answers", description="Column or key of the answer or the list of accepted answers.")
    answer_start: str | None = Field(
        "answer_start",
        description="Column or key of where the answers begin, in characters: a number, for the first answer, or a "
        "list; a wrong or missing one is looked for. Absent: none is given.",
    )
    repeated: Literal["refuse", "any"] = Field(
        "refuse",
        description="An answer that occurs several times in its passage, and not where `answer_start` says: make it a "
        "dead letter, or learn that any of its occurrences is right.",
    )
    no_answer: bool = Field(False, description="Whether questions without an answer are learnt, and answered so.")
    max_question: Positive = Field(48, description="Tokens kept of a question; the rest is cut and counted.")
    max_answer: Positive = Field(24, description="Tokens of an answer at most.")
    stride: Positive = Field(
        128, description="Tokens from one window to the next, of a passage of more than `examples.max_source` tokens."
    )


class Answer(OnePassTask):
    """Learns to find the answer to a question in a passage."""

    Options = AnswerOptions
    output_metrics: ClassVar[Mapping[str, Better]] = {"exact": "higher", "f1": "higher"}
    baselines: ClassVar[Mapping[str, tuple[str, ...]]] = {"exact": ("window_exact",), "f1": ("window_f1",)}

    def takes_ids(self, recipe: Recipe) -> bool:
        """See `Task.takes_ids`."""
        return False

    def check_recipe(self, recipe: Recipe) -> None:
        """See `Task.check_recipe`: windows must overlap so far that every answer is whole in the one it belongs to."""
        super().check_recipe(recipe)
        options, longest = _options(recipe), recipe.examples.max_source
        most = longest - 2 * options.max_answer
        if options.stride > most:
            what = f"windows of {longest} tokens, {options.stride} apart, would cut answers of {options.max_answer}"
            hint = f"Set it to {most} or less" if most > 0 else "Raise examples.max_source or lower max_answer"
            raise UserError(what, where="task_options.stride", hint=hint)

    # From the corpus to examples.

    def columns(self, recipe: Recipe) -> Sequence[str]:
        """See `Task.columns`."""
        options = _options(recipe)
        place = [] if options.answer_start is None else [options.answer_start]
        return [recipe.corpus.source, options.question, options.answers, *place]

    def record(self, row: Mapping[str, Any], record_id: str, recipe: Recipe) -> Record:
        """See `Task.record`: the passage is the source, the answers are the targets; columns have the rest."""
        from lstmlm.answering.rows import answer_places, answer_spans, answer_texts, required_text

        options = _options(recipe)
        passage = required_text(row, recipe.corpus.source, "passage")
        question = required_text(row, options.question, "question")
        answers = answer_texts(row, options.answers)
        if not answers and not options.no_answer:
            raise BadRecord(f"no answer in column {options.answers!r}, and task_options.no_answer is false")
        spans = answer_spans(passage, answers, answer_places(row, options.answer_start), options.repeated)
        columns: dict[str, Value] = {"question": question}
        if recipe.corpus.normalise and not recipe.corpus.privacy.kinds:
            columns[ORIGINAL] = passage.encode("utf-8", "replace")
        columns |= {f"answer_{number}": span for number, span in enumerate(spans)}
        return Record(record_id, passage, tuple(dict.fromkeys(answers)), columns=columns)

    def vocabulary_texts(self, record: Record) -> Iterable[str]:
        """See `Task.vocabulary_texts`: the passage and the question."""
        yield record.source
        yield str(record.columns["question"])

    def features(self, recipe: Recipe) -> Mapping[str, Feature]:
        """See `Task.features`."""
        from lstmlm.answering.examples import FEATURES

        return FEATURES

    def encode(
        self,
        blocks: Iterable[Sequence[Record]],
        tokenizer: Tokenizer,
        recipe: Recipe,
        counts: collections.Counter[str],
    ) -> Iterator[Mapping[str, Values]]:
        """See `Task.encode`: an example for each window of a passage."""
        from lstmlm.answering.examples import Encoder, encoded

        options = _options(recipe)
        sizes = recipe.examples.max_source, options.stride, options.max_question, options.max_answer
        return encoded(blocks, Encoder(tokenizer, *sizes), counts)

    def build(self, recipe: Recipe, vocabulary: int, labels: Sequence[str] = ()) -> Reader:
        """See `Task.build`."""
        import tensorflow as tf

        from lstmlm.models.reader.reader import Reader

        precision = tf.as_dtype(recipe.training.precision)
        return Reader(recipe.model, vocabulary, _options(recipe).max_answer, recipe.seed, precision)

    def measure_batch(
        self, predicted: Mapping[str, Any], batch: Mapping[str, Any], recipe: Recipe
    ) -> Mapping[str, tuple[float, float]]:
        """See `OnePassTask.measure_batch`: exact match and F1 of the tokens of the best span, in percent."""
        from lstmlm.evaluation.answers.spans import span_scores

        return span_scores(predicted, batch)

    # From raw inputs to answers.

    def request_columns(self, recipe: Recipe) -> Sequence[str]:
        """See `Task.request_columns`: the question and, where there are no documents, the passage."""
        passage = [recipe.inference.field] if recipe.inference.documents is None else []
        return [_options(recipe).question, *passage]

    def request(self, row: Mapping[str, Any], recipe: Recipe) -> dict[str, Any]:
        """See `Task.request`; with documents a request may have no passage."""
        from lstmlm.answering.rows import required_text

        question = required_text(row, _options(recipe).question, "question")
        field = recipe.inference.field
        if recipe.inference.documents is not None and not row.get(field):
            return {"question": question, "context": ""}
        return {"question": question, "context": required_text(row, field, "passage")}

    def request_of(self, record: Record) -> dict[str, Any]:
        """See `Task.request_of`: the passage is the original one, so that places are those in the corpus."""
        original = record.columns.get(ORIGINAL)
        context = original.decode("utf-8") if isinstance(original, bytes) else record.source
        return {"question": str(record.columns["question"]), "context": context}

    def inputs(self, recipe: Recipe) -> Mapping[str, tf.TensorSpec]:
        """See `OnePassTask.inputs`."""
        import tensorflow as tf

        return {"question": tf.TensorSpec([None], tf.string), "context": tf.TensorSpec([None], tf.string)}

    def serving(self, model: Any, tokenizer: Tokenizer, recipe: Recipe) -> tuple[tf.Module, Mapping[str, Any]]:
        """See `Task.serving`: `question` and `context` to what `lstmlm.answering.served.Served` gives."""
        import tensorflow as tf

        from lstmlm.answering.lexicon import Lexicon
        from lstmlm.answering.served import Served
        from lstmlm.bases.graph_tokenizer import GraphTokenizer

        served = Served(model, GraphTokenizer(tokenizer), Lexicon(tokenizer), _limits(recipe))
        specs = {name: tf.TensorSpec(spec.shape, spec.dtype, name=name) for name, spec in self.inputs(recipe).items()}
        return served, {"serving_default": tf.function(served.__call__).get_concrete_function(**specs)}

    def batch_of(self, inputs: Mapping[str, tf.Tensor], tokenizer: Any, recipe: Recipe) -> Mapping[str, tf.Tensor]:
        """Not used: `serving` reads a passage in windows."""
        raise NotImplementedError("a passage is more than one batch; see `serving`")

    def onnx_graph(self, weights: Mapping[str, Any], recipe: Recipe, *, int8: bool) -> onnx.ModelProto | None:
        """See `OnePassTask.onnx_graph`: it reads windows; `lstmlm.answering.windowed` makes them."""
        from lstmlm.decoding.onnx.reading.reader import reading

        return reading(weights, residual=recipe.model.residual, int8=int8)

    def prediction(self, request: Mapping[str, Any], outputs: Mapping[str, Any], recipe: Recipe) -> Prediction:
        """See `OnePassTask.prediction`: with the sentence of the answer."""
        from lstmlm.answering.predictor import answered

        return answered(request, outputs)

    def predictor(self, export: Path, recipe: Recipe) -> Predictor:
        """See `Task.predictor`; a request without a passage is answered from the documents of the recipe."""
        from lstmlm.answering.predictor import Answers, Library, answered
        from lstmlm.answering.windowed import WindowedReader
        from lstmlm.inference.input.documents import documents

        library = None
        if recipe.inference.documents is not None:
            library = Library(documents(recipe), recipe.inference.read_documents)
        if recipe.decoding.backend != "onnx":
            return Answers(super().predictor(export, recipe), library)
        int8, threads = recipe.decoding.precision == "int8", recipe.training.threads
        return Answers(WindowedReader(export, _limits(recipe), answered, int8=int8, threads=threads), library)

    def schema(self, recipe: Recipe) -> Mapping[str, OutputColumn]:
        """See `Task.schema`: places are in characters of the passage, the end exclusive."""
        kinds: dict[str, Any] = {"id": "id", "question": "text", "answer": "text", "start": "int", "end": "int"}
        kinds |= {"confidence": "float", "evidence": "text"}
        columns = {name: OutputColumn(kind) for name, kind in kinds.items()}
        return columns | {"document": OutputColumn("text", always=False)}

    # How good answers are.

    def measured(self, recipe: Recipe) -> Sequence[str]:
        """See `Task.measured`."""
        return ["exact", "f1", "window_exact", "window_f1", "offsets_exact", "calibration_error"]

    def measure(
        self, predictions: Sequence[Prediction], records: Sequence[Record], recipe: Recipe
    ) -> Mapping[str, Any]:
        """See `OnePassTask.measure`: exact match and F1 in percent, also of the sliding window.

        `offsets_exact` is the share of answers, in percent, that are the text at their places; `calibration_error` how
        far confidences are from the shares of right answers, from 0 to 1.
        """
        from lstmlm.evaluation.answers.measures import measure_answers

        asked = [self.request_of(record) for record in records]
        answers = [record.targets for record in records]
        return measure_answers([one.fields for one in predictions], asked, answers)

    def sums(
        self, predictions: Sequence[Prediction], records: Sequence[Record], recipe: Recipe
    ) -> Mapping[str, RecordSums]:
        """See `OnePassTask.sums`: exact match and F1."""
        from lstmlm.evaluation.answers.scores import best_of, exact, f1

        outputs = [str(one.fields["answer"]) for one in predictions]
        answers = [record.targets for record in records]
        return {name: mean_of(best_of(score, outputs, answers), 100) for name, score in (("exact", exact), ("f1", f1))}


def _options(recipe: Recipe) -> AnswerOptions:
    assert isinstance(recipe.task_options, AnswerOptions)
    return recipe.task_options


def _limits(recipe: Recipe) -> Limits:
    options = _options(recipe)
    return Limits(recipe.examples.max_source, options.stride, options.max_question, options.no_answer)


TASK = Answer()
