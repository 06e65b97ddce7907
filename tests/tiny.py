"""Tiny runs, made by the real stages from Python's own documentation; a plugin of `conftest.py`.

Every test collects this module, so Beam and TensorFlow are imported in the fixtures that need them.
"""

from __future__ import annotations

import dataclasses
import json
import pydoc_data.topics
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lstmlm.progress import Silent

if TYPE_CHECKING:
    from lstmlm.recipe.recipe import Recipe

RECIPE = """
name: tiny
task: generate
corpus: {train: text.jsonl, valid_fraction: 0.1, shards: 2}
tokenizer: {vocabulary: 600}
examples: {window: 16}
model: {embedding: 16, units: 24, dropout: 0.2}
training: {steps: 12, batch: 8, warmup: 2, evaluate_every: 6, evaluate_batches: 3, checkpoint_every: 4, workers: 1}
"""


def _parsed(text: str, overrides: Sequence[str]) -> Recipe:
    from lstmlm.recipe.file import parse_recipe

    return parse_recipe(text, "tiny", overrides)


def _with_stages(recipe: Recipe, folder: Path) -> Path:
    """Runs the stages before training; returns the folder that holds them."""
    from lstmlm.corpus.ingest import ingest
    from lstmlm.examples.build import build_examples
    from lstmlm.vocabulary.stage import train_tokenizer

    ingest(recipe, folder / "records", Silent())
    train_tokenizer(recipe, folder / "records", folder / "tokenizer", Silent())
    build_examples(recipe, folder / "records", folder / "tokenizer", folder / "examples", Silent())
    return folder


@pytest.fixture(scope="session")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `records`, `tokenizer` and `examples`."""
    folder = tmp_path_factory.mktemp("training")
    paragraphs = [
        p for topic in sorted(pydoc_data.topics.topics)[:6] for p in pydoc_data.topics.topics[topic].split("\n\n")
    ]
    lines = [json.dumps({"text": " ".join(p.split())}) for p in paragraphs if p.strip()]
    (folder / "text.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return _with_stages(_parsed(RECIPE, [f"corpus.root={folder}"]), folder)


@pytest.fixture
def recipe(stages: Path, tmp_path: Path) -> Recipe:
    """The tiny recipe, with a run folder of the test's own."""
    return _parsed(RECIPE, [f"corpus.root={stages}", f"output={tmp_path / 'runs'}"])


PAIRS = """
name: pairs
task: translate
corpus: {train: pairs.tsv, source: en, target: upper, valid_fraction: 0.2, shards: 2}
tokenizer: {vocabulary: 500}
examples: {max_source: 40, max_target: 40}
model: {embedding: 16, units: 24, encoder_units: 12, dropout: 0.1}
training: {steps: 6, batch_tokens: 512, warmup: 2, evaluate_every: 3, checkpoint_every: 3, workers: 1}
"""


@pytest.fixture(scope="session")
def pair_stages(stages: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `records`, `tokenizer` and `examples` of pairs: a text, and the same in capitals."""
    folder = tmp_path_factory.mktemp("pairs")
    lines = [json.loads(line)["text"] for line in (stages / "text.jsonl").read_text(encoding="utf-8").splitlines()]
    rows = [f"{line[:60]}\t{line[:60].upper()}" for line in lines if "\t" not in line]
    (folder / "pairs.tsv").write_text("en\tupper\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return _with_stages(_parsed(PAIRS, [f"corpus.root={folder}"]), folder)


@pytest.fixture
def pair_recipe(pair_stages: Path, tmp_path: Path) -> Recipe:
    """The tiny recipe of pairs, with a run folder of the test's own."""
    return _parsed(PAIRS, [f"corpus.root={pair_stages}", f"output={tmp_path / 'runs'}"])


@dataclasses.dataclass(frozen=True)
class TinyRun:
    """A recipe and the folders of its stages; the model is untrained, which decoding does not mind."""

    recipe: Recipe
    records: Path
    export: Path


@pytest.fixture(scope="session", params=["generate", "translate"])
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> TinyRun:
    """A published model of each task."""
    from lstmlm.export import export

    folder = tmp_path_factory.mktemp("exported")
    name, text = ("stages", RECIPE) if request.param == "generate" else ("pair_stages", PAIRS)
    made: Path = request.getfixturevalue(name)
    recipe = _parsed(text, [f"corpus.root={made}", f"output={folder}", "decoding.max_tokens=12"])
    untrained(recipe, made / "tokenizer", folder / "model")
    export(recipe, folder / "model", made / "tokenizer", folder / "export", Silent())
    return TinyRun(recipe, made / "records", folder / "export")


def untrained(recipe: Recipe, tokenizer: Path, output: Path) -> None:
    """Publishes a model folder with the initial weights."""
    from lstmlm.models.weights import save_arrays
    from lstmlm.publish.folder import fingerprint, publish, read_manifest
    from lstmlm.task import load_task
    from lstmlm.tokenizer import Tokenizer, tokenizer_file
    from lstmlm.tokenizer.identity import vocabulary_facts
    from lstmlm.training.run import MODEL_SECTIONS

    vocabulary = Tokenizer(tokenizer_file(tokenizer)).size
    network = load_task(recipe.task).build(recipe, vocabulary)
    said = {"vocabulary": vocabulary, "recipe": recipe.model_dump(mode="json", include=MODEL_SECTIONS)}
    with publish(output, "model", fingerprint(said)) as draft:
        save_arrays(draft.path / "weights.npz", network.named_variables())
        (draft.path / "model.json").write_text(json.dumps(said), encoding="utf-8")
        draft.facts = {"valid_loss": 9.9, "vocabulary": vocabulary_facts(read_manifest(tokenizer, "tokenizer"))}
