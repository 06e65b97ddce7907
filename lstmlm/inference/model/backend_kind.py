"""Backends of the batch job, and how one is found by the name that a recipe gives it.

Light to import: a recipe is checked with it. What computes is imported where it is used.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from lstmlm import plugins
from lstmlm.errors import UserError

if TYPE_CHECKING:
    from lstmlm.decoding.backend import Backend
    from lstmlm.recipe.sections.decoding import Decoding
    from lstmlm.task import Task

GROUP = "lstmlm.backends"
PACKAGE = "lstmlm.inference.model.backends"


class BackendKind(abc.ABC):
    """A way to compute a model.

    Attributes:
        precisions: Values of `decoding.precision` that it computes in.
        version: Part of the fingerprint of what was decoded, for backends of other packages.
    """

    precisions: ClassVar[tuple[str, ...]]
    version: ClassVar[str] = "1"

    @abc.abstractmethod
    def load(self, folder: Path, facts: Mapping[str, Any], decoding: Decoding, threads: int, task: Task) -> Backend:
        """Loads a model.

        Args:
            folder: The export folder.
            facts: What `lstmlm.export` wrote for the engine.
            decoding: The recipe's section.
            threads: Threads to compute with.
            task: The task of the model.
        """


def backend_kind(name: str) -> BackendKind:
    """Returns the backend that a recipe names in `decoding.backend`; see `lstmlm.plugins.find`.

    Raises:
        UserError: There is none of that name, or what is named is no backend.
    """
    found = plugins.find(GROUP, name, PACKAGE)
    found = getattr(found, "BACKEND", found)
    if isinstance(found, type) and issubclass(found, BackendKind):
        return found()
    if not isinstance(found, BackendKind):
        hint = "Name a subclass of `lstmlm.inference.model.backend_kind.BackendKind`"
        raise UserError(f"{name!r} is not a backend but {type(found).__name__}", where="backend", hint=hint)
    return found


def backend_version(name: str) -> list[str]:
    """Returns `name version` of a backend of another package; none for those of this one, which have the stage's."""
    return [] if name in plugins.builtin_names(PACKAGE) else [f"{name} {backend_kind(name).version}"]
