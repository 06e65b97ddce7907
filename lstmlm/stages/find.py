"""Looks up stages by name, by pipeline node and by dependency."""

from __future__ import annotations

import difflib

from lstmlm.errors import UserError
from lstmlm.stages.stage import Node, Stage
from lstmlm.stages.table import STAGES


def pipeline_stages() -> list[Stage]:
    """Returns the stages of the pipeline, in an order they can run in."""
    return [stage for stage in STAGES.values() if stage.node is not None]


def stage_named(name: str) -> Stage:
    """Returns a stage of the pipeline by the name users give it.

    Raises:
        UserError: There is none of that name.
    """
    known = {stage.name: stage for stage in pipeline_stages()}
    if name in known:
        return known[name]
    close = difflib.get_close_matches(name, list(known), n=1)
    hint = f"Did you mean `{close[0]}`?" if close else f"There are: {', '.join(known)}"
    raise UserError(f"no stage named {name!r}", where="--stage", hint=hint)


def stage_of_node(node: str) -> Stage:
    """Returns the stage of a node of the pipeline."""
    return next(stage for stage in pipeline_stages() if node_of(stage).id == node)


def node_of(stage: Stage) -> Node:
    """Returns the node of a stage of the pipeline.

    Raises:
        LookupError: It is a command only.
    """
    if stage.node is None:
        raise LookupError(f"stage {stage.name} is not a part of the pipeline")
    return stage.node


def stages_before(stage: Stage) -> tuple[str, ...]:
    """Returns the names of the stages that the pipeline runs before this one, right before it, sorted."""
    after = stage.node.after if stage.node is not None else ()
    return tuple(sorted({*(one.upstream for one in stage.inputs), *after}))


def sections_read(stage: Stage) -> frozenset[str]:
    """Returns the fields and sections at the top of the recipe that a stage and those before it depend on.

    What an earlier stage depends on decides the later ones anyway, so a stage may see it at no cost to the cache.
    """
    return frozenset(path.partition(".")[0] for path in paths_read(stage))


def paths_read(stage: Stage) -> frozenset[str]:
    """Returns what decides a stage's result and those before it: sections, and single fields as `section.field`."""
    return frozenset({*stage.decides}.union(*(paths_read(STAGES[one.stage]) for one in stage.inputs)))
