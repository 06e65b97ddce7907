"""Runs a stage of this project as a step of Kubeflow. Imports no TFX."""

from __future__ import annotations

import sys

from components.call import call_stage
from components.properties import RECIPE, STAGE
from components.recipe_sections import read_sections
from components.runtime import Runtime
from lstmlm.cli.console import StageLine
from lstmlm.stages import STAGES
from pipelines.kubeflow.invocation import Invocation


def run_stage(invocation: Invocation) -> None:
    """Calls the stage that a parameter names; its progress goes to the log of the pod, a line every ten seconds.

    Raises:
        UserError: What the stage raises.
    """
    stage = STAGES[invocation.parameters[STAGE]]
    recipe = read_sections(invocation.parameters[RECIPE])
    inputs, outputs = invocation.artifacts("inputs"), invocation.artifacts("outputs")
    line = StageLine(stage.name, None, sys.stderr)
    call_stage(stage, recipe, inputs, outputs, Runtime(line))
    invocation.write_output({key: output.properties for key, output in outputs.items()})
    line.finish(None, cached=False)
