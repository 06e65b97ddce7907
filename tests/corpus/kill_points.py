"""Runs ingest again and again, each time killed at another of its writes; a program of its own for `test_faults`.

Usage: python kill_points.py RECIPE FOLDER POINTS

Everything is imported once; each run is a fork. A run counts its writes (bytes into a file, a rename, a new folder)
and kills itself with SIGKILL at the one that is due, before it happens. Then ingest runs undisturbed in the same place.
Prints the number of writes of a whole run, and a line `point n: same` or `point n: differs` for each point.
"""

from __future__ import annotations

import builtins
import io
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lstmlm.corpus.passes.process  # noqa: F401  (before the forks)
from lstmlm.corpus.ingest import ingest
from lstmlm.progress import Silent
from lstmlm.recipe.file import load_recipe
from lstmlm.task import load_task

PLAIN_OPEN = io.open


class Writes:
    """Counts writes, and dies at one of them."""

    def __init__(self, deadly: int) -> None:
        self.count, self.deadly = 0, deadly

    def happens(self) -> None:
        self.count += 1
        if self.count == self.deadly:
            os.kill(os.getpid(), signal.SIGKILL)


class Counted:
    """A file opened for writing."""

    def __init__(self, file: Any, writes: Writes) -> None:
        self._file, self._writes = file, writes

    def write(self, data: Any) -> Any:
        self._writes.happens()
        return self._file.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> Counted:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()


def inject(writes: Writes) -> None:
    """Puts the counter between this process and its file system."""

    def counted_open(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        opened = PLAIN_OPEN(file, mode, *args, **kwargs)
        return Counted(opened, writes) if set(mode) & set("wxa+") else opened

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def happens(*args: Any, **kwargs: Any) -> Any:
            writes.happens()
            return call(*args, **kwargs)

        return happens

    builtins.open = io.open = counted_open  # type: ignore[assignment]
    for name in ("replace", "rename", "mkdir"):
        setattr(os, name, counted(getattr(os, name)))


def run(recipe: Path, output: Path, deadly: int, report: Path | None = None) -> int:
    """Runs ingest in a fork; returns how the fork ended."""
    child = os.fork()
    if child == 0:
        writes = Writes(deadly)
        if deadly or report is not None:
            inject(writes)
        try:
            ingest(load_recipe(recipe), output, Silent())
        except BaseException as error:
            print(repr(error), file=sys.stderr)
            os._exit(1)
        if report is not None:
            with PLAIN_OPEN(report, "w") as stream:
                stream.write(str(writes.count))
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def main() -> None:
    recipe, folder, points = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    load_task("generate")
    assert run(recipe, folder / "whole", 0, folder / "count") == 0
    total, wanted = int((folder / "count").read_text()), contents(folder / "whole")
    print(f"writes: {total}", flush=True)
    for number in range(points):
        point = 1 + number * (total - 1) // max(1, points - 1)
        output = folder / f"out-{point}"
        killed = run(recipe, output, point)
        half = (output / "manifest.json").is_file()
        again = run(recipe, output, 0)
        same = killed == -signal.SIGKILL and not half and again == 0 and contents(output) == wanted
        print(f"point {point}: {'same' if same else f'differs ({killed}, {half}, {again})'}", flush=True)


if __name__ == "__main__":
    main()
