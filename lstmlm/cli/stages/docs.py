"""Writes the table of stages into the documentation, so that the two cannot differ: `make docs`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from lstmlm.stages import STAGES, Input, Stage

BEGIN, END = "<!-- stages: written by `make docs` -->\n", "<!-- end of stages -->\n"


def with_table(text: str) -> str:
    """Returns a document with the table of stages between its two marks.

    Raises:
        ValueError: The marks are not there.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the marks {BEGIN.strip()} and {END.strip()} are needed")
    return f"{before}{begin}\n{stages_markdown()}\n{end}{after}"


def stages_markdown() -> str:
    """Returns the table of stages as Markdown."""
    return "".join(f"| {' | '.join(cells)} |\n" for cells in _rows())


def _rows() -> Iterator[list[str]]:
    head = ["stage", "function", "reads", "result decided by", "publishes (kind)", "component"]
    yield head
    yield ["---"] * len(head)
    for stage in STAGES.values():
        yield [stage.name, _function(stage), _inputs(stage), _decides(stage), _publishes(stage), _component(stage)]


def _function(stage: Stage) -> str:
    return f"`{stage.function.replace(':', '.')}`" if stage.function else "TFX's own"


def _inputs(stage: Stage) -> str:
    outside = ["files that the recipe names"] if stage.outside or (stage.function and not stage.inputs) else []
    return ", ".join([*outside, *map(_input, stage.inputs)])


def _input(one: Input) -> str:
    made_by = one.stage if not one.handed_by else f"{one.stage}, in the pipeline by {one.handed_by}"
    return f"`{one.name}` ({made_by}{'; optional' if one.optional else ''})"


def _decides(stage: Stage) -> str:
    return ", ".join(f"`{name}`{_without(stage, name)}" for name in stage.decides)


def _without(stage: Stage, section: str) -> str:
    """Returns which fields of a section do not decide the result, in words."""
    fields = [path.removeprefix(f"{section}.") for path in stage.ignores if path.startswith(f"{section}.")]
    return f" (without {', '.join(fields)})" if fields else ""


def _publishes(stage: Stage) -> str:
    kind = f"`{stage.kind}`" if stage.kind else ""
    return ": ".join(part for part in (kind, stage.holds or stage.help) if part)


def _component(stage: Stage) -> str:
    return f"`{stage.node.id}`" if stage.node is not None else ""


if __name__ == "__main__":
    for path in map(Path, sys.argv[1:]):
        path.write_text(with_table(path.read_text(encoding="utf-8")), encoding="utf-8")
