"""Distils a model of pairs at the level of sequences (Kim and Rush 2016): a student learns what its teacher writes."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from lstmlm.errors import UserError
from lstmlm.publish.manifest import read_manifest
from lstmlm.recipe.recipe import Recipe
from lstmlm.runners.runner import Runner
from lstmlm.synthetic.corpus import TEXTS, write_corpus, write_texts
from lstmlm.synthetic.recipes import save_recipe, student_of
from lstmlm.synthetic.steps import Lines, asking, decoded, read_corpus
from lstmlm.task import load_task
from lstmlm.tokenizer import Tokenizer, tokenizer_file

STUDENT = "student.yaml"
BEAM = 5
"""Hypotheses of the teacher where its recipe does not search with a beam."""


@dataclasses.dataclass(frozen=True, slots=True)
class Distilled:
    """What distilling gave.

    Attributes:
        corpus: Folder of the corpus that the teacher wrote.
        recipe: The student's recipe.
    """

    corpus: Path
    recipe: Path


def distill(
    recipe: Recipe, teacher: Path, home: Path, lines: Lines, *, size: float = 0.5, runner: Runner | None = None
) -> Distilled:
    """Has a teacher translate the train split, and derives the recipe of a student that learns from it.

    Every step is a finished folder in `home`, so the same command resumes. The manifest of the corpus names the
    teacher (`lineage`), and so do those of all that is made from it, up to the student's export.

    Args:
        recipe: The teacher's recipe. Where it does not ask for a beam, the teacher searches with one of 5.
        teacher: Its export folder.
        home: Folder for the steps and the student's recipe.
        lines: Shows the steps.
        size: Weights of the student, as a share of the teacher's at most.
        runner: Where Beam runs.

    Raises:
        UserError: The task is not of pairs, the export is not of this recipe, or no student is as small.
    """
    if not load_task(recipe.task).has_targets:
        what = f"the task {recipe.task} has no outputs that a student could learn from"
        raise UserError(what, where="task", hint="Name a recipe of pairs")
    model = read_manifest(teacher, "export", verify=True)
    vocabulary = tokenizer_file(teacher)
    words = Tokenizer(vocabulary)
    student = student_of(recipe, home / "corpus", vocabulary, size=size, vocabulary=words.size)
    records = read_corpus(recipe, home, lines, runner)
    texts = home / "texts"
    lines.step("texts", texts, lambda progress: write_texts(records, texts))
    asked = asking(_with_beam(recipe), teacher, {"field": "text", "id": "id"})
    predictions = decoded(asked, teacher, texts / TEXTS, home, lines, runner)
    corpus = home / "corpus"
    lineage = {"teacher": model.fingerprint, "predictions": read_manifest(predictions).fingerprint}
    lines.step(
        "corpus", corpus, lambda progress: write_corpus(records, predictions, corpus, lineage, target_side=False)
    )
    save_recipe(student, home / STUDENT, f"A student of {recipe.name}, derived by `lstmlm distill`.")
    return Distilled(corpus, home / STUDENT)


def _with_beam(recipe: Recipe) -> Recipe:
    decoding = recipe.decoding
    if decoding.method == "beam":
        return recipe.model_copy(update={"decoding": decoding.model_copy(update={"n_best": 1})})
    return recipe.model_copy(
        update={"decoding": decoding.model_copy(update={"method": "beam", "beam": BEAM, "n_best": 1})}
    )
