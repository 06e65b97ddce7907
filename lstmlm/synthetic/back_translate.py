"""Back-translation (Sennrich et al. 2016): a reverse model writes sources for texts of the target side."""

from __future__ import annotations

from pathlib import Path

from lstmlm.publish.manifest import read_manifest
from lstmlm.recipe.recipe import Recipe
from lstmlm.runners.runner import Runner
from lstmlm.synthetic.corpus import write_corpus
from lstmlm.synthetic.recipes import augmented, reverse_of, save_recipe
from lstmlm.synthetic.steps import Lines, asking, decoded, read_corpus

REVERSE, AUGMENTED = "reverse.yaml", "augmented.yaml"


def write_reverse(recipe: Recipe, home: Path) -> Path:
    """Writes the recipe of the model that reads targets and writes sources; returns its file.

    Raises:
        UserError: The recipe has no pairs.
    """
    path = home / REVERSE
    save_recipe(reverse_of(recipe), path, f"The other direction of {recipe.name}, for `lstmlm back-translate`.")
    return path


def back_translate(
    recipe: Recipe,
    reverse: Path,
    text: Path,
    home: Path,
    lines: Lines,
    *,
    field: str = "text",
    runner: Runner | None = None,
) -> Path:
    """Writes sources for texts of the target side, and a recipe that learns from them and the recipe's own pairs.

    Every step is a finished folder in `home`, so the same command resumes. The manifest of the corpus names the
    reverse model and the texts (`lineage`), and so do those of all that is made from it.

    Args:
        recipe: The recipe of the forward model.
        reverse: Export folder of the reverse model.
        text: Texts of the target side: a file, a folder or a glob.
        home: Folder for the steps and the new recipe.
        lines: Shows the steps.
        field: Column or key of the text in its files.
        runner: Where Beam runs.

    Returns:
        The file of the new recipe.

    Raises:
        UserError: The recipe has no pairs, or the export or the texts cannot be used.
    """
    model = read_manifest(reverse, "export", verify=True)
    backward = reverse_of(recipe)
    records = read_corpus(recipe, home, lines, runner)
    asked = asking(backward, reverse, {"field": field, "id": None})
    predictions = decoded(asked, reverse, text, home, lines, runner)
    corpus = home / "corpus"
    lineage = {"reverse": model.fingerprint, "predictions": read_manifest(predictions).fingerprint}
    lines.step("corpus", corpus, lambda progress: write_corpus(records, predictions, corpus, lineage, target_side=True))
    path = home / AUGMENTED
    save_recipe(
        augmented(recipe, corpus), path, f"{recipe.name} with back-translated pairs, by `lstmlm back-translate`."
    )
    return path
