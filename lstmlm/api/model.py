"""A published model as a Python object: load it once, give it lists or streams of inputs."""

from __future__ import annotations

import copy
import itertools
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from lstmlm.api.inputs import Constrained
from lstmlm.api.kind import kind_of
from lstmlm.api.outputs import (
    Answered,
    Attended,
    Classified,
    Failed,
    Generated,
    Output,
    Scored,
    TokenScore,
    Transcribed,
)
from lstmlm.decoding.meter import Meter
from lstmlm.errors import UserError
from lstmlm.inference.input.requests import Request, seed_of
from lstmlm.inference.model.isolation import Answer, predicted
from lstmlm.recipe.recipe import Recipe
from lstmlm.task import BadRecord, Task

if TYPE_CHECKING:
    from lstmlm.inference.model.engine_model import EngineModel

Errors = Literal["raise", "return"]
"""What becomes of an input without an output: an error, or a `Failed` in its place."""

BLOCK = 1024
"""Inputs that are held in memory at once: the engine keeps its rows full within a block."""

Requester = Callable[[Any], dict[str, Any]]


class Model:
    """A loaded export. Each call takes any iterable, and gives one output for each input, in their order.

    An output depends on its input and place only, not on those around it. A model computes for one thread at a time.

    Attributes:
        folder: The export folder.
        recipe: The recipe that it was made with, and how it decodes.
        task: The task.
        predictor: What computes; takes requests of the task.
    """

    def __init__(self, folder: Path, recipe: Recipe, task: Task) -> None:
        self.folder, self.recipe, self.task = folder, recipe, task
        self.predictor = task.predictor(folder, recipe)

    def __repr__(self) -> str:
        return f"<lstmlm.Model of {self.recipe.task}: {self.folder}>"

    @property
    def engine_model(self) -> EngineModel | None:
        """What the engine decodes; None: the model is computed in another way."""
        from lstmlm.inference.model.engine_model import EngineModel

        found = getattr(self.predictor, "model", None)
        return found if isinstance(found, EngineModel) else None

    @property
    def can_score(self) -> bool:
        """Whether the engine decodes the model, so that it has `score`, alternatives and other ways to decode."""
        return self.engine_model is not None

    @property
    def can_attend(self) -> bool:
        """Whether the model attends to a source, so that it has `attention`."""
        return self.can_score and self.task.has_targets

    def decoding_as(self, decoding: Mapping[str, Any]) -> Model:
        """Returns the same model, its weights shared, that decodes in another way.

        Args:
            decoding: Fields of `decoding` that replace those of this model, but for `backend`, `precision` and `slots`.

        Raises:
            UserError: The model decodes only as it was exported, or a field is unknown, wrong or one of these three.
        """
        from lstmlm.inference.model.stored import recipe_decoding_as

        model, recipe = self._decoded("decode in another way"), recipe_decoding_as(self.recipe, decoding)
        self.task.check_recipe(recipe)
        self.task.check_predicting(self.folder, recipe)
        other = copy.copy(self)
        predictor: Any = copy.copy(self.predictor)
        predictor.model = model.decoding_as(recipe.decoding)
        other.recipe, other.predictor = recipe, predictor
        return other

    def generate(self, texts: Iterable[str | Constrained], *, errors: Errors = "raise") -> list[Generated]:
        """Continues prompts, by a language model.

        Args:
            texts: The prompts; each may be empty. A `Constrained` also says what its output contains.
            errors: See `stream`.

        Raises:
            UserError: The model is of another task, or an input cannot be read.
        """
        return self._all("generate", texts, errors)

    def translate(self, texts: Iterable[str | Constrained], *, errors: Errors = "raise") -> list[Generated]:
        """Translates texts; a `Constrained` also says how its output begins and what it contains. See `generate`."""
        return self._all("translate", texts, errors)

    def summarize(self, texts: Iterable[str | Constrained], *, errors: Errors = "raise") -> list[Generated]:
        """Summarizes texts; see `translate`."""
        return self._all("summarize", texts, errors)

    def classify(self, texts: Iterable[str], *, errors: Errors = "raise") -> list[Classified]:
        """Labels texts, or the words of texts; see `generate`."""
        return self._all("classify", texts, errors)

    def answer(self, questions: Iterable[tuple[str, str]], *, errors: Errors = "raise") -> list[Answered]:
        """Answers questions; each is a pair of a question and the passage with its answer. See `generate`."""
        return self._all("answer", questions, errors)

    def transcribe(
        self, recordings: Iterable[str | os.PathLike[str] | bytes], *, errors: Errors = "raise"
    ) -> list[Transcribed]:
        """Writes what is said in recordings; each is the path of an audio file, or its content. See `generate`."""
        return self._all("transcribe", recordings, errors)

    def stream(
        self, inputs: Iterable[Any], *, errors: Errors = "raise", block: int = BLOCK, placed: bool = True
    ) -> Iterator[Output]:
        """Yields the output of each input of any iterable, in bounded memory.

        Args:
            inputs: What the call of the model's task takes, such as texts.
            errors: An input that cannot be read, or that the model fails on: `raise` an error, or `return` a `Failed`
                in its place.
            block: Inputs that are read before their outputs are given.
            placed: Whether the draws of sampling depend on the place of an input, and not on the input only. Equal
                inputs then have samples of their own, as in `lstmlm infer`.

        Raises:
            UserError: The task has no call of its own (use `predict`), or an input cannot be read.
        """
        found = kind_of(self.task)
        if found is None:
            hint = "Use model.predict, which takes rows of the batch job"
            raise UserError(f"models of the task {self.recipe.task} have no call of their own", hint=hint)
        name, kind = found
        self._check_iterable(inputs, name, kind.inputs)

        def request(given: Any) -> dict[str, Any]:
            return kind.request(given, self.task, self.recipe)

        return self._outputs(inputs, request, kind.output, errors, block, placed)

    def predict(
        self, rows: Iterable[Mapping[str, Any]], *, errors: Errors = "raise", block: int = BLOCK
    ) -> Iterator[dict[str, Any]]:
        """Yields what the batch job writes for rows of its input, for any task.

        Args:
            rows: Column -> value; the columns are those of the corpus or, of a recipe that was given to `load`, of its
                `inference` section. Files that they name are relative to the current folder.
            errors: See `stream`.
            block: See `stream`.
        """
        self._check_iterable(rows, "predict", "rows")

        def request(row: Any) -> dict[str, Any]:
            if not isinstance(row, Mapping):
                raise BadRecord(f"not a row (column -> value), but {type(row).__name__}")
            return self.task.request_at(row, Path.cwd(), self.recipe)

        return self._outputs(rows, request, lambda _, fields: dict(fields), errors, block, True)

    def score(self, texts: Iterable[str | tuple[str, str]]) -> list[Scored]:
        """Scores given texts: how probable the model finds them.

        Args:
            texts: Of a language model, texts; of a model of pairs, pairs of a source and its output.

        Raises:
            UserError: The model gives no probabilities of texts, or an input is not as it has to be.
        """
        pairs = self.task.scored_column(self.recipe) is not None
        model = self._decoded("score")
        self._check_iterable(texts, "score", "pairs of a source and its output" if pairs else "texts")
        return [one for part in _blocks(texts, BLOCK) for one in _scored(model, part, pairs)]

    def attention(self, pairs: Iterable[tuple[str, str]]) -> list[Attended]:
        """Returns what the model attends to in sources while it writes given texts.

        Args:
            pairs: Pairs of a source and a text, such as the model's own output.

        Raises:
            UserError: The model attends to no source, or an input is no pair of texts.
        """
        if not self.task.has_targets:
            what = f"a model of the task {self.recipe.task} attends to no source"
            raise UserError(what, where=str(self.folder), hint="Load a model of pairs of texts")
        model, found = self._decoded("say what it attends to"), []
        self._check_iterable(pairs, "attention", "pairs of a source and a text")
        for pair in pairs:
            source, text = _pair(pair, "attention")
            read, written, weights = model.attention(source, text)
            found.append(Attended(tuple(read), tuple(written), tuple(map(tuple, weights.tolist()))))
        return found

    def _decoded(self, what: str) -> EngineModel:
        """Returns the model that the engine decodes.

        Raises:
            UserError: It is of another kind.
        """
        if (model := self.engine_model) is not None:
            return model
        text = f"this export has only a SavedModel, which cannot {what}"
        raise UserError(text, where=str(self.folder), hint="Export again")

    def _all(self, call: str, inputs: Iterable[Any], errors: Errors) -> list[Any]:
        """Returns the outputs of all inputs, of the call that is the task's own.

        Raises:
            UserError: It is another task's, or an input cannot be read.
        """
        found = kind_of(self.task)
        if found is None or found[0] != call:
            own = "predict" if found is None else found[0]
            what = f"a model of the task {self.recipe.task} cannot {call}"
            raise UserError(what, where=str(self.folder), hint=f"Use model.{own}, or load another model")
        return list(self.stream(inputs, errors=errors))

    def _check_iterable(self, inputs: Any, call: str, expected: str) -> None:
        """Refuses one input in the place of several: a text would be read letter by letter.

        Raises:
            UserError: It is one, or nothing that has several.
        """
        if isinstance(inputs, str | bytes | Mapping | os.PathLike) or not isinstance(inputs, Iterable):
            what = f"{call} takes a list of {expected}, and this is one {type(inputs).__name__}"
            raise UserError(what, hint="Put it into a list: [...]")

    def _outputs(
        self,
        inputs: Iterable[Any],
        request: Requester,
        output: Callable[[Any, Mapping[str, Any]], Any],
        errors: Errors,
        block: int,
        placed: bool,
    ) -> Iterator[Any]:
        """Yields the outputs, block by block."""
        if errors not in ("raise", "return"):
            raise UserError(f"errors is {errors!r}", hint="Write errors='raise' or errors='return'")
        for first, part in zip(itertools.count(0, block), _blocks(inputs, block), strict=False):
            for place, (given, answer) in enumerate(
                zip(part, self._answers(part, first, request, placed), strict=True)
            ):
                if answer.output is not None:
                    yield output(given, answer.output.fields)
                elif errors == "return":
                    yield Failed(first + place, given, answer.error)
                else:
                    hint = "Leave it out, or write errors='return' for a Failed in its place"
                    raise UserError(answer.error, where=f"input {first + place}", hint=hint)

    def _answers(self, part: Sequence[Any], first: int, request: Requester, placed: bool) -> list[Answer]:
        """Predicts a block; an input that cannot be read gets its reason."""
        read: list[Request] = []
        refused: dict[int, Answer] = {}
        for index, given in enumerate(part, first):
            try:
                fields = request(given)
                seed = seed_of(self.recipe.seed, index if placed else 0, fields)
                read.append(Request(index, index, fields, seed, ""))
            except BadRecord as problem:
                refused[index] = Answer(Request(index, index, {}, 0, ""), None, str(problem))
        found = {one.request.index: one for one in predicted(read, self.predictor, Meter())}
        return [(found | refused)[index] for index in range(first, first + len(part))]


def _blocks(inputs: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """Yields consecutive inputs, `size` at a time."""
    if size < 1:
        raise UserError(f"block is {size}", hint="Give a number of inputs, 1 or more")
    source = iter(inputs)
    while part := list(itertools.islice(source, size)):
        yield part


def _scored(model: Any, part: Sequence[Any], pairs: bool) -> Iterator[Scored]:
    """Yields the scores of a block.

    Raises:
        UserError: An input is not as it has to be.
    """
    asked = [_pair(given if pairs else ("", given), "score", "" if pairs else "a text") for given in part]
    for (_, text), found in zip(asked, model.score(asked), strict=True):
        tokens = zip(model.pieces(text), found.by_token, strict=True)
        perplexity = math.exp(min(-found.log_probability / found.tokens, 700))
        yield Scored(text, found.log_probability, perplexity, tuple(TokenScore(*one) for one in tokens))


def _pair(given: Any, call: str, expected: str = "") -> tuple[str, str]:
    """Returns an input that is a pair of texts.

    Raises:
        UserError: It is something else.
    """
    if isinstance(given, tuple | list) and len(given) == 2 and all(isinstance(one, str) for one in given):
        return given[0], given[1]
    shown = given[1] if expected else given
    expected = expected or "a pair of texts, a source and its output"
    raise UserError(f"not {expected}: {shown!r:.60}", where=call, hint="Change it")
