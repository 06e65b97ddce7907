"""What a job of a cluster runs: the same command as here, in the same folder, with the variables of the recipe."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from lstmlm.recipe.file import named_variables


def entrypoint(command: str, recipe: Path, run_id: str, stage: str | None, overrides: Sequence[str]) -> str:
    """Returns the line for the shell of the head node.

    The folder is that of this process: relative paths of a recipe start from it, and the cluster must see it. The shell
    becomes the command, so that the exit code, and the signal that ends it, are the command's.

    Args:
        command: How the cluster calls lstmlm; as in a shell.
        recipe: The recipe.
        run_id: The run.
        stage: The stage; None: all of them.
        overrides: `section.field=value` strings.
    """
    words = [*shlex.split(command), "run", str(recipe), "--run-id", run_id]
    words += ["--stage", stage] if stage is not None else []
    words += [word for override in overrides for word in ("--set", override)]
    return f"cd {shlex.quote(str(Path.cwd()))} && exec {shlex.join(words)}"


def recipe_variables(recipe: Path, overrides: Sequence[str]) -> dict[str, str]:
    """Returns the environment variables that a recipe names as `${NAME}`: they end up in its fields, in plain text."""
    text = "\n".join([recipe.read_text(encoding="utf-8", errors="replace"), *overrides])
    return {name: os.environ[name] for name in named_variables(text) if name in os.environ}
