"""Reads recipe YAML safely: YAML 1.2 core schema, unique keys, no objects, bounded alias expansion.

PyYAML resolves scalars as YAML 1.1 does: `no` and `on` are booleans there, `12:30` and `010` are the numbers 750 and 8,
and `1e-3` is text. So only its parser is used, and the values are made here.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from typing import Any

import yaml

from lstmlm.errors import UserError
from lstmlm.formats.yaml_bounds import OutOfBounds, check_bounds
from lstmlm.recipe.faults import Fault, Key

_NULL = re.compile(r"~|null|Null|NULL|")
_BOOLEAN = re.compile(r"true|True|TRUE|false|False|FALSE")
_WHOLE = re.compile(r"[-+]?[0-9]+(?:_[0-9]+)*")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_NUMBER = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:_[0-9]+)*(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NO_NUMBER = re.compile(r"([-+]?)\.(inf|Inf|INF|nan|NaN|NAN)")
_CORE = "tag:yaml.org,2002:"
_MOST_DIGITS = 300
_NO_RECIPE = "Name a recipe; see `lstmlm recipe docs`"

_WORDS = (
    (r"found character '\\t'", "a tab", "Indent with spaces"),
    (r"found unexpected end of stream|while scanning a quoted", "a quotation mark that is not closed", "Close it"),
    (r"unknown escape character", "an unknown \\ sequence in double quotes", "Use single quotes for a path"),
    (r"mapping values are not allowed", "a `key: value` where none can be", "Check the indentation, or quote the text"),
    (r"could not find expected ':'", "a line without a colon", "Write `key: value`, with a space after the colon"),
    (r"undefined alias|expected alphabetic or numeric", "* and & have a meaning in YAML", "Quote a value with them"),
    (r"expected ',' or '\]'", "a list whose [ is not closed, or lacks a comma", "Write [a, b]"),
    (r"expected ',' or '\}'", "a section whose { is not closed, or lacks a comma", "Write {a: 1, b: 2}"),
    (r"expected <block end>|expected the node content", "this does not fit the lines above", "Check the indentation"),
    (r"that cannot start any token", "a value cannot begin with this character", "Quote the value"),
    (r"single document", "more than one document", "Remove what follows the second `---`"),
    (r"special characters are not allowed", "a control character", "Is it a text file? Remove the character"),
    (r"duplicate anchor", "an anchor (&) with the same name twice", "Rename one"),
)


@dataclasses.dataclass
class Document:
    """A YAML document.

    Attributes:
        content: What it says.
        lines: Path of keys -> line, from 1.
        raw: Path of keys -> how a plain scalar is written, where it is no text.
        faults: What is wrong with it, and did not keep it from being read.
    """

    content: Any
    lines: dict[Key, int] = dataclasses.field(default_factory=dict)
    raw: dict[Key, str] = dataclasses.field(default_factory=dict)
    faults: list[Fault] = dataclasses.field(default_factory=list)


def read_yaml(text: str, name: str) -> Document:
    """Reads one YAML document.

    Args:
        text: The document.
        name: What errors call the file.

    Raises:
        UserError: It is not YAML, or cannot be a recipe: other tags, endless or too many values.
    """
    try:
        check_bounds(text)
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        document = Document(None)
        if root is not None:
            document.content = _Reader(document, name).value(root, ())
    except yaml.YAMLError as error:
        raise _fault_of(error, text, name) from error
    return document


class _Reader:
    """Makes values of the nodes of a document."""

    def __init__(self, document: Document, name: str) -> None:
        self._document, self._name = document, name

    def value(self, node: yaml.Node, key: Key) -> Any:
        """Returns the value of a node; `key` is where it is."""
        if key:
            self._document.lines.setdefault(key, node.start_mark.line + 1)
        if not node.tag.startswith(_CORE) or node.tag.removeprefix(_CORE).startswith("python"):
            what = f"the tag {node.tag.replace(_CORE, '!!')} is not known here"
            raise self._refusal(node, what, "Remove it: a recipe has text, numbers, lists and sections only")
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, key)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(child, (*key, index)) for index, child in enumerate(node.value)]
        assert isinstance(node, yaml.MappingNode)
        return self._mapping(node, key)

    def _scalar(self, node: yaml.ScalarNode, key: Key) -> Any:
        value = scalar(node.value) if node.style is None else node.value
        if node.style is None and not isinstance(value, str):
            self._document.raw[key] = node.value
        return value

    def _mapping(self, node: yaml.MappingNode, key: Key) -> dict[str, Any]:
        content: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for name, child in node.value:
            if not isinstance(name, yaml.ScalarNode):
                raise self._refusal(name, "a key that is no text", "Quote a text that begins with { or [")
            line = name.start_mark.line + 1
            if name.tag == f"{_CORE}merge":
                merged |= self._merge(child, key)
                continue
            here = (*key, name.value)
            if name.value in content:
                first = self._document.lines[here]
                hint = "Remove one of them"
                self._document.faults.append(Fault(here, f"given twice, first in line {first}", hint, place=line))
                continue
            self._forget(here)
            self._document.lines[here] = line
            content[name.value] = self.value(child, here)
        return merged | content

    def _merge(self, node: yaml.Node, key: Key) -> dict[str, Any]:
        """Returns what `<<` brings in: a mapping, or several of which the first counts."""
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        merged: dict[str, Any] = {}
        for part in reversed(nodes):
            if not isinstance(part, yaml.MappingNode):
                raise self._refusal(part, "`<<` takes a section", "Name the anchor of a section after it")
            merged |= self.value(part, key)
        return merged

    def _forget(self, key: Key) -> None:
        """Drops what was noted below a key: a merged value that the section replaces."""
        for notes in (self._document.lines, self._document.raw):
            for old in [one for one in notes if one[: len(key)] == key]:
                del notes[old]

    def _refusal(self, node: yaml.Node, what: str, hint: str) -> UserError:
        return UserError(f"not valid YAML: {what}", where=f"{self._name}:{node.start_mark.line + 1}", hint=hint)


def scalar(text: str) -> Any:
    """Returns the value of a plain scalar: null, a boolean, a number or text."""
    if _NULL.fullmatch(text):
        return None
    if _BOOLEAN.fullmatch(text):
        return text.lower() == "true"
    if len(text) > _MOST_DIGITS:
        return text
    if _WHOLE.fullmatch(text):
        return int(text, 10)
    if _BASED.fullmatch(text):
        return int(text, 0)
    if _NUMBER.fullmatch(text):
        return float(text)
    if special := _NO_NUMBER.fullmatch(text):
        return float(special[1] + special[2])
    return text


def _fault_of(error: yaml.YAMLError, text: str, name: str) -> UserError:
    """Returns a syntax error in words of this project, with its line."""
    if isinstance(error, OutOfBounds):
        mark = error.problem_mark
        return UserError(str(error.problem), where=f"{name}:{mark.line + 1}" if mark else name, hint=_NO_RECIPE)
    problem = " ".join(_texts(error)) or "unreadable"
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    position = getattr(error, "position", None)
    line = mark.line + 1 if mark else text.count("\n", 0, position) + 1 if isinstance(position, int) else 1
    for pattern, what, hint in _WORDS:
        if re.search(pattern, problem):
            return UserError(f"not valid YAML: {what}", where=f"{name}:{line}", hint=hint)
    return UserError(f"not valid YAML: {problem}", where=f"{name}:{line}", hint="Correct the line, or quote its value")


def _texts(error: yaml.YAMLError) -> Iterator[str]:
    for name in ("problem", "reason", "context"):
        if isinstance(part := getattr(error, name, None), str):
            yield part
