"""Guesses what a corpus is for: the task, and the columns that it learns from."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lstmlm.cli.init.look import Column, Look
from lstmlm.corpus.steps.language_codes import LANGUAGES
from lstmlm.errors import UserError

TASKS = ("generate", "translate", "summarize", "classify", "answer", "transcribe")
_IDS = ("id", "uuid", "guid", "key", "index")
_LABELS = ("label", "labels", "class", "category", "sentiment", "target", "spans", "intent")
_MOST_LABELS = 200


@dataclasses.dataclass(frozen=True, slots=True)
class Guess:
    """What is learnt from what.

    Attributes:
        task: The task.
        source: Column of the input.
        target: Column of the output, the label or the answers; None for `generate`.
        id: Column of the ids; None: there is none.
        question: Column of the question, for `answer`.
        label_kind: `task_options.kind`, for `classify`.
        why: The reason, for the user.
    """

    task: str
    source: str
    target: str | None = None
    id: str | None = None
    question: str | None = None
    label_kind: str = "one"
    why: str = ""


def guess(seen: Look, task: str | None = None, source: str | None = None, target: str | None = None) -> Guess:
    """Guesses what a corpus is for; what is given is taken.

    Raises:
        UserError: A column that is given is not there, or none fits the task.
    """
    for name in (source, target):
        if name is not None and name not in seen.columns:
            there = ", ".join(map(repr, seen.columns))
            raise UserError(f"no column {name!r} (there are {there})", where=str(seen.root), hint="Name one of these")
    if task is not None and task not in TASKS:
        raise UserError(f"no task {task!r}", where="--task", hint=f"There are: {', '.join(TASKS)}")
    found = next((one for one in _guesses(seen, source, target) if task in (None, one.task)), None)
    if found is None:
        what = f"no columns for the task {task}" if task else "no column of text"
        kinds = ", ".join(f"{one.name} ({one.kind})" for one in seen.columns.values())
        hint = f"Name them by --source and --target; there are: {kinds}"
        raise UserError(what, where=str(seen.root), hint=hint)
    return dataclasses.replace(found, id=_id(seen))


def _guesses(seen: Look, source: str | None, target: str | None) -> Iterator[Guess]:
    """Yields what the columns allow, the likeliest first."""
    texts = [one for one in seen.columns.values() if one.kind == "text" and one.name not in _IDS]
    outputs = [one for one in seen.columns.values() if one.kind in ("text", "texts") and one.name not in _IDS]
    yield from _speech(seen, outputs, source, target)
    yield from _answers(seen, texts, source, target)
    inputs = [seen.columns[source]] if source else sorted(texts, key=lambda one: -one.words)
    if not inputs:
        return
    first = inputs[0]
    labels = [seen.columns[target]] if target else [one for one in seen.columns.values() if one.name != first.name]
    label = next((one for one in _likely_first(labels) if _is_label(one, seen, given=target is not None)), None)
    if label is not None:
        kind = {"spans": "tokens", "texts": "many"}.get(label.kind, "one")
        why = "a column of spans" if kind == "tokens" else f"{label.name!r} has {label.distinct} different values"
        yield Guess("classify", first.name, label.name, label_kind=kind, why=why)
    yield from _pairs(outputs, source, target)
    yield Guess("generate", first.name, why=f"{first.name!r} is the text")
    if label is None and target:
        yield Guess("classify", first.name, target, why=f"{target!r} was named")


def _speech(seen: Look, outputs: Sequence[Column], source: str | None, target: str | None) -> Iterator[Guess]:
    audio = next((one for one in seen.columns.values() if one.kind == "audio" and source in (None, one.name)), None)
    named = [one for one in outputs if one.name == target] if target else _likely_first(outputs, ("transcript", "text"))
    if audio is not None and named:
        yield Guess("transcribe", audio.name, named[0].name, why=f"{audio.name!r} has audio files")


def _answers(seen: Look, texts: Sequence[Column], source: str | None, target: str | None) -> Iterator[Guess]:
    names = {name.lower(): name for name in seen.columns}
    question = next((names[name] for name in ("question", "query") if name in names), None)
    answers = target or next((names[name] for name in ("answers", "answer") if name in names), None)
    passages = [one for one in texts if one.name not in (question, answers)]
    passage = source or next((one.name for one in sorted(passages, key=lambda one: -one.words)), None)
    if question and answers and passage and question != passage:
        yield Guess("answer", passage, answers, question=question, why=f"{question!r} and {answers!r} are there")


def _pairs(outputs: Sequence[Column], source: str | None, target: str | None) -> Iterator[Guess]:
    """Yields the tasks of pairs of texts: an output that is much shorter is a summary."""
    names = {one.name: one for one in outputs}
    if target and not source:
        source = next((one.name for one in outputs if one.name != target and one.kind == "text"), None)
    if source and not target:
        target = next((one.name for one in outputs if one.name != source), None)
    if not source and not target:
        ordered = [one for one in outputs if one.filled > 0.5]
        if len(ordered) < 2:
            return
        longest = max(ordered, key=lambda one: one.words)
        other = next(one for one in ordered if one is not longest)
        is_summary = longest.kind == "text" and longest.words > 30 and other.words < longest.words / 2
        source, target = (longest.name, other.name) if is_summary else (ordered[0].name, ordered[1].name)
    if source not in names or target not in names or names[source].kind != "text":
        return
    ratio = names[target].words / max(1.0, names[source].words)
    why = f"{target!r} is {'much shorter than' if ratio < 0.5 else 'about as long as'} {source!r}"
    order = ("summarize", "translate") if ratio < 0.5 and names[source].words > 30 else ("translate", "summarize")
    yield from (Guess(task, source, target, why=why) for task in order)


def _is_label(column: Column, seen: Look, *, given: bool) -> bool:
    """Says whether a column holds labels: few values that come again and again, or spans."""
    if column.kind == "spans":
        return True
    if column.kind == "other" or column.name in _IDS or not column.values:
        return False
    different = len({str(one) for value in column.values for one in (value if isinstance(value, list) else [value])})
    few = different <= _MOST_LABELS and different * 10 <= max(20, len(column.values))
    return few and column.words < 4 and (column.kind != "number" or given or column.name.lower() in _LABELS)


def _likely_first(columns: Sequence[Column], names: Sequence[str] = _LABELS) -> list[Column]:
    """Returns columns, those with a usual name first."""
    return sorted(columns, key=lambda one: names.index(one.name.lower()) if one.name.lower() in names else len(names))


def _id(seen: Look) -> str | None:
    """Returns the column of the ids: one with a usual name, and another value in every row."""
    found = (one for one in seen.columns.values() if one.name.lower() in _IDS and one.filled == 1)
    return next((one.name for one in found if one.distinct == len(one.values)), None)


def languages(seen: Look, names: Sequence[str]) -> Mapping[str, str]:
    """Returns the language of columns, ISO 639-1: as their names say, else as most of their texts are."""
    from lstmlm.corpus.steps.language import detector

    found: dict[str, str] = {}
    for name in names:
        if name.lower() in LANGUAGES:
            found[name] = name.lower()
            continue
        texts = [_first(value) for value in seen.columns[name].values[:200]]
        detected = detector().detect([text for text in texts if text])
        if detected:
            found[name] = max(set(detected), key=detected.count)
    return found


def _first(value: Any) -> str:
    return value if isinstance(value, str) else next((one for one in value if isinstance(one, str)), "")
