"""What is typed or piped: one input of the model for each line."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Any

from lstmlm.errors import UserError

PROMPT = "> "


def asked(kind: str) -> Iterator[Any]:
    """Yields inputs that are typed at a terminal, until its end (Ctrl-D)."""
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401  (lets `input` edit lines and remember them)
    passage = ""
    with contextlib.suppress(EOFError):
        while True:
            if kind != "answer":
                line = input(PROMPT)
                if line.strip() or kind == "generate":
                    yield line
                continue
            passage = input("passage (empty: the last one)> ").strip() or passage
            if passage and (question := input("question> ").strip()):
                yield question, passage
    print()


def piped(kind: str) -> Iterator[Any]:
    """Yields inputs that come through a pipe, one a line.

    Raises:
        UserError: A line is not as it has to be.
    """
    for number, line in enumerate(sys.stdin, 1):
        text = line.rstrip("\n")
        if kind != "answer":
            yield text
            continue
        question, tab, passage = text.partition("\t")
        if not tab:
            hint = "Write a question, a tab and the passage on each line"
            raise UserError("no tab in this line", where=f"standard input:{number}", hint=hint)
        yield question, passage
