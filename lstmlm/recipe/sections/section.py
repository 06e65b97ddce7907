"""What all sections of a recipe are made of."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


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


def refuse(clashes: Iterable[str]) -> None:
    """Raises what does not go together, a line each, as `what. What to do`.

    Raises:
        ValueError: There is something.
    """
    if lines := list(clashes):
        raise ValueError("\n".join(lines))
