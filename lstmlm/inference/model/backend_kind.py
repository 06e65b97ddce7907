"""Backends of the batch job, and how one is found by the name that a recipe gives it.

Light to import: a recipe is checked with it. What computes is imported where it is used.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from lstmlm.errors import UserError
from lstmlm.plugins import Registry
from lstmlm.recipe.sections.section import names_code

if TYPE_CHECKING:
    from lstmlm.decoding.backend import Backend
    from lstmlm.recipe.sections.decoding import DecodingSection
    from lstmlm.task import Task


class BackendKind(abc.ABC):
    """A way to compute a model.

    Attributes:
        precisions: Values of `decoding.precision` that it computes in.
        version: Part of the fingerprint of what was decoded, for backends of other packages.
    """

    precisions: ClassVar[tuple[str, ...]]
    version: ClassVar[str] = "1"

    @abc.abstractmethod
    def load(
        self, folder: Path, facts: Mapping[str, Any], decoding: DecodingSection, threads: int, task: Task
    ) -> Backend:
        """Loads a model.

        Args:
            folder: The export folder.
            facts: What `lstmlm.export` wrote for the engine.
            decoding: The recipe's section.
            threads: Threads to compute with.
            task: The task of the model.
        """


BACKENDS = Registry(
    "lstmlm.backends",
    BackendKind,  # type: ignore[type-abstract]
    "BACKEND",
    "lstmlm.inference.model.backends",
)


def backend_kind(name: str) -> BackendKind:
    """Returns the backend that a recipe names in `decoding.backend`; see `Registry.load`."""
    return BACKENDS.load(name)


def refuse_code(backend: str) -> None:
    """Refuses a backend of a model folder that is code, which only a recipe may name.

    Raises:
        UserError: It is.
    """
    if names_code(backend):
        what = f"a model folder names the code {backend!r} as its backend"
        raise UserError(what, where="decoding.backend", hint="Give the recipe: only a recipe may name code")
