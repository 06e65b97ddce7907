"""Works on many objects of a store at once, for each request is waited for; files of this machine come one by one."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from lstmlm.storage.paths import StorePath

STREAMS = 8
"""Objects that are read or written at once."""

Result = TypeVar("Result")


def each(function: Callable[[Path], Result], paths: Iterable[Path]) -> list[Result]:
    """Returns what a function gives for each path, in their order; what it raises for one is raised here."""
    asked = list(paths)
    if not asked or not isinstance(asked[0], StorePath):
        return [function(path) for path in asked]
    with concurrent.futures.ThreadPoolExecutor(STREAMS, thread_name_prefix="store") as threads:
        return list(threads.map(function, asked))
