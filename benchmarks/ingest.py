"""Measures ingest compared with datatrove: speed, agreement, memory, and the quality of its decisions.

`make bench-ingest` makes the documents from the corpora, the peer's environment, and runs everything; `QUICK=1` does
the same on less text. Every timed process is pinned to one core unless the row says otherwise; start-up is included
unless the row says otherwise. Needs the corpora (`LSTMLM_CORPORA`).
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import language_sides
import pii
import tokenise
from documents import CORPORA, Document, write_documents
from environments import DATATROVE, peer_python
from processes import Ran, timed
from table import Row, median, publish, row

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / "build" / "bench-ingest"
QUICK = os.environ.get("QUICK") == "1"
MB = 1_000_000
SIZE, LARGE, MEDIUM = (5, 100, 10) if QUICK else (50, 1000, 100)
"""Megabytes of text: for the comparison with the peer, and for constant memory the large and the small corpus."""

RECIPE = """
name: bench
task: generate
corpus:
  root: {root}
  train: "*.jsonl"
  id: id
  quality: [gopher]
  privacy: {{kinds: [email, ip]}}
  duplicates: {{near: 0.72, bands: 14, rows: 8}}
  exclusions: {exclusions}
"""


def clean(documents: Path, output: Path, *options: str, exclusions: bool = False, cores: set[int] | None = None) -> Ran:
    """Runs `lstmlm clean` over a folder of documents."""
    shutil.rmtree(output, ignore_errors=True)
    recipe = output.with_suffix(".yaml")
    recipe.parent.mkdir(parents=True, exist_ok=True)
    recipe.write_text(RECIPE.format(root=documents, exclusions=str(exclusions).lower()), encoding="utf-8")
    command = [sys.executable, "-m", "lstmlm", "clean", str(recipe), "-o", str(output), *options]
    return timed(command, cores or {0})


def size_of(documents: Path) -> float:
    """Returns the megabytes of all documents of a folder."""
    return sum(path.stat().st_size for path in documents.glob("*.jsonl")) / MB


def lines_of(paths: Sequence[Path]) -> Iterator[dict[str, Any]]:
    """Yields the lines of gzipped JSON lines."""
    for path in sorted(paths):
        with gzip.open(path, "rt", encoding="utf-8") as stream:
            yield from map(json.loads, stream)


def against_datatrove() -> Iterator[Row]:
    """Speed of the same steps, and how far the decisions agree."""
    documents = WORK / f"documents-{SIZE}"
    copies = write_documents(documents, SIZE * MB, seed=1)
    megabytes = size_of(documents)
    source = WORK / f"only-{SIZE}"  # the peer reads every file it finds
    source.mkdir(exist_ok=True)
    for path in documents.glob("*.jsonl"):
        if not (source / path.name).exists():
            os.link(path, source / path.name)
    python, ours = peer_python("datatrove", DATATROVE), []
    ours.append(clean(source, WORK / "ours", exclusions=True))
    shutil.rmtree(WORK / "theirs", ignore_errors=True)
    peer = timed([str(python), "benchmarks/peers/datatrove_clean.py", str(source), str(WORK / "theirs")], {0})
    ours += [clean(source, WORK / "ours-again") for _ in range(2)]
    seconds = median([ran.seconds for ran in ours])
    yield row(
        f"clean {megabytes:.0f} MB: MB/s, compared with datatrove",
        megabytes / seconds,
        peer=megabytes / peer.seconds,
        ratio=peer.seconds / seconds,
        bar=10,
    )
    yield from agreement(WORK / "ours", WORK / "theirs", source)
    yield from planted(WORK / "ours", copies)


def agreement(ours: Path, theirs: Path, source: Path) -> Iterator[Row]:
    """Compares what is kept after the quality filter, and what is dropped as a near copy."""
    every = [json.loads(line)["id"] for path in sorted(source.glob("*.jsonl")) for line in path.open(encoding="utf-8")]
    reasons = {line["id"]: line["reason"] for line in lines_of([ours / "exclusions.jsonl.gz"])}
    bad = {key for key, reason in reasons.items() if reason.startswith("gopher")}
    good = {line["id"] for line in lines_of(list((theirs / "kept").glob("*.gz")))}
    same = sum((key in good) != (key in bad) for key in every)
    yield row("documents decided as datatrove decides, share", same / len(every), bar=0.97, digits=4)
    final = {line["id"] for line in lines_of(list((theirs / "final").glob("*.gz")))}
    # A copy is a matter of pairs: each side keeps one of a cluster, and need not keep the same one.
    copies = good - final
    found = sum(reasons.get(key, "").startswith("duplicate") for key in copies if key not in bad)
    yield row("near copies of datatrove that are found, share", found / max(1, len(copies - bad)), bar=0.98, digits=4)


def planted(ours: Path, copies: dict[str, Document]) -> Iterator[Row]:
    """How many planted copies are found, and how many documents are dropped that are no copies."""
    reasons = {line["id"]: line["reason"] for line in lines_of([ours / "exclusions.jsonl.gz"])}
    quality = {key for key, reason in reasons.items() if not reason.startswith("duplicate")}
    due = {key for key, copy in copies.items() if key not in quality and copy.copy_of not in quality}
    dropped = {key for key, reason in reasons.items() if reason.startswith("duplicate")}
    yield row("planted copies (Jaccard >= 0.8) found, share", len(due & dropped) / len(due), bar=0.95, digits=4)
    kept = sum(1 for _ in lines_of(list(ours.glob("documents-*.gz"))))
    wrong = len(dropped - copies.keys()) / (kept + len(dropped - copies.keys()))
    yield row("distinct documents wrongly dropped, share", wrong, bar=0.01, at_most=True, digits=4)


def large() -> Iterator[Row]:
    """Speed and memory when the corpus grows tenfold."""
    runs = {}
    for megabytes in (MEDIUM, LARGE):
        folder = WORK / f"documents-{megabytes}"
        write_documents(folder, megabytes * MB, seed=2)
        runs[megabytes] = (size_of(folder), clean(folder, WORK / f"out-{megabytes}"))
    small, (total, big) = runs[MEDIUM], runs[LARGE]
    yield row(
        f"clean {total:.0f} MB: MB/s, compared with {small[0]:.0f} MB",
        total / big.seconds,
        peer=small[0] / small[1].seconds,
        ratio=total / big.seconds * small[1].seconds / small[0],
        bar=1.0,
    )
    yield row(
        f"peak memory in MB, compared with that at {small[0]:.0f} MB",
        big.peak / MB,
        peer=small[1].peak / MB,
        ratio=big.peak / small[1].peak,
        bar=1.3,
        at_most=True,
    )


def two_processes() -> Iterator[Row]:
    """Two processes against one, each less the time of the same command on almost nothing."""
    folder, tiny = WORK / f"documents-{LARGE}", WORK / "documents-tiny"
    write_documents(folder, LARGE * MB, seed=2)
    write_documents(tiny, MB // 5, seed=3)
    both = {0, 1}
    spent = {}
    for workers in (1, 2):
        options = ("--runner", "processes", "--workers", str(workers))
        start = clean(tiny, WORK / "tiny-out", *options, cores=both).seconds
        spent[workers] = clean(folder, WORK / "workers-out", *options, cores=both).seconds - start
    yield row(
        f"{LARGE} MB in two processes, seconds, compared with one (without start-up)",
        spent[2],
        peer=spent[1],
        ratio=spent[1] / spent[2],
        bar=1.7,
    )


def main() -> None:
    """Runs all rows, or those named on the command line."""
    if not CORPORA.is_dir():
        raise SystemExit(f"no corpora at {CORPORA}: set LSTMLM_CORPORA")
    parts = {
        "datatrove": against_datatrove,
        "large": large,
        "processes": two_processes,
        "tokenise": tokenise.rows,
        "pii": lambda: pii.measure(
            CORPORA / "pii_synthetic" / "valid.jsonl", prose=CORPORA / "wikitext2" / "valid.txt"
        ),
        "language": lambda: language_sides.measure(CORPORA / "tatoeba_en_fr" / "valid.tsv"),
    }
    WORK.mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []
    for name in sys.argv[1:] or parts:
        rows += parts[name]()
        publish("ingest", rows)


if __name__ == "__main__":
    main()
