"""Trains and exports a tiny language model of Python's documentation, stage after stage.

Run it as `python examples/train_tiny.py FOLDER`. A second run finds every stage finished and does nothing.
"""

from __future__ import annotations

import sys
from pathlib import Path

from lstmlm.cli.demo_corpus import write_demo_corpus
from lstmlm.corpus.ingest import ingest
from lstmlm.examples.build import build_examples
from lstmlm.export import export
from lstmlm.progress import Silent
from lstmlm.recipe import parse_recipe
from lstmlm.training.run import train
from lstmlm.vocabulary.stage import train_tokenizer

RECIPE = """
name: tiny
task: generate
corpus: {train: docs.jsonl, valid_fraction: 0.05}
tokenizer: {vocabulary: 500}
examples: {window: 16}
model: {embedding: 16, units: 32}
training: {steps: 20, batch: 16, warmup: 2, evaluate_every: 10, evaluate_batches: 4, checkpoint_every: 10, workers: 1}
decoding: {max_tokens: 12}
"""


def train_tiny(folder: Path, ray_address: str | None = None) -> Path:
    """Runs every stage up to the export.

    Args:
        folder: Gets the corpus and the folder of each stage.
        ray_address: A running Ray cluster; None: one is started on this machine.

    Returns:
        The export folder.
    """
    corpus = folder / "docs.jsonl"
    if not corpus.is_file():
        write_demo_corpus(corpus)
    recipe = parse_recipe(RECIPE, "tiny", [f"corpus.root={folder}", f"output={folder / 'runs'}"])
    records, tokenizer, examples = folder / "records", folder / "tokenizer", folder / "examples"
    ingest(recipe, records, Silent())
    train_tokenizer(recipe, records, tokenizer, Silent())
    build_examples(recipe, records, tokenizer, examples, Silent())
    train(recipe, examples, tokenizer, folder / "model", Silent(), ray_address=ray_address)
    export(recipe, folder / "model", tokenizer, folder / "export", Silent())
    return folder / "export"


if __name__ == "__main__":
    print(train_tiny(Path(sys.argv[1])))
