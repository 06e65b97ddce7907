"""Translates pydantic's validation errors into messages of this project."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args, get_origin

from pydantic import ValidationError

from lstmlm.recipe.faults import Fault, Key
from lstmlm.recipe.recipe import Recipe
from lstmlm.recipe.types import Named, expected, members, named, section_of, takes

DOCS = "See `lstmlm recipe docs`"
MOST_LETTERS = 60
"""Letters of a wrong value that are shown."""

_OTHER_NAMES = {
    "accumulation": "training.accumulate",
    "attn": "model.attention",
    "batchsize": "training.batch",
    "beamsize": "decoding.beam",
    "data": "corpus.train",
    "dataset": "corpus.train",
    "embeddim": "model.embedding",
    "embeddingsize": "model.embedding",
    "epochs": "training.steps",
    "evalevery": "training.evaluate_every",
    "gpu": "training.use_gpu",
    "gradclip": "training.clip",
    "hiddensize": "model.units",
    "lr": "training.learning_rate",
    "maxlength": "decoding.max_tokens",
    "maxsteps": "training.steps",
    "normalize": "corpus.normalise",
    "numlayers": "model.layers",
    "numworkers": "training.workers",
    "outputdir": "output",
    "saveevery": "training.checkpoint_every",
    "seqlen": "examples.window",
    "sequencelength": "examples.window",
    "tokeniser": "tokenizer",
    "trainsteps": "training.steps",
    "vocab": "tokenizer.vocabulary",
    "vocabsize": "tokenizer.vocabulary",
    "warmupsteps": "training.warmup",
}
"""What fields are called elsewhere (lower case, without _) -> what they are called here."""


def faults_of(error: ValidationError) -> Iterator[Fault]:
    """Yields what is wrong, each field once: pydantic names every member of a union that does not fit."""
    seen: set[tuple[Key, str]] = set()
    for raw in error.errors(include_url=False):
        for fault in _faults(raw):
            if (fault.key, fault.what) not in seen:
                seen.add((fault.key, fault.what))
                yield fault


def _faults(raw: Mapping[str, Any]) -> Iterator[Fault]:
    kind, found = raw["type"], named(raw["loc"])
    if kind == "extra_forbidden":
        yield Fault(found.key, "no such field", _suggest(found.key))
    elif kind == "missing":
        yield Fault(found.key, "required, and not given", _missing(found))
    elif kind in ("value_error", "assertion_error"):
        message = str(raw.get("ctx", {}).get("error", raw["msg"]))
        yield from (_own(found, line) for line in message.splitlines() if line.strip())
    else:
        yield wrong_value(found, raw["input"])


def wrong_value(found: Named, value: Any) -> Fault:
    """Returns the fault of a value that its field does not take."""
    what = f"must be {expected(found.kind, found.bounds)}, and is {shown(value)}"
    return Fault(found.key, what, _hint(found, value))


def shown(value: Any) -> str:
    """Returns a value as YAML has it, shortened."""
    if isinstance(value, Mapping):
        return "a section" if value else "an empty section"
    if value is None:
        return "empty"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= MOST_LETTERS else f"{text[:MOST_LETTERS]}..."


def _hint(found: Named, value: Any) -> str:
    kinds = members(found.kind)
    if value is None:
        return "Give a value, or remove the line"
    if choices := [str(choice) for kind in kinds if get_origin(kind) is Literal for choice in get_args(kind)]:
        close = difflib.get_close_matches(str(value).lower(), choices, n=1, cutoff=0.5)
        return f"Did you mean `{close[0]}`?" if close else f"There are: {', '.join(choices)}"
    if any(section_of(kind) or get_origin(kind) is dict for kind in kinds):
        return f"Indent its fields below it. {DOCS}"
    only_list = all(get_origin(kind) is tuple for kind in kinds)
    if only_list and not isinstance(value, list | Mapping):
        return f"Write it as a list: [{value}]" if isinstance(value, str | int | float) else DOCS
    if isinstance(value, list):
        return "Name one; a folder or a glob can name several files" if takes(found.kind, str) else "Give one value"
    if isinstance(value, Mapping):
        return "Write the value behind the colon, in one line"
    if takes(found.kind, str):
        return _pattern_hint(found) or "Put it in quotes"
    if takes(found.kind, bool):
        return "Write true or false"
    return f"Give {expected(found.kind, found.bounds)}"


def _pattern_hint(found: Named) -> str:
    patterned = any(getattr(bound, "pattern", None) for bound in found.bounds)
    return "Use lower-case letters, digits, - and _, and begin with a letter" if patterned else ""


def _missing(found: Named) -> str:
    *outer, last = found.key
    inside = f" in the section `{'.'.join(map(str, outer))}`" if outer else ""
    example = {"name": "name: my-run", "task": "task: generate", "train": "train: corpus.jsonl"}.get(str(last))
    if last == "corpus":
        return "Add a section `corpus:` with `train: FILE` indented below it"
    return f"Add `{example or f'{last}: ...'}`{inside}"


def _own(found: Named, message: str) -> Fault:
    """Returns the fault of a check of our own, which may name a field of the section and, after `. `, what to do."""
    what, _, hint = message.strip().rstrip(".").partition(". ")
    about = tuple(dict.fromkeys(mentioned(found, what))) if section_of(found.kind) else ()
    return Fault(about[0] if about else found.key, what, hint or DOCS, about=about)


def mentioned(found: Named, message: str) -> Iterator[Key]:
    """Yields the fields that a message about a section names, in its order."""
    for word in re.findall(r"[a-z_]+(?:\.[a-z_]+)*", message):
        loc = (*found.key, *word.split("."))
        place = named(loc)
        if place.kind is not None and place.key == loc:
            yield loc


def _suggest(key: Key) -> str:
    """Returns the field that was probably meant: of the same section, elsewhere, or by another name."""
    outer, name = named(key[:-1]), str(key[-1])
    section = next(filter(None, map(section_of, members(outer.kind))), None) if outer.kind is not None else None
    known = list(section.model_fields) if section else []
    close = difflib.get_close_matches(name.lower().replace("-", "_"), known, n=1, cutoff=0.75)
    if close:
        return f"Did you mean `{close[0]}`?"
    other = _OTHER_NAMES.get(name.lower().replace("_", "").replace("-", ""))
    if other and other.split(".")[:-1] == [str(part) for part in key[:-1]]:
        return f"It is called `{other.split('.')[-1]}` here"
    if other:
        return f"It is called `{other}` here"
    places = [place for place in _fields_named(name) if place != key]
    if places:
        return f"It belongs in the section `{'.'.join(map(str, places[0][:-1])) or 'top level'}`"
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"Did you mean `{close[0]}`?" if close else f"Known here: {', '.join(known)}"


def _fields_named(name: str) -> list[Key]:
    found: list[Key] = [(name,)] if name in Recipe.model_fields else []
    for outer, field in Recipe.model_fields.items():
        section = section_of(field.annotation)
        if section is not None and name in section.model_fields:
            found.append((outer, name))
    return found
