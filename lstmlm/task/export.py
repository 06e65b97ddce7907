"""The part of a task that publishes a model."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    import tensorflow as tf

    from lstmlm.models.base import Trainable
    from lstmlm.recipe.recipe import Recipe
    from lstmlm.tokenizer import Tokenizer


class ExportSide(abc.ABC):
    """From a trained model to the folder that is published."""

    hub_name: ClassVar[str] = ""
    """What the Hugging Face hub calls this kind of work (`pipeline_tag`); empty: it has no name there."""

    @abc.abstractmethod
    def serving(self, model: Trainable, tokenizer: Tokenizer, recipe: Recipe) -> tuple[tf.Module, Mapping[str, Any]]:
        """Returns what is exported as a SavedModel: a module that owns all it needs, and its functions by signature."""

    def takes_ids(self, recipe: Recipe) -> bool:
        """Says whether its SavedModel can read token ids in the place of texts, as a given `tokenizer.json` needs."""
        return True

    def check_export(self, tokenizer: Tokenizer, recipe: Recipe) -> None:  # noqa: B027  (most have nothing to refuse)
        """Refuses what cannot be exported, before the model is built.

        Raises:
            UserError: It names the field at fault.
        """

    def export_files(self, folder: Path, model: Trainable, recipe: Recipe, vocabulary: int) -> dict[str, Any]:
        """Writes what the batch job needs next to the SavedModel; returns what `model.json` says of it."""
        return {}
