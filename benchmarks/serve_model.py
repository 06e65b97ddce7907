"""The export that `benchmarks/serve.py` serves, and the texts that it sends."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import infer_work
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "build" / "bench" / "serve"


@dataclasses.dataclass(frozen=True)
class Work:
    """Texts, and how many tokens are decoded of each."""

    texts: list[str]
    limits: list[int]


def made(corpora: Path, count: int) -> tuple[Path, Work]:
    """Returns an export whose random weights never end a text, and `count` texts with the lengths of their references.

    Args:
        corpora: Folder of the corpora.
        count: Texts.
    """
    from lstmlm.export import export
    from lstmlm.progress import Silent
    from lstmlm.recipe.file import load_recipe
    from lstmlm.tokenizer import Tokenizer, tokenizer_file
    from lstmlm.vocabulary.stage import train_tokenizer

    lines = (corpora / "tatoeba_en_fr" / "valid.tsv").read_text(encoding="utf-8").splitlines()[1:]
    recipe = load_recipe(ROOT / "pipelines" / "recipes" / "translate_en_fr.yaml", ["model.softmax=full"])
    if not (FOLDER / "export" / "manifest.json").is_file():
        from lstmlm.corpus.ingest import ingest

        ingest(recipe, FOLDER / "records", Silent())
        train_tokenizer(recipe, FOLDER / "records", FOLDER / "tokenizer", Silent())
        _publish_model(recipe, FOLDER / "tokenizer", FOLDER / "model")
        export(recipe, FOLDER / "model", FOLDER / "tokenizer", FOLDER / "export", Silent())
    tokenizer = Tokenizer(tokenizer_file(FOLDER / "export"))
    pairs = [line.split("\t")[:2] for line in lines]
    chosen = pairs[:: max(1, len(pairs) // count)][:count]
    most = recipe.decoding.max_tokens
    limits = [max(1, min(most, len(tokenizer.encode(target)))) for _, target in chosen]
    return FOLDER / "export", Work([source for source, _ in chosen], limits)


def _publish_model(recipe, tokenizer: Path, output: Path) -> None:  # type: ignore[no-untyped-def]
    """Publishes a model folder with random weights."""
    from lstmlm.publish.folder import fingerprint, publish, read_manifest
    from lstmlm.tokenizer import Tokenizer, tokenizer_file
    from lstmlm.tokenizer.identity import vocabulary_facts
    from lstmlm.training.run import MODEL_SECTIONS

    said = {
        "vocabulary": Tokenizer(tokenizer_file(tokenizer)).size,
        "recipe": recipe.model_dump(mode="json", include=MODEL_SECTIONS),
    }
    with publish(output, "model", fingerprint(said)) as draft:
        np.savez(draft.path / "weights.npz", **infer_work.random_weights())
        (draft.path / "model.json").write_text(json.dumps(said), encoding="utf-8")
        draft.facts = {"valid_loss": 9.9, "vocabulary": vocabulary_facts(read_manifest(tokenizer, "tokenizer"))}
