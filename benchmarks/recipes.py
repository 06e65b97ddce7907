"""Runs whole recipes with `lstmlm run`: wall time, peak memory, the quality that came out, and the cached rerun.

`make bench-recipes` runs them all, `QUICK=1` only the demo; `RECIPES="wikitext2"` names some. Every run starts in an
empty folder. Memory is the largest sum, over samples a second apart, of the proportional set sizes of the command and
of every process it started, so that shared pages count once.
"""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "benchmarks" / "out" / "recipes.json"
DEMO_CORPUS = ROOT / "build" / "demo" / "python_docs.jsonl"


@dataclasses.dataclass(frozen=True)
class Bar:
    """What a number is held against.

    Attributes:
        metric: `minutes`, `peak_gb`, `rerun_seconds`, or a name of metrics.json.
        bar: The bound.
        at_most: Whether the bound is an upper one.
        peer: Metric that it is compared with, where there is one.
    """

    metric: str
    bar: float | None
    at_most: bool = True
    peer: str | None = None


RECIPES: dict[str, tuple[Bar, ...]] = {
    "demo": (
        Bar("minutes", 6),
        Bar("peak_gb", 6),
        Bar("rerun_seconds", 60),
        Bar("perplexity", None, peer="trigram_perplexity"),
    ),
    "translate_en_fr": (Bar("minutes", 35), Bar("rerun_seconds", 60), Bar("bleu", 30, at_most=False)),
    "wikitext2": (
        Bar("minutes", 35),
        Bar("rerun_seconds", 60),
        Bar("word_perplexity", 200, peer="trigram_word_perplexity"),
    ),
    "summarize_arxiv": (
        Bar("minutes", 35),
        Bar("rerun_seconds", 60),
        Bar("rouge_1", None, at_most=False, peer="lead_rouge_1"),
        Bar("rouge_2", None, at_most=False, peer="lead_rouge_2"),
        Bar("rouge_l", None, at_most=False, peer="lead_rouge_l"),
    ),
}


class PeakMemory:
    """Samples the memory of a process and of everything below it, in the background."""

    def __init__(self, process: psutil.Process) -> None:
        self.peak = 0
        self._process, self._stop = process, threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    def _sample(self) -> None:
        known = {self._process.pid: self._process}
        while not self._stop.wait(1.0):
            for process in list(known.values()):
                known |= {child.pid: child for child in _children(process)}
            self.peak = max(self.peak, sum(map(_memory, known.values())))

    def stop(self) -> float:
        """Returns the peak in GB (10^9 bytes)."""
        self._stop.set()
        self._thread.join()
        return self.peak / 1e9


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.Error:
        return []


def _memory(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except psutil.Error:  # ended since
        return 0


def run(recipe: str, output: Path) -> tuple[float, float, str]:
    """Runs a recipe; returns seconds, peak GB, and what it printed."""
    command = [sys.executable, "-m", "lstmlm", "run", f"pipelines/recipes/{recipe}.yaml", "--set", f"output={output}"]
    started = time.monotonic()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    memory = PeakMemory(psutil.Process(process.pid))
    printed, _ = process.communicate()
    seconds, peak = time.monotonic() - started, memory.stop()
    if process.returncode not in (0, 3):
        raise SystemExit(f"{recipe}: exit code {process.returncode}")
    return seconds, peak, printed


def measure(recipe: str) -> list[dict[str, Any]]:
    """Runs a recipe twice in an empty folder and returns a row for each of its bars."""
    with tempfile.TemporaryDirectory(prefix=f"{recipe}-") as folder:
        seconds, peak, printed = run(recipe, Path(folder))
        print(printed)
        rerun, _, again = run(recipe, Path(folder))
        print(again.split("metric")[0])
        found = max(Path(folder).rglob("metrics.json"), key=lambda path: path.stat().st_mtime)
        metrics: dict[str, Any] = json.loads(found.read_text(encoding="utf-8"))["metrics"]
    values = metrics | {"minutes": seconds / 60, "peak_gb": peak, "rerun_seconds": rerun}
    if "bleu_signature" in metrics:
        print(metrics["bleu_signature"])
    return [row(recipe, bar, values) for bar in RECIPES[recipe]]


def row(recipe: str, bar: Bar, values: dict[str, Any]) -> dict[str, Any]:
    """Returns one row of the table."""
    ours, peer = float(values[bar.metric]), values.get(bar.peer) if bar.peer else None
    holds = None if bar.bar is None else (ours <= bar.bar if bar.at_most else ours >= bar.bar)
    name = f"{recipe}: {bar.metric}" + (f", compared with {bar.peer}" if bar.peer else "")
    return {
        "row": name,
        "ours": round(ours, 3),
        "peer": None if peer is None else round(float(peer), 3),
        "ratio": None if not peer else round(ours / float(peer), 3),
        "bar": bar.bar,
        "holds": holds,
    }


def main() -> None:
    """Measures the recipes named on the command line, or all."""
    named = sys.argv[1:] or (["demo"] if os.environ.get("QUICK") == "1" else list(RECIPES))
    rows: list[dict[str, Any]] = []
    for recipe in named:
        if recipe == "demo":
            write = [sys.executable, "-m", "lstmlm", "demo-corpus", "-o", str(DEMO_CORPUS)]
            subprocess.run(write, cwd=ROOT, check=True)
        rows += measure(recipe)
        OUT.parent.mkdir(parents=True, exist_ok=True)
        OUT.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    for line in rows:
        cells = (
            line[key] if line[key] is not None else "-" for key in ("row", "ours", "peer", "ratio", "bar", "holds")
        )
        print(" | ".join(map(str, cells)))


if __name__ == "__main__":
    main()
