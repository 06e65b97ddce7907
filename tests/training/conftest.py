"""A tiny task's examples, made by the real stages from Python's own documentation."""

from __future__ import annotations

import json
import pydoc_data.topics
from pathlib import Path

import pytest

from lstmlm.corpus.ingest import ingest
from lstmlm.examples.build import build_examples
from lstmlm.progress import Silent
from lstmlm.recipe import Recipe
from lstmlm.recipe_file import parse_recipe
from lstmlm.tokenizer import train_tokenizer

RECIPE = """
name: tiny
task: generate
corpus: {train: text.jsonl, valid_fraction: 0.1, shards: 2}
tokenizer: {vocabulary: 600}
examples: {window: 16}
model: {embedding: 16, units: 24, dropout: 0.2}
training: {steps: 12, batch: 8, warmup: 2, evaluate_every: 6, evaluate_batches: 3, checkpoint_every: 4, workers: 1}
"""


@pytest.fixture(scope="session")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `records`, `tokenizer` and `examples`."""
    folder = tmp_path_factory.mktemp("training")
    paragraphs = [
        p for topic in sorted(pydoc_data.topics.topics)[:6] for p in pydoc_data.topics.topics[topic].split("\n\n")
    ]
    lines = [json.dumps({"text": " ".join(p.split())}) for p in paragraphs if p.strip()]
    (folder / "text.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    recipe = parse_recipe(RECIPE, "tiny", [f"corpus.root={folder}"])
    ingest(recipe, folder / "records", Silent())
    train_tokenizer(recipe, folder / "records", folder / "tokenizer", Silent())
    build_examples(recipe, folder / "records", folder / "tokenizer", folder / "examples", Silent())
    return folder


@pytest.fixture
def recipe(stages: Path, tmp_path: Path) -> Recipe:
    """The tiny recipe, with a run folder of the test's own."""
    return parse_recipe(RECIPE, "tiny", [f"corpus.root={stages}", f"output={tmp_path / 'runs'}"])
