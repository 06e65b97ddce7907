"""Measures how ingest grows with the corpus: files, opens, bytes and memory from 10^4 records upwards.

`make bench-scale`: near and exact duplicates, unique ids and a shuffle over 10^4, 10^5 and 10^6 texts, and the passes
after the first over up to 10^7 records of synthetic keys; `QUICK=1`: 10^4 and 10^5 texts, and keys of 10^5 and 10^6.
`ROWS=keys`: only these; `ROWS=plan`: what `lstmlm plan` says of three recipes, compared with their runs (`QUICK=1`: of
one). The exponent of a quantity is the slope between the last two sizes, on logarithmic axes.
"""

from __future__ import annotations

import json
import math
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from processes import pinned
from scale_plan import RECIPES, plans
from table import Row, publish, row

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / "build" / "bench-scale"
QUICK = os.environ.get("QUICK") == "1"
TEXTS = (10**4, 10**5) if QUICK else (10**4, 10**5, 10**6)
KEYS = (10**5, 10**6) if QUICK else (10**5, 10**6, 10**7)
QUANTITIES = ("files", "opens", "read", "written", "memory")
BAR = 1.05
MOST_FILES = 10**5
"""Files that 10^7 records may take."""
NEAR, EXACT = 0.05, 0.02
RECORDS_OF_A_FILE = 50_000

RECIPE = """
name: scale
task: generate
corpus:
  root: {root}
  train: "*.jsonl"
  id: id
  shuffle: true
  duplicates: {{exact: true, near: 0.8}}
"""


def write_texts(folder: Path, count: int) -> None:
    """Writes records of 30 words, some of them copies of earlier ones; the same bytes every time."""
    if (folder / "done").is_file():
        return
    folder.mkdir(parents=True, exist_ok=True)
    draw, words = random.Random(5), [f"word{n}" for n in range(5000)]
    recent: list[list[str]] = []
    for start in range(0, count, RECORDS_OF_A_FILE):
        with (folder / f"texts-{start:09d}.jsonl").open("w", encoding="utf-8") as stream:
            for number in range(start, min(count, start + RECORDS_OF_A_FILE)):
                kind = draw.random()
                text = list(draw.choice(recent)) if recent and kind < NEAR + EXACT else draw.choices(words, k=30)
                if kind < NEAR:
                    text[-1] = "other"
                if len(recent) < 1000:
                    recent.append(text)
                else:
                    recent[draw.randrange(1000)] = text
                stream.write(json.dumps({"id": f"r{number}", "text": " ".join(text)}) + "\n")
    (folder / "done").touch()


def run(program: str, *words: object) -> dict[str, Any]:
    """Runs a program of this folder on one core and returns the JSON that it prints."""
    command = [sys.executable, f"benchmarks/{program}", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, **pinned({0}))
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: exit code {done.returncode}\n{done.stderr[-2000:]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def texts() -> Iterator[tuple[int, dict[str, Any]]]:
    """Yields what a whole ingest of each size did."""
    for count in TEXTS:
        write_texts(WORK / f"texts-{count}", count)
        output = WORK / "out" / str(count)
        shutil.rmtree(output.parent, ignore_errors=True)
        output.parent.mkdir(parents=True)
        recipe = WORK / f"texts-{count}.yaml"
        recipe.write_text(RECIPE.format(root=WORK / f"texts-{count}"), encoding="utf-8")
        yield count, run("scale_run.py", recipe, output)


def keys() -> Iterator[tuple[int, dict[str, Any]]]:
    """Yields what the passes after the first did with synthetic keys of each number of records."""
    for count in KEYS:
        output = WORK / "keys" / str(count)
        shutil.rmtree(output.parent, ignore_errors=True)
        output.mkdir(parents=True)
        yield count, run("scale_keys.py", count, output)
        shutil.rmtree(output.parent)


def growth(name: str, found: Sequence[tuple[int, dict[str, Any]]]) -> Iterator[Row]:
    """Yields what was counted at each size, and the exponents between the last two."""
    for count, did in found:
        for quantity in (*QUANTITIES, "seconds"):
            yield row(f"{name}, {count:,} records: {quantity}", did[quantity])
    (few, less), (many, more) = found[-2:]
    for quantity in QUANTITIES:
        exponent = math.log(max(1, more[quantity]) / max(1, less[quantity])) / math.log(many / few)
        yield row(f"{name}, {few:,} to {many:,}: exponent of {quantity}", exponent, bar=BAR, at_most=True)


def main() -> None:
    """Runs all rows, or those named on the command line."""
    WORK.mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []
    parts = {"ingest": texts, "keys": keys}
    for name, measure in parts.items():
        if sys.argv[1:] and name not in sys.argv[1:]:
            continue
        found = list(measure())
        rows += growth(name, found)
        most, did = found[-1]
        if most == 10**7:
            rows.append(row(f"{name}, {most:,} records: files at most", did["files"], bar=MOST_FILES, at_most=True))
        publish("scale", rows)
    if not sys.argv[1:] or "plan" in sys.argv[1:]:
        rows += plans(WORK / "plan", [*RECIPES][:1] if QUICK else [*RECIPES])
        publish("scale", rows)


if __name__ == "__main__":
    main()
