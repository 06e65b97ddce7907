"""Every task from its corpus to its predictions, held against a peer or a bar.

`make bench-tasks` measures the rows of every module in `task_rows`; `ROWS="classify answer"` names some, and `QUICK=1`
trains for seconds, which ends within five minutes and has no bars. A module has a function `rows(quick)`, which yields
rows (see `table.row`). They are printed and written to `benchmarks/out/tasks.json` after each module: a later one may
take an hour, or fail. Needs the corpora (`LSTMLM_CORPORA`).
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import time

import task_rows
from documents import CORPORA
from table import OUT, Row, publish


def names() -> list[str]:
    """Returns the names of the modules of `task_rows`."""
    return sorted(module.name for module in pkgutil.iter_modules(task_rows.__path__))


def earlier(measured: list[str]) -> list[Row]:
    """Returns the rows of other modules in the file of an earlier call: it is not emptied by measuring one."""
    file = OUT / "tasks.json"
    rows: list[Row] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else []
    return [row for row in rows if row["row"].split(":")[0] not in measured]


def main() -> None:
    """Measures the rows that are named, or all."""
    if not CORPORA.is_dir():
        raise SystemExit(f"no corpora at {CORPORA}: set LSTMLM_CORPORA")
    quick = os.environ.get("QUICK") == "1"
    named = os.environ.get("ROWS", "").split() or names()
    if unknown := [name for name in named if name not in names()]:
        raise SystemExit(f"no rows named {', '.join(unknown)}; there are: {', '.join(names())}")
    started, table = time.monotonic(), earlier(named)
    for name in named:
        for row in importlib.import_module(f"task_rows.{name}").rows(quick):
            table.append({**row, "row": f"{name}: {row['row']}"})
        publish("tasks", table)
    print(f"{time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
