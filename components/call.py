"""Calls the stage of a component on the folders of its artifacts. Imports no TFX, which takes many seconds."""

from __future__ import annotations

from collections.abc import Mapping

from components.hooks import Call, Handed, hook_of
from components.runtime import Runtime
from lstmlm.publish.folder import written_once
from lstmlm.recipe.recipe import Recipe
from lstmlm.stages import STAGES, Stage, node_of


def call_stage(
    stage: Stage, recipe: Recipe, inputs: Mapping[str, Handed], outputs: Mapping[str, Handed], runtime: Runtime
) -> None:
    """Runs a stage; its hook does what TFX asks for around it.

    Args:
        stage: Its row of the table.
        recipe: The run.
        inputs: Key of the component's input -> artifact.
        outputs: Key of the component's output -> artifact; the hook sets properties of some.
        runtime: The surroundings of the component.

    Raises:
        UserError: What the stage or its hook raises.
    """
    hook, node = hook_of(stage), node_of(stage)
    named = {one.name: inputs[one.key] for one in stage.inputs}
    call = Call(named, outputs, outputs[node.output].path / node.inside)
    hook.before(call)
    folders = {one.name: named[one.name].path / node_of(STAGES[one.upstream]).inside for one in stage.inputs}
    with written_once():
        stage.load()(recipe, output=call.output, progress=runtime.progress, **folders, **hook.arguments(runtime))
    hook.after(call)
