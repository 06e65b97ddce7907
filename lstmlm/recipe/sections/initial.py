"""`training.initial`: the earlier model that training starts from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from lstmlm.errors import UserError
from lstmlm.recipe.sections.section import Positive, Section, refuse

LAST_BLESSED = Path("last_blessed")
"""In place of a folder: the model of the last run of this pipeline that was good enough."""


def refuse_last_blessed(model: Path | None, field: str, expected: str) -> None:
    """Refuses `last_blessed` where nothing has put a folder in its place.

    Args:
        model: What the recipe names.
        field: The field of the recipe.
        expected: What it should name, such as `an export folder`.

    Raises:
        UserError: It is `last_blessed`.
    """
    if model == LAST_BLESSED:
        hint = f"Name {expected}, or leave it out"
        raise UserError("`last_blessed` is known in `lstmlm run` only", where=field, hint=hint)


PartName = Literal["embedding", "layers", "softmax"]
"""A part of a network that another one can start from."""


class Initial(Section):
    """The earlier model that training starts from, to fine-tune it (ULMFiT, Howard and Ruder 2018).

    A path by itself is its `model`.
    """

    model: Path = Field(
        description="Folder of a finished `lstmlm train` or `lstmlm export`, made with the same tokenizer, or with the "
        "one that it grew from (`tokenizer.grows`); `last_blessed`: in `lstmlm run`, the last model of this pipeline "
        "that was good enough, and random weights before there is one."
    )
    backward: Path | None = Field(
        None,
        description="Folder of a language model that reads backward, for the backward layers of a bidirectional "
        "encoder; `model` then gives the forward ones.",
    )
    parts: tuple[PartName, ...] = Field(
        (),
        description="What is taken over: `embedding`, `layers` (LSTM), `softmax` (with the embedding that it shares); "
        "absent: all of a model of the same task, `embedding` and `layers` of another one.",
    )
    freeze: tuple[PartName, ...] = Field((), description="Parts that do not learn.")
    rates: Annotated[float, Field(gt=0.0, le=1.0)] = Field(
        1.0,
        description="Factor on the learning rate of what is taken over, from each group of weights to the one below: "
        "the output is the top group, then each layer, then the embedding (ULMFiT: 0.385).",
    )
    unfreeze_every: Positive | None = Field(
        None, description="Steps after which one group more of what is taken over learns, the top one first."
    )

    resume: bool = Field(
        False,
        description="Resume the training that made `model`, on other data: its last weights, its optimizer, its step "
        "(`training.steps` counts both); needs the run folder that it was trained in.",
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        refuse(self._clashes())
        return self

    def _clashes(self) -> Iterator[str]:
        for name in ("parts", "freeze"):
            given = getattr(self, name)
            if len(set(given)) < len(given):
                yield f"{name} has a duplicate. Name each part once"
        if self.parts:
            for part in sorted({*self.freeze} - {*self.parts} - ({"embedding"} if "softmax" in self.parts else set())):
                yield f"parts does not have {part}, which is to be frozen. Name it in parts too"
        changed = [name for name in ("backward", "parts", "freeze", "unfreeze_every") if getattr(self, name)]
        if self.resume and changed:
            yield f"resume takes the whole state, and {changed[0]} is given. Leave one of them out"
        if self.backward is not None and self.parts and "layers" not in self.parts:
            yield "backward gives layers, and parts does not have them. Leave one of them out"


def as_section(value: Any) -> Any:
    """Returns a path by itself as the section that it is short for."""
    return {"model": value} if isinstance(value, str | Path) else value
