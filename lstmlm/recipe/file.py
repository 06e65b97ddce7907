"""Reads a recipe from YAML and reports all faults at once, each with file, line and field."""

from __future__ import annotations

import copy
import dataclasses
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from lstmlm.errors import UserError
from lstmlm.formats.yaml_bounds import MOST_CHARACTERS
from lstmlm.recipe.faults import Fault, Key
from lstmlm.recipe.recipe import Recipe
from lstmlm.recipe.task_options import described
from lstmlm.recipe.types import named, takes
from lstmlm.recipe.wording import DOCS, faults_of, wrong_value
from lstmlm.recipe.yaml import Document, read_yaml

MOST_FAULTS = 50
"""Faults that are listed; the rest is counted."""
VARIABLE = re.compile(r"\$\{(\w+)\}")
_ROUNDS = 20
_PLACEHOLDERS: dict[Key, Any] = {
    ("name",): "unnamed",
    ("task",): "generate",
    ("corpus",): {"train": "unnamed"},
    ("corpus", "train"): "unnamed",
}


@dataclasses.dataclass
class ParsedRecipe:
    """A recipe as it was read, with what is wrong with it.

    Attributes:
        recipe: The recipe; wrong fields have their defaults. None where nothing could be made of it.
        faults: What is wrong.
        name: What errors call the file.
        lines: Path of keys -> line of the file.
        set: The fields that `--set` gave.
    """

    recipe: Recipe | None
    faults: list[Fault]
    name: str
    lines: dict[Key, int]
    set: list[Key]

    def is_sound(self, *fields: str) -> bool:
        """Says whether no fault is in, around or below some fields, such as `corpus.train`."""
        keys = [tuple(field.split(".")) for field in fields]
        bad = [tuple(map(str, fault.key)) for fault in self.faults]
        return not any(key[: len(one)] == one or one[: len(key)] == key for key in keys for one in bad)

    def add(self, fault: Fault) -> None:
        """Adds a fault; one of several fields is shown at the first of them that was given."""
        given = [key for key in fault.about if key in self.lines or key in self.set]
        self.faults.append(dataclasses.replace(fault, key=given[0]) if given else fault)

    def where(self, fault: Fault) -> str:
        """Returns the file and line of a fault, or the `--set` it came by."""
        if fault.place is not None:
            return fault.place if isinstance(fault.place, str) else f"{self.name}:{fault.place}"
        for length in range(len(fault.key), 0, -1):
            key = fault.key[:length]
            if key in self.set:
                return f"--set {'.'.join(map(str, key))}"
            if key in self.lines:
                return f"{self.name}:{self.lines[key]}"
            below = next((one for one in self.set if one[:length] == key), None)
            if below is not None:
                return f"--set {'.'.join(map(str, below))}"
        return self.name

    def error(self) -> UserError:
        """Returns all faults as one error, a line each, in the order of the file."""
        order = {id(fault): (_line(self.where(fault)), place) for place, fault in enumerate(self.faults)}
        lines = []
        for fault in sorted(self.faults, key=lambda fault: order[id(fault)]):
            field = f"{fault.field}: " if fault.key else ""
            lines.append(f"{self.where(fault)}: {field}{fault.what}. {fault.hint}".replace("\n", " "))
        lines = list(dict.fromkeys(lines))
        if len(lines) > MOST_FAULTS:
            lines[MOST_FAULTS:] = [
                f"{self.name}: and {len(lines) - MOST_FAULTS} more faults. Correct those above first"
            ]
        return UserError("\n".join(lines))


def _line(where: str) -> int:
    number = where.rpartition(":")[2]
    return int(number) if number.isdecimal() else 0


def load_recipe(path: Path, overrides: Sequence[str] = ()) -> Recipe:
    """Reads, overrides and validates a recipe.

    Args:
        path: The YAML file.
        overrides: `section.field=value` strings; the value is read as YAML.

    Raises:
        UserError: The file is missing, not YAML, or a field is unknown or wrong. All faults are reported, one per line.
    """
    return parse_recipe(read_text(path), str(path), overrides)


def parse_recipe(text: str, name: str, overrides: Sequence[str] = ()) -> Recipe:
    """Validates the text of a recipe; see `load_recipe`. `name` is what errors call the file."""
    draft = draft_recipe(text, name, overrides)
    if draft.faults or draft.recipe is None:
        raise draft.error()
    return draft.recipe


def read_text(path: Path) -> str:
    """Returns the text of a recipe file, without a byte order mark.

    Raises:
        UserError: It cannot be read, or is no text.
    """
    where = str(path)
    try:
        if path.is_dir():
            hint = "Name the recipe in it, a YAML file"
            raise UserError("cannot read the recipe: a folder, not a file", where=where, hint=hint)
        with path.open("rb") as stream:
            content = stream.read(4 * MOST_CHARACTERS + 4)  # the path may be a device without end
        if content.startswith((b"\xff\xfe", b"\xfe\xff")):
            return content.decode("utf-16")
        return content.decode("utf-8-sig")
    except (OSError, ValueError) as error:
        if isinstance(error, UnicodeDecodeError):
            line = error.object.count(b"\n", 0, error.start) + 1
            what, where = "the recipe is not UTF-8 text", f"{where}:{line}"
            raise UserError(what, where=where, hint="Save it as UTF-8") from error
        reason = error.strerror if isinstance(error, OSError) else "not a path"
        raise UserError(f"cannot read the recipe ({reason})", where=where, hint="Check the path") from error


def draft_recipe(text: str, name: str, overrides: Sequence[str] = ()) -> ParsedRecipe:
    """Reads a recipe as far as it can be read, and collects all faults.

    Raises:
        UserError: It is not YAML, or not a mapping.
    """
    document = read_yaml(text, name)
    if document.content is None:
        hint = "Give at least `name`, `task` and `corpus`. See README.md"
        raise UserError("the recipe is empty", where=name, hint=hint)
    if not isinstance(document.content, dict):
        raise UserError("a recipe is a mapping of fields, such as `name: my-run`", where=name, hint=DOCS)
    draft = ParsedRecipe(None, document.faults, name, document.lines, [])
    for override in overrides:
        _apply(document, override, draft)
    unknown: list[Key] = []
    content = _expanded(document.content, (), draft.faults, unknown)
    with described(content.get("task")):
        _fit(content, document.raw, draft.faults, unknown)
        for key in unknown:
            _remove(content, key)
        draft.recipe = _validated(content, draft)
    return draft


def _apply(document: Document, override: str, draft: ParsedRecipe) -> None:
    """Applies one `--set`, or notes why it cannot be."""
    key, equals, text = override.partition("=")
    path: Key = tuple(part.strip() for part in key.split("."))

    def refuse(what: str, hint: str) -> None:
        draft.faults.append(Fault((), what, hint, place=f"--set {override}"))

    if not equals or not all(path):
        return refuse("not of the form section.field=value", "Example: --set training.steps=100")
    section = document.content
    for part in path[:-1]:
        inner = section.get(part)
        if inner is None:
            inner = section[part] = {}
        if not isinstance(inner, dict):
            return refuse(f"`{part}` is not a section", f"Set `{part}` itself, without what follows the dot")
        section = inner
    try:
        value = override_value(text)
    except UserError:
        return refuse("the value is not valid YAML", "Close the bracket or quotation mark, and quote it for the shell")
    for old in [one for one in document.raw if one[: len(path)] == path]:
        del document.raw[old]
    draft.faults[:] = [fault for fault in draft.faults if not fault.key or fault.key[: len(path)] != path]
    section[path[-1]] = value.content
    document.raw.update({(*path, *inner): raw for inner, raw in value.raw.items()})
    draft.set.append(path)
    return None


def override_value(text: str) -> Document:
    """Reads the value of a `--set`; what is no YAML, such as `*.jsonl` or `a: b`, is text.

    Raises:
        UserError: A bracket or a quotation mark is not closed.
    """
    try:
        value = read_yaml(text, "--set")
    except UserError:
        if text.lstrip()[:1] in ("[", "{", '"', "'", "&", "!"):
            raise
        return Document(text)
    if isinstance(value.content, dict) and not text.lstrip().startswith("{"):
        return Document(text)
    return value


def _expanded(value: Any, key: Key, faults: list[Fault], unknown: list[Key]) -> Any:
    """Replaces `${NAME}` in every text by the environment variable."""
    if isinstance(value, dict):
        return {name: _expanded(inner, (*key, name), faults, unknown) for name, inner in value.items()}
    if isinstance(value, list):
        return [_expanded(inner, (*key, place), faults, unknown) for place, inner in enumerate(value)]
    if not isinstance(value, str):
        return value
    missing = [name for name in named_variables(value) if name not in os.environ]
    for name in missing:
        field = ".".join(map(str, key))
        hint = f"Set it, or use --set {field}=..."
        faults.append(Fault(key, f"the environment variable {name} is not set", hint))
    if missing:
        unknown.append(key)
    return VARIABLE.sub(lambda match: os.environ.get(match[1], ""), value)


def named_variables(text: str) -> list[str]:
    """Returns the environment variables that a text names as `${NAME}`, each once."""
    return list(dict.fromkeys(VARIABLE.findall(text)))


def _fit(content: dict[str, Any], raw: dict[Key, str], faults: list[Fault], unknown: list[Key]) -> None:
    """Gives text fields their text as it is written (`id: 007`), and refuses booleans in place of numbers."""
    for key, text in raw.items():
        found = named(key)
        value = _at(content, key)
        if found.kind is None or found.key != key or value is None or isinstance(value, str):
            continue
        if takes(found.kind, str, Path) and not takes(found.kind, int, float, bool):
            _put(content, key, text)
        elif isinstance(value, bool) and not takes(found.kind, bool) and takes(found.kind, int, float):
            faults.append(wrong_value(found, value))
            unknown.append(key)


def _validated(content: dict[str, Any], draft: ParsedRecipe) -> Recipe | None:
    """Validates again and again without what was wrong, so that one fault does not hide another."""
    bad: set[Key] = {fault.key for fault in draft.faults}
    content = copy.deepcopy(content)
    for _ in range(_ROUNDS):
        try:
            return Recipe.model_validate(content)
        except ValidationError as error:
            found = list(faults_of(error))
        for fault in found:
            if not bad.intersection(fault.about or [fault.key]) or fault.what == "no such field":
                draft.add(fault)
        for fault in found:
            blamed = fault.about or (fault.key,)
            bad.update(blamed)
            for key in blamed:
                _remove(content, key)
    return None


def _at(content: Any, key: Key) -> Any:
    for part in key:
        try:
            content = content[part]
        except (KeyError, IndexError, TypeError):
            return None
    return content


def _put(content: Any, key: Key, value: Any) -> None:
    outer = _at(content, key[:-1])
    if isinstance(outer, dict | list):
        outer[key[-1]] = value  # type: ignore[index]


def _remove(content: dict[str, Any], key: Key) -> None:
    """Takes a field out of the recipe: the whole list for a part of it, and a placeholder for what is required."""
    place = next((index for index, part in enumerate(key) if isinstance(part, int)), len(key))
    key = key[:place]
    outer = _at(content, key[:-1])
    if not key or not isinstance(outer, dict):
        return
    outer.pop(key[-1], None)
    if key in _PLACEHOLDERS:
        outer[key[-1]] = copy.deepcopy(_PLACEHOLDERS[key])


__all__ = ["ParsedRecipe", "draft_recipe", "load_recipe", "parse_recipe", "read_text"]
