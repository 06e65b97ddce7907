"""A row of labels that are few: a classifier from two language models against the same one from random weights.

The language models read WikiText-2 in small letters and the texts of sentence_polarity's train split, without labels;
the classifier learns from 500 of them with labels. Both classifiers have the same network, vocabulary and steps.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from documents import CORPORA
from table import Row, row
from task_runs import RECIPES, WORK, both_ways, run_recipe

HOME = WORK / "pretrain_labels"
LABELLED = 500
STEPS, LABELLED_STEPS = 2500, 300
WIDTHS = {"embedding": 128, "units": 256}
LANGUAGE_MODEL = """
name: reviews
task: generate
corpus: {root: ROOT, train: train.txt, valid: valid.txt}
tokenizer: {algorithm: word, vocabulary: 20000}
examples: {window: 64}
model: {embedding: 128, units: 256, softmax: adaptive, cutoffs: [2000, 8000], dropout: 0.2}
training:
  {batch: 32, precision: bfloat16, learning_rate: 0.003, warmup: 200, evaluate_every: 500, checkpoint_every: 500,
    workers: 1, threads: 2}
"""


def rows(quick: bool) -> Iterator[Row]:
    """Yields the row; see the module."""
    steps, labelled_steps = (40, 20) if quick else (STEPS, LABELLED_STEPS)
    recipe = _texts(quick)
    forward, backward = both_ways(recipe, HOME, steps)
    common = [*_labels(), f"tokenizer.model={forward.vocabulary}", "tokenizer.algorithm=word"]
    common += [f"model.embedding={WIDTHS['embedding']}", f"model.encoder_units={WIDTHS['units']}", "training.threads=2"]
    common += [f"training.steps={labelled_steps}", f"training.evaluate_every={max(10, labelled_steps // 15)}"]
    common += ["evaluation.thresholds={}", "task_options.members=1", "task_options.ngrams=0"]
    common += ["task_options.ngram_ratios=false", "training.ema=0.0"]
    polarity = RECIPES / "sentence_polarity.yaml"
    scratch = run_recipe(polarity, HOME / "scratch", common)
    both = f"model: {forward.folder / 'train'}, backward: {backward.folder / 'train'}, parts: [embedding, layers]"
    initial = f"training.initial={{{both}, rates: 0.385, unfreeze_every: {labelled_steps // 10}}}"
    started = run_recipe(polarity, HOME / "started", [*common, initial])
    accuracy = [100 * one.metrics["accuracy"] for one in (started, scratch)]
    name = (
        f"sentence_polarity, {LABELLED} labelled sentences, accuracy: from language models, from scratch, points more"
    )
    yield row(name, accuracy[0], peer=accuracy[1], ratio=accuracy[0] - accuracy[1], bar=None if quick else 5.0)


def _tsv(split: str) -> list[str]:
    return (CORPORA / "sentence_polarity" / f"{split}.tsv").read_text(encoding="utf-8").splitlines()[1:]


def _texts(quick: bool) -> Path:
    """Writes the texts without labels; returns the recipe of a language model of them."""
    folder = HOME / "texts"
    folder.mkdir(parents=True, exist_ok=True)
    for split in ("train", "valid"):
        own = [line.partition("\t")[2] for line in _tsv(split)]
        wiki = (CORPORA / "wikitext2" / f"{split}.txt").read_text(encoding="utf-8").lower().splitlines()
        lines = [line.strip() for line in [*own, *(wiki[:2000] if quick else wiki)] if line.strip()]
        random.Random(1).shuffle(lines)
        _write(folder / f"{split}.txt", lines)
    recipe = HOME / "reviews.yaml"
    recipe.write_text(LANGUAGE_MODEL.replace("ROOT", str(folder)), encoding="utf-8")
    return recipe


def _labels() -> list[str]:
    """Writes a corpus of few labelled sentences; returns the changes of a recipe that reads it."""
    folder = HOME / "labels"
    folder.mkdir(parents=True, exist_ok=True)
    chosen = random.Random(1).sample(_tsv("train"), LABELLED)
    for split, lines in (("train", chosen), ("valid", _tsv("valid"))):
        _write(folder / f"{split}.tsv", ["label\ttext", *lines])
    return [f"corpus.root={folder}"]


def _write(path: Path, lines: Sequence[str]) -> None:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
