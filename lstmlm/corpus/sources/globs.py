"""Globs below a root: `*`, `?` and `[...]` stay within a name, `**` matches any number of folders."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase

GLOB = re.compile(r"[*?[]")


def name_matches(name: str, pattern: str) -> bool:
    """Says whether a name below the root (with forward slashes) matches a glob."""
    return matches(name.split("/"), pattern.split("/"))


def matches(names: Sequence[str], patterns: Sequence[str]) -> bool:
    """Says whether names match the parts of a glob."""
    if not patterns:
        return not names
    if patterns[0] == "**":
        return any(matches(names[skipped:], patterns[1:]) for skipped in range(len(names) + 1))
    return bool(names) and fnmatchcase(names[0], patterns[0]) and matches(names[1:], patterns[1:])


def literal(parts: Sequence[str]) -> tuple[str, ...]:
    """Returns the parts before the first that is a glob."""
    count = next((place for place, part in enumerate(parts) if GLOB.search(part)), len(parts))
    return tuple(parts[:count])
