"""Runs ingest in this process and counts what it does to files; a program of its own for `scale.py`.

Usage: python scale_run.py RECIPE OUTPUT

Prints one JSON object: `files` created, `opens`, bytes `read` and `written`, `memory` (peak of resident memory above
that after the imports), `seconds` and the `counts` of the manifest. The direct runner works in the driver's process, so
`memory` is that of the driver and of one worker together.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


class Counts:
    """Counts opens and created files, by Python's audit events, below some folders."""

    def __init__(self, folders: list[str]) -> None:
        self.opens = self.files = self.mapped = 0
        self._folders = tuple(folders)
        sys.addaudithook(self._event)

    def _event(self, event: str, given: tuple[Any, ...]) -> None:
        if event != "open" or not isinstance(given[0], str | os.PathLike):
            return
        if os.fspath(given[0]).startswith(self._folders):
            self.opens += 1
            self.files += bool(given[2] & os.O_CREAT)

    def count_mapped(self, owner: Any, name: str) -> None:
        """Counts the bytes of the arrays that a function returns: what is read from a mapping is no read() call."""
        plain: Callable[..., Any] = getattr(owner, name)

        def counted(*given: Any, **named: Any) -> Any:
            found = plain(*given, **named)
            arrays = found if isinstance(found, tuple) else (found,)
            self.mapped += sum(memoryview(array).nbytes for array in arrays)
            return found

        setattr(owner, name, counted)


def io_bytes() -> tuple[int, int]:
    """Returns the bytes this process has read and written by system calls."""
    fields = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(fields["rchar"]), int(fields["wchar"])


def peak_memory() -> int:
    """Returns the largest resident memory of this process since `reset_peak`, in bytes."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) * 1024


def reset_peak() -> int:
    """Forgets the peak so far; returns the resident memory of now, in bytes."""
    Path("/proc/self/clear_refs").write_text("5")
    return peak_memory()


def measured(work: Callable[[], Any], folders: list[str]) -> dict[str, Any]:
    """Runs something and returns what it did."""
    counts = Counts(folders)
    count_mapped_files(counts)
    before, base, started = io_bytes(), reset_peak(), time.perf_counter()
    result = work()
    seconds, after = time.perf_counter() - started, io_bytes()
    return {
        "files": counts.files,
        "opens": counts.opens,
        "read": after[0] - before[0] + counts.mapped,
        "written": after[1] - before[1],
        "memory": peak_memory() - base,
        "seconds": round(seconds, 2),
        "counts": result,
    }


def count_mapped_files(counts: Counts) -> None:
    """Counts what is read from mapped key files."""
    from lstmlm.corpus.dedup.keys import KeyFile

    for name in ("column", "second_halves", "read_sketches"):
        counts.count_mapped(KeyFile, name)


def main() -> None:
    """See the module."""
    from lstmlm.corpus.ingest import ingest
    from lstmlm.progress import Silent
    from lstmlm.recipe.file import load_recipe
    from lstmlm.runners.pipeline import run_pipeline
    from lstmlm.task import load_task

    recipe, output = load_recipe(Path(sys.argv[1])), Path(sys.argv[2])
    load_task(recipe.task)
    warm_up(run_pipeline)
    folders = [str(output.parent.resolve()), str(recipe.corpus.root)]
    print(json.dumps(measured(lambda: ingest(recipe, output, Silent()).facts["counts"], folders)))


def warm_up(run_pipeline: Callable[..., None]) -> None:
    """Runs a pipeline of nothing, so that what Beam imports at its first is not counted."""
    import apache_beam as beam

    run_pipeline(lambda pipeline: pipeline | beam.Create([1]) | beam.Reshuffle() | beam.Map(str))


if __name__ == "__main__":
    main()
