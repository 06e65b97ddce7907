"""A row of question answering: a reader that starts from two language models against one from random weights.

The language models, one in each direction, read WikiText-2 and the passages and questions of the train split of the
SQuAD re-split, without answers. Both readers have the same network, vocabulary and steps. WikiText-2 is written with
spaces around signs, which are taken out first: a piece would be another one there than in a passage.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from pathlib import Path

from documents import CORPORA
from table import Row, row
from task_runs import RECIPES, WORK, both_ways, run_recipe

HOME = WORK / "answer_pretrained"
STEPS, READER_STEPS = 2500, 4000
STAGES = ("ingest", "tokenizer", "examples", "train", "export", "evaluate")
FEW = 2000
"""Lines of a quick run."""
LANGUAGE_MODEL = """
name: passages
task: generate
corpus: {root: ROOT, train: train.txt, valid: valid.txt}
tokenizer: {vocabulary: 8000}
examples: {window: 64}
model: {embedding: 128, units: 96, dropout: 0.1}
training:
  {batch: 32, learning_rate: 0.003, warmup: 200, evaluate_every: 500, checkpoint_every: 500, workers: 1, threads: 2}
"""
_JOINED = (
    (re.compile(r" @(.)@ "), r"\1"),
    (re.compile(r" ([,.;:!?%)\]'’])"), r"\1"),
    (re.compile(r"([(\[$£]) "), r"\1"),
    (re.compile(r'" ([^"]*) "'), r'"\1"'),
)


def rows(quick: bool) -> Iterator[Row]:
    """Yields the row; see the module."""
    steps, reader_steps = (40, 20) if quick else (STEPS, READER_STEPS)
    recipe = _texts(quick)
    forward, backward = both_ways(recipe, HOME, steps)
    common = [
        f"tokenizer.model={forward.vocabulary}",
        "training.workers=1",
        "training.threads=2",
        "evaluation.thresholds={}",
    ]
    common += [f"training.steps={reader_steps}", f"training.evaluate_every={max(20, reader_steps // 9)}"]
    common += ["evaluation.max_records=50", "training.evaluate_batches=4"] if quick else []
    ways = f"model: {forward.folder / 'train'}, backward: {backward.folder / 'train'}"
    initial = f"training.initial={{{ways}, parts: [embedding, layers], rates: 0.385}}"
    reader = RECIPES / "squad.yaml"
    scratch = run_recipe(reader, HOME / "scratch", common, STAGES)
    started = run_recipe(reader, HOME / "started", [*common, initial], STAGES)
    f1 = [one.metrics["f1"] for one in (started, scratch)]
    name = "squad_v1_dev, F1: from language models, from scratch, points more"
    yield row(name, f1[0], peer=f1[1], ratio=f1[0] - f1[1], bar=None if quick else 3.0)


def _texts(quick: bool) -> Path:
    """Writes the texts; returns the recipe of a language model of them."""
    folder = HOME / "texts"
    folder.mkdir(parents=True, exist_ok=True)
    for split in ("train", "valid"):
        wiki = (CORPORA / "wikitext2" / f"{split}.txt").read_text(encoding="utf-8").splitlines()
        lines = [joined(line) for line in (wiki[:FEW] if quick else wiki)]
        with (CORPORA / "squad_v1_dev" / f"{split}.jsonl").open(encoding="utf-8") as records:
            found = [json.loads(line) for line in records]
        lines += [*dict.fromkeys(one["context"] for one in found), *(one["question"] for one in found)]
        lines = [" ".join(line.split()) for line in lines if line.strip()]
        random.Random(1).shuffle(lines)
        (folder / f"{split}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    recipe = HOME / "passages.yaml"
    recipe.write_text(LANGUAGE_MODEL.replace("ROOT", str(folder)), encoding="utf-8")
    return recipe


def joined(line: str) -> str:
    """Returns a line of WikiText-2 as text is usually written."""
    for pattern, by in _JOINED:
        line = pattern.sub(by, line)
    return line
