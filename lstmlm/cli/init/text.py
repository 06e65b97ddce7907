"""Writes a recipe as YAML with comments that say what was seen, and why a field is what it is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lstmlm.cli.init.guess import Guess
from lstmlm.cli.init.look import Look
from lstmlm.cli.init.sizes import Sections

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./*-]*")
_WORDS = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}
COMMENTS = {
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


def _content(seen: Look, found: Guess, sections: Sections, languages: Mapping[str, str]) -> dict[str, Any]:
    corpus: dict[str, Any] = {"root": str(seen.root), "train": seen.train}
    corpus |= {"valid": seen.valid} if seen.valid else {"valid_fraction": 0.05}
    corpus |= {"source": found.source} if found.source != "text" else {}
    corpus |= {"id": found.id} if found.id else {}
    options = dict(sections.get("task_options", {}))
    if found.task in ("translate", "summarize", "transcribe"):
        corpus["target"] = found.target
    elif found.task == "classify":
        options = {"label": found.target, "kind": found.label_kind, **options}
    elif found.task == "answer":
        options = {"question": found.question, "answers": found.target, **_answer_places(seen), **options}
    evaluation: dict[str, Any] = {"max_records": 500}
    if found.target in languages and found.task in ("translate", "summarize"):
        evaluation["language"] = languages[str(found.target)]
    inference = {"field": found.source} if found.source != "text" else {}
    inference |= {"id": found.id} if found.id else {}
    named = {"task_options": options} if options else {}
    order = ("tokenizer", "examples", "model", "training")
    return {
        **named,
        "corpus": corpus,
        **{section: sections[section] for section in order if section in sections},
        "evaluation": evaluation,
        **({"decoding": sections["decoding"]} if "decoding" in sections else {}),
        "inference": {**inference, "max_records": 200},
    }


def _answer_places(seen: Look) -> dict[str, Any]:
    """Returns the options of where answers begin, which a corpus need not say."""
    if "answer_start" in seen.columns:
        return {}
    return {"answer_start": None, "repeated": "any"}


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
