"""The inputs and packages that a command depends on, so that they are checked before any work."""

from __future__ import annotations

import importlib.util

from lstmlm.errors import UserError

CORPUS, TOKENIZER, EXPORT, INFERENCE, EARLIER = "corpus", "tokenizer", "export", "inference", "earlier"
"""The corpus, a given vocabulary, what an export can hold, the input of the batch job, earlier models."""
EVERYTHING = (CORPUS, TOKENIZER, EXPORT, INFERENCE, EARLIER)


def need_package(module: str, extra: str) -> None:
    """Refuses a command whose packages are not installed.

    Args:
        module: A module of theirs.
        extra: The extra of this package that brings them.

    Raises:
        UserError: There is no such module.
    """
    if importlib.util.find_spec(module) is None:
        hint = f"Install it: pip install 'lstmlm[{extra}]'"
        raise UserError(f"this command needs {module}, which is not installed", hint=hint)
