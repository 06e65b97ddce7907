"""What training reads, and how long it waits: bytes of one of four workers, and the first batch of a large corpus.

`make bench-scale-training` writes shards of random tokens below `build/bench-scale-training` (10 GB; `QUICK=1`: 1 GB)
and removes them afterwards. Reads of shards and of indexes are counted where they are made, in this process. The first
batch is timed from opening the indexes to the batch, in turns with a corpus of 10 MB; medians count.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from table import Row, median, publish, row

from lstmlm.examples.dataset import pairs, windows
from lstmlm.examples.index import IndexBuilder, index_file
from lstmlm.examples.serialise import int64_examples
from lstmlm.examples.streams import streams
from lstmlm.records.tfrecord import write_records
from lstmlm.task import WHOLE, Share
from lstmlm.tokenizer.rows import TokenRows

QUICK = os.environ.get("QUICK") == "1"
WORK = Path(__file__).resolve().parents[1] / "build" / "bench-scale-training"
MB = 1_000_000
LARGE, SMALL, READ = (1_000, 10, 8) if QUICK else (10_000, 10, 40)
"""Megabytes of examples: for the first batch the large and the small corpus; and for the bytes that are read."""
SHARD = 100
"""Megabytes of a shard of the large corpus; smaller corpora have two shards."""
ROUNDS = 5 if QUICK else 9
WINDOW, VOCABULARY, BATCH, BATCH_TOKENS, BUCKETS = 64, 8_000, 64, 4096, (8, 16, 32, 48)

Made = Callable[[list[Path], Share], tf.data.Dataset]
KINDS: dict[str, Made] = {
    "running streams": lambda files, share: streams(files, BATCH, WINDOW, seed=1, epoch=0, share=share),
    "shuffled windows": lambda files, share: windows(files, BATCH, WINDOW, seed=1, epoch=0, share=share),
    "pairs by length": lambda files, share: pairs(files, BATCH_TOKENS, BUCKETS, seed=1, epoch=0, share=share),
}


def main() -> None:
    """Measures everything and publishes the rows."""
    try:
        publish("scale_training", [*share_rows(), *first_batch_rows()])
    finally:
        shutil.rmtree(WORK, ignore_errors=True)


def features(of_pairs: bool, examples: int) -> dict[str, TokenRows]:
    """Returns random examples: windows, or pairs of 3 to 48 tokens."""
    rng = np.random.default_rng(1)
    if not of_pairs:
        ids = rng.integers(1, VOCABULARY, [examples, WINDOW + 1]).astype(np.int32)
        return {"tokens": TokenRows.joined(list(ids))}
    found = {}
    for name in ("source", "target"):
        lengths = np.clip(rng.poisson(18, examples), 3, BUCKETS[-1])
        found[name] = TokenRows.joined([rng.integers(1, VOCABULARY, length).astype(np.int32) for length in lengths])
    return found


def corpus(name: str, megabytes: int, shards: int, *, of_pairs: bool) -> list[Path]:
    """Writes shards: the first is made, the others are copies of it."""
    folder = WORK / name
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"data-{number:05d}-of-{shards:05d}.tfrecord" for number in range(shards)]
    rows = features(of_pairs, 4096)
    payloads = int64_examples(rows)
    times = max(1, megabytes * MB // shards // (sum(map(len, payloads)) + 16 * len(payloads)))
    index = IndexBuilder()
    for _ in range(times):
        index.add(payloads, rows)
    write_records(files[0], (payload for _ in range(times) for payload in payloads))
    index.write(files[0])
    for file in files[1:]:
        shutil.copyfile(files[0], file)
        shutil.copyfile(index_file(files[0]), index_file(file))
    return files


@contextlib.contextmanager
def counted() -> Iterator[dict[str, int]]:
    """Counts the bytes of shards and of indexes that are read meanwhile."""
    found = {"shards": 0, "indexes": 0}
    pread, fromfile = os.pread, np.fromfile

    def read_shard(file: int, size: int, offset: int) -> bytes:
        data = pread(file, size, offset)
        found["shards"] += len(data)
        return data

    def read_index(*given: Any, **named: Any) -> Any:
        data = fromfile(*given, **named)
        found["indexes"] += data.nbytes
        return data

    os.pread, np.fromfile = read_shard, read_index
    try:
        yield found
    finally:
        os.pread, np.fromfile = pread, fromfile


def share_rows() -> Iterator[Row]:
    """Yields the bytes that one of four workers reads in an epoch, compared with a fourth of all."""
    for kind, made in KINDS.items():
        files = corpus("read", READ, 4, of_pairs=kind.startswith("pairs"))
        fourth = sum(file.stat().st_size for file in files) / 4 / MB
        with counted() as found:
            for _ in made(files, Share(1, 4)):
                pass
        ours, index = found["shards"] / MB, found["indexes"] / MB
        name = f"{kind}: MB of examples read by one of 4 workers in an epoch, compared with a fourth of them"
        yield row(name, ours, peer=fourth, ratio=ours / fourth, bar=1.1, at_most=True)
        yield row("the same: MB of indexes read", index, peer=fourth, ratio=index / fourth)
        shutil.rmtree(WORK / "read")


def first_batch_rows() -> Iterator[Row]:
    """Yields the seconds from opening to the first batch, of a large corpus compared with a small one."""
    for of_pairs in (False, True):
        large = corpus("large", LARGE, LARGE // SHARD, of_pairs=of_pairs)
        small = corpus("small", SMALL, 2, of_pairs=of_pairs)
        for kind in (kind for kind in KINDS if kind.startswith("pairs") == of_pairs):
            seconds: dict[str, list[float]] = {"large": [], "small": []}
            for turn in range(ROUNDS + 1):
                for name, files in (("small", small), ("large", large)):
                    started = time.perf_counter()
                    next(iter(KINDS[kind](files, WHOLE)))
                    if turn:  # the first traces and imports
                        seconds[name].append(time.perf_counter() - started)
            ours, peer = median(seconds["large"]), median(seconds["small"])
            name = f"{kind}: seconds to the first batch, {LARGE / 1000:g} GB of examples compared with {SMALL} MB"
            yield row(name, ours, peer=peer, ratio=ours / peer, bar=1.2, at_most=True)
        shutil.rmtree(WORK / "large")
        shutil.rmtree(WORK / "small")


if __name__ == "__main__":
    main()
