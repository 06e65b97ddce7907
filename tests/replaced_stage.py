"""A program that is `lstmlm` with the body of one stage replaced, for tests of how a process ends."""

from __future__ import annotations

import textwrap
from pathlib import Path

WORDS = ["run.py", "tokenizer", "small.yaml", "--records", "r", "-o", "out"]
"""The arguments of Python that start it, in its folder."""
_RECIPE = "name: small\ntask: generate\ncorpus: {train: train.txt}\n"
_PROGRAM = """
import os, signal, subprocess, sys, threading, time, types
from pathlib import Path
from lstmlm.errors import UserError
from lstmlm.publish.folder import publish
def train_tokenizer(recipe, records, output, progress):
%s
module = types.ModuleType("lstmlm.vocabulary.stage")
module.train_tokenizer = train_tokenizer
sys.modules["lstmlm.vocabulary.stage"] = module
if __name__ == "__main__":
    from lstmlm.cli import main
    main(%s)
"""


def write_program(folder: Path, body: str, *, supervised: bool) -> None:
    """Writes the program and its recipe.

    Args:
        folder: Where to.
        body: What the tokenizer stage does.
        supervised: Whether a parent waits for it where memory is limited, as one does for the console script.
    """
    (folder / "small.yaml").write_text(_RECIPE, encoding="utf-8")
    script = _PROGRAM % (textwrap.indent(textwrap.dedent(body), "    "), "" if supervised else "sys.argv[1:]")
    (folder / "run.py").write_text(script, encoding="utf-8")
