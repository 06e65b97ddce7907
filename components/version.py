"""The code version of a component, which is a part of its cache key. Imports no TFX."""

from __future__ import annotations

from lstmlm.stages import Stage

EXECUTOR_VERSION = 2
"""Raise it when the executor or a hook changes what it writes; a change of a stage raises the stage's own."""


def code_version(stage: Stage) -> str:
    """Returns what represents the code of a component in its cache key: TFX does not see a change of code."""
    return f"{EXECUTOR_VERSION}.{stage.version}"
