"""Bounds on YAML input: size, depth, and size after alias expansion."""

from __future__ import annotations

from typing import Any

import yaml

MOST_CHARACTERS = 256_000
MOST_NODES = 50_000
MOST_DEPTH = 40


class OutOfBounds(yaml.MarkedYAMLError):
    """YAML that would take too much memory or time."""


def check_bounds(text: str) -> None:
    """Checks a document before it is composed. A value that aliases repeat counts as often as they do.

    Raises:
        OutOfBounds: It is too large, too deep, or an alias occurs inside its own anchor.
        yaml.YAMLError: It is not YAML.
    """
    if len(text) > MOST_CHARACTERS:
        raise OutOfBounds(problem=f"more than {MOST_CHARACTERS} characters")
    sizes: dict[str, int | None] = {}  # of anchors; None: not yet at its end
    open_nodes: list[tuple[str | None, int]] = []  # anchor, and the count where it began
    count = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        mark: Any = event.start_mark
        if isinstance(event, yaml.AliasEvent):
            size = sizes.get(event.anchor or "", 1)
            if size is None:
                raise OutOfBounds(problem=f"the alias {event.anchor!r} occurs inside its own anchor", problem_mark=mark)
            count += size
        elif isinstance(event, yaml.ScalarEvent):
            count += 1
            if event.anchor is not None:
                sizes[event.anchor] = 1
        elif isinstance(event, yaml.CollectionStartEvent):
            open_nodes.append((event.anchor, count))
            count += 1
            if event.anchor is not None:
                sizes[event.anchor] = None
            if len(open_nodes) > MOST_DEPTH:
                raise OutOfBounds(problem=f"more than {MOST_DEPTH} levels", problem_mark=mark)
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, begun = open_nodes.pop()
            if anchor is not None:
                sizes[anchor] = count - begun
        if count > MOST_NODES:
            raise OutOfBounds(problem=f"more than {MOST_NODES} values, aliases counted", problem_mark=mark)
