"""Speed of the examples stage on one core, compared with plain SentencePiece on the same lines.

The lines of WikiText-2 (train), repeated to 50 MB, as record shards; 8,000 unigram pieces trained on them. *Ours* reads
the records, encodes and packs them, and writes TFRecord files. The *peer* calls `SentencePieceProcessor.encode` on
blocks of 256 lines, and on single lines, and throws the result away. Rounds alternate, and medians count. Start-up, and
loading of the model, count for neither. A part of `benchmarks/ingest.py`.
"""

from __future__ import annotations

import itertools
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import sentencepiece
from documents import CORPORA
from table import Row, median, row

from lstmlm.examples.build import EncodeShard
from lstmlm.recipe.recipe import Recipe
from lstmlm.records.record import Record, serialize
from lstmlm.records.tfrecord import write_records
from lstmlm.vocabulary.train import train_model, training_lines

BLOCK = 256
ROUNDS = 5


def rows() -> Iterator[Row]:
    """Yields the row of the benchmark of ingest; pins this process to one core meanwhile."""
    text = (CORPORA / "wikitext2" / "train.txt").read_text(encoding="utf-8")
    once = [line for line in text.split("\n") if line.strip()]
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        with tempfile.TemporaryDirectory() as name:
            rates = measure(once, Path(name), megabytes=5.0 if os.environ.get("QUICK") == "1" else 50.0)
    finally:
        os.sched_setaffinity(0, cores)
    ours, peer = rates["ours"], max(rates["peer_blocks"], rates["peer_lines"])
    name = "tokenise and pack to TFRecords, MB/s, compared with a bare encode loop (the faster of blocks and lines)"
    yield row(name, ours, peer=peer, ratio=ours / peer, bar=0.6)


def measure(once: list[str], folder: Path, megabytes: float, window: int = 64) -> dict[str, float]:
    """Returns megabytes of text per second of each way."""
    corpus = {"train": "train.txt"}
    settings = {"vocabulary": 8000, "symbols": ["<unk>"]}
    content = {"name": "speed", "task": "generate", "corpus": corpus, "tokenizer": settings}
    recipe = Recipe.model_validate(content | {"examples": {"window": window}})
    model = folder / "tokenizer.model"
    model.write_bytes(train_model((part for line in once for part in training_lines(line)), recipe.tokenizer))
    lines = _repeated(once, megabytes * 1e6)
    size = sum(len(line.encode()) for line in lines) / 1e6
    records = folder / "records.tfrecord"
    write_records(records, (serialize(Record(f"train.txt:{n}", line)) for n, line in enumerate(lines, start=1)))
    blocks = [lines[start : start + BLOCK] for start in range(0, len(lines), BLOCK)]
    processor = sentencepiece.SentencePieceProcessor(model_file=str(model))
    encode = EncodeShard(recipe, model, folder)
    encode.setup()
    (folder / "Split-train").mkdir()
    ways: dict[str, Callable[[], object]] = {
        "ours": lambda: list(encode.process(("train", str(records)))),
        "peer_blocks": lambda: [None for block in blocks if not processor.encode(block, num_threads=1)],
        "peer_lines": lambda: [None for block in blocks for line in block if processor.encode(line) is None],
    }
    return {name: size / median(times) for name, times in _timed(ways).items()}


def _repeated(lines: list[str], size: float) -> list[str]:
    found, total = [], 0
    for line in itertools.cycle(lines):
        if total >= size:
            return found
        found.append(line)
        total += len(line.encode())
    return found


def _timed(ways: dict[str, Callable[[], object]]) -> dict[str, list[float]]:
    """Returns the seconds of every round; the ways alternate."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            times[name].append(time.perf_counter() - start)
    return times
