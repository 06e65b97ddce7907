"""Runs the stages of a recipe in this process, the worker of training too: Ray takes a minute to start."""

from __future__ import annotations

from pathlib import Path

import pytest

from lstmlm.corpus.ingest import ingest
from lstmlm.evaluation.run import evaluate
from lstmlm.examples.build import build_examples
from lstmlm.export import export
from lstmlm.progress import Silent
from lstmlm.recipe.recipe import Recipe
from lstmlm.training.run import train
from lstmlm.training.workers import distributed
from lstmlm.training.workers.all_reduce import SingleWorker
from lstmlm.training.workers.worker import train_worker
from lstmlm.vocabulary.stage import train_tokenizer


def train_here(recipe: Recipe, examples: Path, tokenizer: Path, work: Path, address: str | None) -> None:
    """Takes the place of `lstmlm.training.workers.distributed.train_on_ray`."""
    train_worker(recipe, examples, tokenizer, work, SingleWorker(), lambda row: None)


def run_stages(recipe: Recipe, folder: Path) -> None:
    """Runs the stages up to the evaluation, each into a folder of its own."""
    names = ("records", "tokenizer", "examples", "model", "export", "evaluation")
    records, tokenizer, examples, model, exported, evaluation = (folder / name for name in names)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(distributed, "train_on_ray", train_here)
        ingest(recipe, records, Silent())
        train_tokenizer(recipe, records, tokenizer, Silent())
        build_examples(recipe, records, tokenizer, examples, Silent())
        train(recipe, examples, tokenizer, model, Silent())
        export(recipe, model, tokenizer, exported, Silent())
        evaluate(recipe, exported, records, evaluation, Silent())
