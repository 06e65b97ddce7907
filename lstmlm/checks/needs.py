"""What a command depends on, so that it is checked before any work: inputs, and packages of extras."""

from __future__ import annotations

import importlib.util

from lstmlm.errors import UserError

CORPUS, TOKENIZER, EXPORT, INFERENCE, EARLIER = "corpus", "tokenizer", "export", "inference", "earlier"
"""The corpus, a given vocabulary, what an export can hold, the input of the batch job, earlier models."""
EVERYTHING = (CORPUS, TOKENIZER, EXPORT, INFERENCE, EARLIER)


def need_package(module: str, extra: str) -> None:
    """Checks that a package of an extra is installed.

    Raises:
        UserError: It is not.
    """
    if importlib.util.find_spec(module) is None:
        hint = f"Install it: pip install 'lstmlm[{extra}]'"
        raise UserError(f"this command needs {module}, which is not installed", hint=hint)
