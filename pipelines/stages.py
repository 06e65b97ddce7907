"""The stages as users name them, and the nodes of the pipeline they correspond to."""

from __future__ import annotations

import dataclasses
import difflib

from lstmlm.errors import UserError


@dataclasses.dataclass(frozen=True, slots=True)
class Stage:
    """One step of the pipeline.

    Attributes:
        name: What users call it.
        node: Id of its node in the pipeline.
        output: Key of its main output.
        inside: Folder of that output that holds the published result; empty: the output itself.
        lookup: It only finds what is there already, so it counts as cached.
    """

    name: str
    node: str
    output: str
    inside: str = ""
    lookup: bool = False


STAGES = (
    Stage("ingest", "Ingest", "records"),
    Stage("statistics", "StatisticsGen", "statistics"),
    Stage("schema", "SchemaGen", "schema"),
    Stage("validate", "ExampleValidator", "anomalies"),
    Stage("tokenizer", "Tokenizer", "tokenizer"),
    Stage("examples", "BuildExamples", "examples"),
    Stage("train", "Trainer", "model"),
    Stage("export", "Exporter", "model", inside="Format-Serving"),
    Stage("resolve", "LatestBlessedModel", "model", inside="Format-Serving", lookup=True),
    Stage("evaluate", "Evaluator", "evaluation"),
    Stage("push", "Pusher", "pushed_model"),
    Stage("infer", "Inference", "predictions"),
)
"""In an order they can run in."""

_BY_NAME = {stage.name: stage for stage in STAGES}
_BY_NODE = {stage.node: stage for stage in STAGES}


def stage_named(name: str) -> Stage:
    """Returns a stage by the name users give it.

    Raises:
        UserError: There is none of that name.
    """
    if name in _BY_NAME:
        return _BY_NAME[name]
    close = difflib.get_close_matches(name, list(_BY_NAME), n=1)
    hint = f"Did you mean `{close[0]}`?" if close else f"There are: {', '.join(_BY_NAME)}"
    raise UserError(f"no stage named {name!r}", where="--stage", hint=hint)


def stage_of_node(node: str) -> Stage:
    """Returns the stage of a node of the pipeline."""
    return _BY_NODE[node]
