"""Checks a foreign tokenizer in a child process, which it may crash or hang, before loading it here."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

from lstmlm.errors import UserError
from lstmlm.processes.child import ChildDied, Children

MOST_BYTES = 128_000_000
"""No tokenizer that is known to us has a third of it."""
_CHECKERS = Children("lstmlm.tokenizer.foreign.check_child")


def check_file(path: Path, field: str) -> None:
    """Checks that a path is a file of a size that a tokenizer may have.

    Raises:
        UserError: It is not.
        OSError: It cannot be looked at.
    """
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise UserError(f"{path} is not a file", where=field, hint="Name a file")
    if found.st_size > MOST_BYTES:
        what = f"{path} has {found.st_size} bytes; a tokenizer may have {MOST_BYTES}"
        raise UserError(what, where=field, hint="Name a tokenizer")


def check_loads(path: Path, shown: Path, field: str, hint: str) -> None:
    """Checks that a tokenizer loads and cuts texts within the memory and the time that a child has.

    Args:
        path: The file; its ending says its kind.
        shown: What messages call it.
        field: The field that names it.
        hint: What to do where it is no tokenizer.

    Raises:
        UserError: It does not.
    """
    try:
        with _CHECKERS.child() as child:
            child.busy = True
            child.send(json.dumps(os.path.abspath(path)).encode())
            answer = json.loads(child.receive())
            child.busy = False
    except ChildDied as death:
        raise UserError(f"{shown} cannot be used: {death}", where=field, hint=hint) from death
    if answer["what"] is None:
        raise UserError(f"{shown} is not a SentencePiece model", where=field, hint=hint)
    if answer["what"]:
        raise UserError(answer["what"], where=str(shown), hint=answer.get("hint", hint))
