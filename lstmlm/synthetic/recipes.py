"""Derives recipes: of a student, of a model for the other direction, of a run on a corpus that a model wrote."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from lstmlm.errors import UserError
from lstmlm.publish.folder import replacing
from lstmlm.recipe.recipe import Recipe
from lstmlm.recipe.sections.model import ModelSection
from lstmlm.synthetic.corpus import TRAIN, VALID
from lstmlm.task import load_task

WIDTHS = ("embedding", "units", "encoder_units")
"""Fields of `model` that a student has less of; the number of layers stays."""
MULTIPLE = 8


def written_again(recipe: Recipe, sections: Mapping[str, Any]) -> Recipe:
    """Returns a recipe of what a recipe gives, with other sections or fields at the top."""
    # What a preset gave is written out: the preset is for the network that it was chosen for.
    given = recipe.model_dump(mode="json", exclude_unset=True) | {"preset": None}
    return Recipe.model_validate({**given, **sections})


def corpus_section(folder: Path) -> dict[str, Any]:
    """Returns the `corpus` section of a recipe that reads what `write_corpus` published, which is clean already."""
    columns = {name: name for name in ("id", "source", "target")}
    return {"root": str(folder.resolve()), "train": TRAIN, "valid": VALID, **columns}


def student_of(recipe: Recipe, corpus: Path, tokenizer: Path, *, size: float, vocabulary: int) -> Recipe:
    """Returns the recipe of a student: the teacher's vocabulary, a smaller network, greedy decoding.

    Args:
        recipe: The teacher's.
        corpus: The corpus that the teacher wrote.
        tokenizer: The teacher's vocabulary.
        size: Weights that the student has at most, as a share of the teacher's.
        vocabulary: Tokens of the vocabulary.

    Raises:
        UserError: No network is as small.
    """
    decoding = recipe.decoding.model_dump(mode="json", exclude_unset=True)
    kept = {name: value for name, value in decoding.items() if name in ("precision", "backend", "max_tokens", "batch")}
    training = recipe.training.model_dump(mode="json", exclude_unset=True, exclude={"initial"})
    section = {**recipe.tokenizer.model_dump(mode="json", exclude_unset=True), "model": str(tokenizer.resolve())}
    for name in ("grows", "symbols"):
        section.pop(name, None)
    changes = {
        "name": f"{recipe.name[:30]}-student",
        "corpus": corpus_section(corpus),
        "tokenizer": section,
        "training": training,
        "model": smaller(recipe, size, vocabulary).model_dump(mode="json"),
        "decoding": {**kept, "method": "greedy"},
    }
    return written_again(recipe, changes)


def smaller(recipe: Recipe, size: float, vocabulary: int) -> ModelSection:
    """Returns the widest network of a share of a recipe's weights: all widths are scaled by one factor.

    Raises:
        UserError: No network is as small.
    """
    most = size * weights(recipe, recipe.model, vocabulary)
    widest = max(getattr(recipe.model, name) for name in WIDTHS)
    low, high = 0, widest // MULTIPLE
    while high - low > 1:  # the number of weights rises with the widths
        middle = (low + high) // 2
        if weights(recipe, _scaled(recipe.model, middle * MULTIPLE / widest), vocabulary) <= most:
            low = middle
        else:
            high = middle
    if low == 0:
        what = f"no network of the widths of this one has {size:g} of its weights or fewer"
        raise UserError(what, where="--size", hint="Ask for more")
    return _scaled(recipe.model, low * MULTIPLE / widest)


def _scaled(model: ModelSection, factor: float) -> ModelSection:
    widths = {name: max(MULTIPLE, round(factor * getattr(model, name) / MULTIPLE) * MULTIPLE) for name in WIDTHS}
    return model.model_copy(update=widths)


def weights(recipe: Recipe, model: ModelSection, vocabulary: int) -> int:
    """Returns how many numbers the network of a recipe learns, with this `model` section."""
    network = load_task(recipe.task).build(recipe.model_copy(update={"model": model}), vocabulary)
    return sum(int(variable.shape.num_elements()) for variable in network.named_variables().values())


def reverse_of(recipe: Recipe) -> Recipe:
    """Returns the recipe of the model that reads the targets and writes the sources.

    Raises:
        UserError: The recipe has no pairs.
    """
    corpus = recipe.corpus
    if corpus.target is None:
        what = f"the task {recipe.task} has no target side to translate back"
        raise UserError(what, where="corpus.target", hint="Name a recipe of pairs")
    kept = corpus.model_dump(mode="json", exclude_unset=True, exclude={"languages", "target_languages"})
    languages = {"languages": list(corpus.target_languages), "target_languages": list(corpus.languages)}
    swapped = {**kept, **languages, "source": corpus.target, "target": corpus.source}
    examples = {"max_source": recipe.examples.max_target, "max_target": recipe.examples.max_source}
    # The thresholds and the language are those of outputs of the other side.
    evaluation = recipe.evaluation.model_dump(
        mode="json", exclude_unset=True, exclude={"thresholds", "language", "against"}
    )
    changes = {
        "name": f"{recipe.name[:30]}-reverse",
        "corpus": swapped,
        "evaluation": evaluation,
        "training": recipe.training.model_dump(mode="json", exclude_unset=True, exclude={"initial"}),
        "examples": {**recipe.examples.model_dump(mode="json", exclude_unset=True), **examples},
    }
    return written_again(recipe, changes)


def augmented(recipe: Recipe, corpus: Path) -> Recipe:
    """Returns the recipe of a run on its own pairs and those that a model wrote the sources of."""
    changes = {"name": f"{recipe.name[:30]}-augmented", "corpus": corpus_section(corpus)}
    return written_again(recipe, changes)


def save_recipe(recipe: Recipe, path: Path, head: str) -> None:
    """Writes a recipe as YAML, with a comment at the top."""
    content = recipe.model_dump(mode="json", exclude_unset=True)
    text = yaml.safe_dump({k: v for k, v in content.items() if v is not None}, sort_keys=False, allow_unicode=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as stream:
        stream.write(f"# {head}\n{text}".encode())
