"""Rows of the judge: how well a language model of WikiText-2 distinguishes texts, and what its reranking gains."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from table import Row, row
from task_runs import RECIPES, WORK, Result, run_recipe

HOME = WORK / "judge"
STEPS = 400
TOKENS, TEXTS, SPLITS = 48, 1600, 20
CHANGES = (
    "tokenizer.algorithm=unigram",
    "tokenizer.vocabulary=4000",
    'tokenizer.symbols=["<unk>"]',
    "model.softmax=full",
    "model.cutoffs=[]",
    "model.embedding=128",
    "model.units=256",
    "model.weight_drop=0",
    "model.embedding_dropout=0",
    "training.workers=1",
    "training.threads=2",
    "evaluation.thresholds={}",
)


def rows(quick: bool) -> Iterator[Row]:
    """Yields the rows; see the module."""
    steps = 40 if quick else STEPS
    changes = [*CHANGES, f"training.steps={steps}", f"training.evaluate_every={max(20, steps // 5)}"]
    stages = ["ingest", "tokenizer", "examples", "train", "export"]
    made = run_recipe(RECIPES / "wikitext2.yaml", HOME / "wikitext2", changes, stages)
    unigram, same = _known(made, changes)
    yield row("accuracy, training text against a unigram's", unigram.accuracy, bar=0.95)
    yield row("AUC, training text against a unigram's", unigram.hidden.value, bar=0.95)
    held = [one.hidden.low <= 0.5 <= one.hidden.high for one in same]
    yield row("AUC, real against real, mean of 20 splits", sum(one.hidden.value for one in same) / len(same))
    yield row("the same: lower end of the first interval", same[0].hidden.low, bar=0.5, at_most=True)
    yield row("the same: upper end of it", same[0].hidden.high, bar=0.5)
    yield row("the same: share of the intervals that have 0.5 in them", sum(held) / len(held), bar=0.9)
    found = _own(made, changes)
    yield row("AUC, real against the model's samples, by a head on its LSTM", found["judge_auc"])
    yield row("AUC, real against the model's samples, by their likelihood", found["judge_likelihood_auc"])
    one, best = found["judge_one_sample_auc"], found["judge_reranked_auc"]
    yield row("AUC of the best of 4 samples, against one sample", best, peer=one, ratio=one / best, bar=1.0)


def _recipe(changes: Sequence[str]) -> Any:
    from lstmlm.recipe.file import load_recipe

    return load_recipe(RECIPES / "wikitext2.yaml", changes)


def _known(made: Result, changes: Sequence[str]) -> tuple[Any, list[Any]]:
    """Returns verdicts on texts of known kinds: of train against a unigram's, and of valid against others of it."""
    import numpy as np

    from lstmlm.evaluation.judge.reading import read
    from lstmlm.evaluation.judge.run import generator
    from lstmlm.evaluation.judge.verdict import verdict
    from lstmlm.records.shards import records_in
    from lstmlm.task import load_task
    from lstmlm.tokenizer import Tokenizer

    export = made.folder / "export"
    network = generator(export, _recipe(changes), load_task("generate"))
    words, draws = Tokenizer(export / "tokenizer.model"), np.random.default_rng(1)

    def texts(split: str) -> list[list[int]]:
        rows = (words.encode(record.source) for record in records_in(made.folder / "ingest", split))
        long = [ids[:TOKENS] for ids in rows if len(ids) >= TOKENS]
        return [long[place] for place in draws.permutation(len(long))[:TEXTS].tolist()]

    learnt, held_out = texts("train"), texts("valid")
    every = np.array([token for ids in learnt for token in ids])
    drawn = draws.choice(every, [len(learnt), TOKENS]).tolist()
    real, unigram, others = (read(network, some, [0] * len(some)) for some in (learnt, drawn, held_out))
    half, same = len(held_out) // 2, []
    for _ in range(SPLITS):
        order = draws.permutation(len(held_out))
        same.append(verdict(others.some(order[:half]), others.some(order[half : 2 * half]), seed=1))
    return verdict(real, unigram, seed=1), same


def _own(made: Result, changes: Sequence[str]) -> dict[str, Any]:
    """Returns the metrics of `lstmlm judge`."""
    from lstmlm.evaluation.judge.run import judge
    from lstmlm.progress import Silent

    manifest = judge(_recipe(changes), made.folder / "export", made.folder / "ingest", made.folder / "judge", Silent())
    return manifest.facts
