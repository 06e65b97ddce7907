"""Recognises names that are not corpus files: hidden and temporary files, and marker files of table writers.

The rules are those of Hadoop's world (names that begin with `_` or `.` are not data) and of common editors and
download tools. A pattern that asks for such a name gets it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from lstmlm.publish.places import PARTIAL

HIDDEN = "hidden"
LEFTOVER = "leftover"
TEMPORARY = "temporary"

_TEMPORARY = re.compile(
    r"~$|^#.*#$|^~\$|\.(tmp|temp|part|partial|crdownload|download|filepart|swp|swo|swx|bak|old|orig|rej|lock|crc|"
    r"inprogress|in-progress|incomplete|aria2|cookietemp)$|\.tmp\.\w+$",
    re.IGNORECASE,
)
_STARTS = {".": HIDDEN, "_": LEFTOVER}
_IN_WORK = re.compile(rf"\..+\.(lock|{PARTIAL}.*)")
"""What this project keeps next to an output while it is written: not worth a word, and another name each time."""
_PARTITION = "="
"""A folder such as `_year=2024` is a partition of a table."""


def omission(below: Sequence[str], patterns: Sequence[str] = ()) -> tuple[int, str] | None:
    """Returns the first name of a path that keeps it out of the corpus: how many names it ends after, and the reason.

    Args:
        below: The names of the folders below the one that was named, and of the file.
        patterns: What these names had to match; empty for a folder.
    """
    for place, name in enumerate(below):
        reason = _reason(name)
        if reason and not any(_asks_for(pattern, name) for pattern in patterns):
            return place + 1, reason
    return None


def _reason(name: str) -> str:
    if name[:1] == "_" and _PARTITION in name:
        return ""
    return _STARTS.get(name[:1], "") or (TEMPORARY if _TEMPORARY.search(name) else "")


def _asks_for(pattern: str, name: str) -> bool:
    """Says whether a glob was written for such names: it begins or ends as they do."""
    if not fnmatchcase(name, pattern):
        return False
    if name[:1] in _STARTS:
        return pattern[:1] == name[:1]
    return _TEMPORARY.search(pattern) is not None


def is_in_work(name: str) -> bool:
    """Says whether a name is that of a lock or a draft of this project."""
    return _IN_WORK.fullmatch(name.rpartition("/")[2]) is not None


def shown(names: Iterable[str], most: int = 6) -> str:
    """Returns names as text for a message: the first of them, and how many more there are."""
    every = [name if name.isprintable() else ascii(name)[1:-1] for name in names]
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return ", ".join(every[:most]) + more
