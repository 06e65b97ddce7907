"""What a client sends: reads it, and refuses what is not as it has to be. No input names a file of this machine."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson
from pydantic import ValidationError

from lstmlm.api.inputs import with_constraints
from lstmlm.api.kind import TEXTS, kind_of
from lstmlm.api.model import Model
from lstmlm.errors import UserError
from lstmlm.inference.input.own_constraints import OwnConstraints
from lstmlm.inference.input.requests import seed_of
from lstmlm.recipe.sections.decoding import DecodingSection
from lstmlm.recipe.sections.section import FROM_DATA
from lstmlm.task import BadRecord

MOST_INPUTS = 1024
"""Inputs of one request."""
LARGEST_BEAM = 32
FIXED = ("backend", "precision", "slots", "batch")
"""Fields of `decoding` that the loaded model has built in."""

Reader = Callable[[Any], dict[str, Any]]


class BadRequest(Exception):
    """The client has to send something else; the message says what."""


@dataclasses.dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks for.

    Attributes:
        inputs: For each input what the model reads or, as text, why it cannot be read.
        seeds: The seed of each.
        own: What each asks of its own output.
        decoding: How they are decoded; None: as the server was started.
        limit: Tokens decoded at most of each; None: as many as `decoding` allows.
    """

    inputs: Sequence[dict[str, Any] | str]
    seeds: Sequence[int]
    own: Sequence[OwnConstraints]
    decoding: DecodingSection | None
    limit: int | None


class InputReader:
    """Reads requests for a model.

    Args:
        model: The model.
        flexible: Whether a request may say how it is decoded.

    Attributes:
        kind: The task whose call of the Python interface takes such inputs; `rows`: there is none.
        form: What an input is, in words.
    """

    def __init__(self, model: Model, *, flexible: bool) -> None:
        self._model, self.flexible = model, flexible
        self.kind, self._read, self.form = _reader(model)
        self._ways = functools.lru_cache(maxsize=64)(self._way)

    def body(self, content: bytes) -> Asked:
        """Reads the body of a request.

        Raises:
            BadRequest: It is no such body.
        """
        try:
            sent = orjson.loads(content)
        except ValueError as error:
            raise BadRequest(f"the body is not JSON: {error}") from error
        if not isinstance(sent, dict) or not isinstance(sent.get("inputs"), list):
            raise BadRequest(f'the body is not {{"inputs": [...]}}, each input {self.form}')
        if unknown := sorted(sent.keys() - {"inputs", "decoding", "seed"}):
            raise BadRequest(f"unknown field {unknown[0]!r}; there are inputs, decoding and seed")
        inputs, seed = sent["inputs"], sent.get("seed", self._model.recipe.seed)
        if not 1 <= len(inputs) <= MOST_INPUTS:
            raise BadRequest(f"{len(inputs)} inputs; send 1 to {MOST_INPUTS}")
        if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**63:
            raise BadRequest("seed is not a whole number from 0 to 2**63 - 1")
        read = [self._one(given) for given in inputs]
        seeds = [0 if isinstance(one, str) else seed_of(seed, place, one) for place, one in enumerate(read)]
        own = [self._own(one) for one in read]
        return Asked(read, seeds, own, *self._decoding(sent.get("decoding")))

    def _own(self, one: dict[str, Any] | str) -> OwnConstraints:
        """Returns what an input asks of its output; only the engine decodes by it."""
        return OwnConstraints() if isinstance(one, str) or not self.flexible else OwnConstraints.of_request(one)

    def _one(self, given: Any) -> dict[str, Any] | str:
        try:
            return self._read(given)
        except BadRecord as problem:
            return str(problem)

    def _decoding(self, asked: Any) -> tuple[DecodingSection | None, int | None]:
        """Returns how to decode, and tokens at most, which is no other way to decode: such inputs share a batch."""
        if asked is None or asked == {}:
            return None, None
        if not isinstance(asked, dict):
            raise BadRequest("decoding is not an object: field -> value")
        if not self.flexible:
            raise BadRequest("this model decodes only as it was exported; leave decoding out")
        if fixed := [name for name in FIXED if name in asked]:
            raise BadRequest(f"decoding.{fixed[0]} is decided when the server starts; leave it out")
        found = self._ways(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS))
        ours = self._model.recipe.decoding
        limit = None if found.max_tokens == ours.max_tokens else found.max_tokens
        way = found.model_copy(update={"max_tokens": ours.max_tokens})
        return None if way == ours else way, limit

    def _way(self, asked: bytes) -> DecodingSection:
        """Returns how to decode: fields of the client's replace those of the server.

        Raises:
            BadRequest: A field is unknown or wrong, or asks for more than the server gives.
        """
        recipe, task = self._model.recipe, self._model.task
        try:
            both = {**recipe.decoding.model_dump(mode="json"), **orjson.loads(asked)}
            decoding = DecodingSection.model_validate(both, context=FROM_DATA)
            run = recipe.model_copy(update={"decoding": decoding})
            task.check_recipe(run)
            task.check_predicting(self._model.folder, run)
        except ValidationError as error:
            faults = [".".join(["decoding", *map(str, one["loc"])]) + f": {one['msg']}" for one in error.errors()]
            raise BadRequest("; ".join(faults)) from error
        except UserError as error:
            raise BadRequest(str(error)) from error
        widest = min(LARGEST_BEAM, recipe.decoding.slots)
        for name, value, most in (
            ("max_tokens", decoding.max_tokens, recipe.decoding.max_tokens),
            ("beam", decoding.beam if decoding.method == "beam" else 1, widest),
            ("n_best", decoding.n_best, widest),
        ):
            if value > most:
                raise BadRequest(f"decoding.{name} is {value}; this server allows at most {most}")
        return decoding


def _reader(model: Model) -> tuple[str, Reader, str]:
    """Returns the kind of a model's inputs, what reads one, and what one is in words."""
    task, recipe, found = model.task, model.recipe, kind_of(model.task)
    if found is None:
        return "rows", _row_reader(model), f"an object with {', '.join(task.request_columns(recipe))}"
    name, kind = found
    if name == "answer":
        return (
            name,
            lambda given: kind.request(_pair(given), task, recipe),
            'an object {"question": ..., "context": ...}',
        )
    if name == "transcribe":
        return name, lambda given: kind.request(_audio(given), task, recipe), "the bytes of an audio file in base64"
    if kind is not TEXTS:
        return name, lambda given: kind.request(given, task, recipe), "a text"
    prefix = ', "prefix": ...' if task.has_targets else ""
    form = f'a text, or an object {{"text": ...{prefix}, "forced": [...], "forbidden": [...]}}'
    return name, lambda given: kind.request(with_constraints(given), task, recipe), form


def _row_reader(model: Model) -> Reader:
    def read(given: Any) -> dict[str, Any]:
        if not isinstance(given, Mapping):
            raise BadRecord(f"not an object (column -> value), but {type(given).__name__}")
        return model.task.request(given, model.recipe)

    return read


def _pair(given: Any) -> Any:
    """Returns a question and its passage, from an object or a list of two."""
    if isinstance(given, Mapping):
        if given.keys() != {"question", "context"}:
            raise BadRecord("not an object with question and context")
        return given["question"], given["context"]
    return tuple(given) if isinstance(given, Sequence) and not isinstance(given, str) else given


def _audio(given: Any) -> bytes:
    if not isinstance(given, str):
        raise BadRecord(f"not base64, but {type(given).__name__}")
    try:
        return base64.b64decode(given, validate=True)
    except (ValueError, binascii.Error) as error:
        raise BadRecord("not base64 of an audio file") from error
