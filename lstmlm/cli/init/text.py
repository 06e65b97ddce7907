"""Writes a recipe as YAML with comments that say what was seen, and why a field is what it is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lstmlm.cli.init.look import Look
from lstmlm.cli.init.plan import Guess, Sections, plan

ORDER = (
    "task_options",
    "corpus",
    "tokenizer",
    "examples",
    "model",
    "training",
    "evaluation",
    "decoding",
    "inference",
)
"""Sections as they are written."""
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./*-]*")
_WORDS = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}
COMMENTS = {
    "corpus.columns": "the first line is no header: give the columns names of your own, here and below",
    "corpus.encoding": "of the files that are not UTF-8, as they look: check that they read well",
    "corpus.valid_fraction": "no file is named for the valid split: a share of train is split off",
    "corpus.normalise": "fixes mojibake and white space",
    "tokenizer.vocabulary": "pieces; a small corpus yields fewer",
    "training.steps": "what fits the time; a larger number resumes at the end of the training before",
    "training.precision": "bfloat16 where the processor multiplies it",
    "training.workers": "Ray workers, each with its own part of a batch",
    "evaluation.thresholds": "add bounds, such as `{max: 100}` of a metric: outside of them the model is not pushed",
    "inference.max_records": "records of the valid split that are decoded at the end",
}
"""Field -> what a comment says of it."""


def recipe_text(
    name: str, seen: Look, found: Guess, sections: Sections, languages: Mapping[str, str], minutes: float, output: Path
) -> str:
    """Returns the text of a recipe.

    Args:
        name: Its name.
        seen: The corpus.
        found: What is learnt from it.
        sections: Sizes and steps.
        languages: Column -> language.
        minutes: The time that it was made for.
        output: Folder that runs are stored in.
    """
    head = [
        f"# {_what(found)}: written by `lstmlm init`. Every field: `lstmlm recipe docs`.",
        f"# Seen: about {seen.rows:,} rows and {seen.characters:,} characters; {found.why}.",
    ]
    spoken = ", ".join(f"{column}: {code}" for column, code in languages.items())
    head += [f"# Languages: {spoken}."] if spoken else []
    head += [f"# Sizes and steps are for {minutes:g} minutes on this machine. Run it: lstmlm run RECIPE"]
    content: dict[str, Any] = {"name": name, "task": found.task}
    content |= {"output": str(output)} if output != Path("runs") else {}
    content |= _content(seen, found, sections, languages)
    return "\n".join([*head, *_lines(content, ())]) + "\n"


def _what(found: Guess) -> str:
    return f"{found.source} to {found.target}" if found.target else f"Text like {found.source}"


def _content(
    seen: Look, found: Guess, sections: Sections, languages: Mapping[str, str]
) -> dict[str, Mapping[str, Any]]:
    """Returns the sections of a recipe, in the order in which people read them."""
    corpus: dict[str, Any] = {"root": str(seen.root), "train": seen.train}
    corpus |= {"valid": seen.valid} if seen.valid else {"valid_fraction": 0.05}
    corpus |= seen.form
    corpus |= {"source": found.source} if found.source != "text" else {}
    corpus |= {"id": found.id} if found.id else {}
    inference: dict[str, Any] = {"field": found.source} if found.source != "text" else {}
    inference |= {"id": found.id} if found.id else {}
    parts: Sequence[Sections] = (
        {"corpus": corpus, "inference": {**inference, "max_records": 200}},
        plan(found.task).fields(seen, found, languages),
        sections,
        {"evaluation": {"max_records": 500}},
    )
    whole = {name: {field: value for part in parts for field, value in part.get(name, {}).items()} for name in ORDER}
    return {name: fields for name, fields in whole.items() if fields}


def _lines(content: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    indent = "  " * len(path)
    for name, value in content.items():
        comment = COMMENTS.get(".".join((*path, name)))
        behind = f"  # {comment}" if comment else ""
        if isinstance(value, Mapping) and not path:
            yield f"{indent}{name}:{behind}"
            yield from _lines(value, (*path, name))
        else:
            yield f"{indent}{name}: {_value(value)}{behind}"


def _value(value: Any) -> str:
    """Returns a value as YAML."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {_value(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return json.dumps(value, ensure_ascii=False)
