"""Trains and exports a tiny language model of Python's documentation, and continues a prompt with it.

Run it as `python examples/train_tiny.py FOLDER`. A second run finds every stage finished and does nothing.
"""

from __future__ import annotations

import sys
from pathlib import Path

import lstmlm
from lstmlm.cli.demo_corpus import write_demo_corpus

RECIPE = {
    "name": "tiny",
    "task": "generate",
    "corpus": {"train": "docs.jsonl", "valid_fraction": 0.05},
    "tokenizer": {"vocabulary": 500},
    "examples": {"window": 16},
    "model": {"embedding": 16, "units": 32},
    "training": {
        "steps": 20,
        "batch": 16,
        "warmup": 2,
        "evaluate_every": 10,
        "evaluate_batches": 4,
        "checkpoint_every": 10,
        "workers": 1,
    },
    "decoding": {"max_tokens": 12},
}


def train_tiny(folder: Path, ray_address: str | None = None) -> lstmlm.TrainedModel:
    """Runs every stage up to the evaluation.

    Args:
        folder: Gets the corpus and the folder of each stage.
        ray_address: A running Ray cluster; None: one is started on this machine.
    """
    corpus = folder / "docs.jsonl"
    if not corpus.is_file():
        write_demo_corpus(corpus)
    changes = f"corpus.root={folder}", f"output={folder / 'runs'}"
    return lstmlm.train(RECIPE, *changes, folder=folder / "stages", ray_address=ray_address)


if __name__ == "__main__":
    trained = train_tiny(Path(sys.argv[1]))
    print(trained.export, trained.metrics["perplexity"])
    print(trained.load().generate(["Note that"])[0].text)
