"""The base class of all recipe sections."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo

from lstmlm import plugins
from lstmlm.errors import UserError


class Section(BaseModel):
    """A part of the recipe. Unknown keys are errors; values do not change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Positive = Annotated[int, Field(gt=0)]
Dropout = Annotated[float, Field(ge=0.0, lt=1.0)]


def _folder(value: Path | str) -> Path | str:
    # A URL stays text: a path would lose one of its slashes.
    return Path(value) if isinstance(value, str) and "://" not in value else value


Folder = Annotated[str | Path, AfterValidator(_folder)]
"""A local folder as a path, a remote one as its URL."""


FROM_DATA = {"from_data": True}
"""Pydantic's context for what was read from a data or model file: nothing that it names may be imported."""


def names_code(name: str) -> bool:
    """Returns whether a name is `package.module:Object`, and not that of something installed for this purpose."""
    return ":" in name


@dataclasses.dataclass(frozen=True)
class Extension:
    """Says that a field names something that other packages may add; see `lstmlm.plugins`.

    Attributes:
        registry: `package.module:OBJECT` of a `lstmlm.plugins.Registry`.
        load: `package.module:function` that takes a name and returns the thing, or raises `UserError`; empty: the
            registry does.
        listed: `package.module:function` that returns the names of the built-in ones; empty: the registry does.
    """

    registry: str
    load: str = ""
    listed: str = ""

    def builtin(self) -> list[str]:
        """Returns the names of the built-in ones, without importing what they name."""
        return list(plugins.imported(self.listed)()) if self.listed else self._registry().builtin()

    def names(self) -> list[str]:
        """Returns the names that are known, without importing what they name."""
        return [*self.builtin(), *plugins.names(self._registry().group, None)]

    def thing(self, name: str) -> Any:
        """Returns the thing of a name.

        Raises:
            UserError: Nothing has it, or it cannot be imported.
        """
        return plugins.imported(self.load)(name) if self.load else self._registry().load(name)

    def check(self, name: str, info: ValidationInfo) -> str:
        """Returns the name; what a data or model file names is not imported (`FROM_DATA`).

        Raises:
            ValueError: Nothing has it, or it cannot be imported.
        """
        try:
            if names_code(name) and info.context == FROM_DATA:
                return name
            if not names_code(name) and name not in self.names():
                raise plugins.unknown(self._registry().group, name, self.names())
            if name not in self.builtin():
                self.thing(name)
        except UserError as error:
            raise ValueError(f"{error.what}. {error.hint}") from error
        return name

    def _registry(self) -> plugins.Registry[Any]:
        found: plugins.Registry[Any] = plugins.imported(self.registry)
        return found


def refuse(clashes: Iterable[str]) -> None:
    """Raises what does not go together, a line each, as `what. What to do`.

    Raises:
        ValueError: There is something.
    """
    if lines := list(clashes):
        raise ValueError("\n".join(lines))
