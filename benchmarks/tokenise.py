"""Speed of the examples stage on one core, beside SentencePiece alone on the same lines.

The lines of WikiText-2 (train), repeated to 50 MB, as record shards; 8,000 unigram pieces trained on them. *Ours* reads
the records, encodes and packs them, and writes TFRecord files. The *peer* calls `SentencePieceProcessor.encode` on
blocks of 256 lines, and on single lines, and throws the result away. Rounds alternate; the fastest of each counts, in
CPU time.
Start-up, and loading of the model, count for neither.

    LSTMLM_CORPORA=../shared/corpora taskset -c 1 python benchmarks/tokenise.py
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import sentencepiece

from lstmlm.examples.build import EncodeShard
from lstmlm.recipe import Recipe
from lstmlm.records import Record, serialize
from lstmlm.tfrecord import write_records
from lstmlm.tokenizer.train import train_model, training_lines

ROOT = Path(__file__).resolve().parents[1]
BLOCK = 256


def main() -> int:
    """Prints one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=float, default=50.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--window", type=int, default=64)
    options = parser.parse_args()
    corpora = Path(os.environ.get("LSTMLM_CORPORA") or ROOT.parent / "shared" / "corpora")
    if not (corpora / "wikitext2").is_dir():
        print(f"no corpora at {corpora}: set LSTMLM_CORPORA to the folder that holds them")
        return 2
    text = (corpora / "wikitext2" / "train.txt").read_text(encoding="utf-8")
    once = [line for line in text.split("\n") if line.strip()]
    with tempfile.TemporaryDirectory() as name:
        print(json.dumps(measure(once, Path(name), options.megabytes, options.rounds, options.window)))
    return 0


def measure(once: list[str], folder: Path, megabytes: float, rounds: int, window: int) -> dict[str, float]:
    """Returns megabytes of text a second of each way, and ours over the faster peer."""
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
    seconds = {name: min(times) for name, times in _timed(ways, rounds).items()}
    rates = {name: size / best for name, best in seconds.items()}
    return {
        "megabytes": round(size, 1),
        **{f"{name}_mb_s": round(rate, 2) for name, rate in rates.items()},
        "ours_over_faster_peer": round(rates["ours"] / max(rates["peer_blocks"], rates["peer_lines"]), 3),
    }


def _repeated(lines: list[str], size: float) -> list[str]:
    found, total = [], 0
    for line in itertools.cycle(lines):
        if total >= size:
            return found
        found.append(line)
        total += len(line.encode())
    return found


def _timed(ways: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Returns the seconds of CPU time of every round: all is done by one thread, and other programs do not count."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            start = time.process_time()
            way()
            times[name].append(time.process_time() - start)
    return times


if __name__ == "__main__":
    sys.exit(main())
