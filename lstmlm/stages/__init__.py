"""The stages of a run: one table, which commands, components, pipelines and documentation follow."""

from lstmlm.stages.find import (
    node_of,
    paths_read,
    pipeline_stages,
    sections_read,
    stage_named,
    stage_of_node,
    stages_before,
)
from lstmlm.stages.stage import Input, Node, Stage
from lstmlm.stages.table import STAGES

__all__ = [
    "STAGES",
    "Input",
    "Node",
    "Stage",
    "node_of",
    "paths_read",
    "pipeline_stages",
    "sections_read",
    "stage_named",
    "stage_of_node",
    "stages_before",
]
