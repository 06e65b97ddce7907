"""Carries a user's mistake through `tf.data`, which keeps of an exception only its text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from lstmlm.errors import UserError

_MARK = "mistake in the examples: "


def carrying(generate: Callable[[], Iterator[Any]]) -> Callable[[], Iterator[Any]]:
    """Returns a generator function for `tf.data` that raises a `UserError` so that `mistake_in` finds it again."""

    def wrapped() -> Iterator[Any]:
        try:
            yield from generate()
        except UserError as error:
            raise RuntimeError(_MARK + json.dumps([error.what, error.where, error.hint])) from error

    return wrapped


def mistake_in(error: BaseException) -> UserError | None:
    """Returns the user's mistake that an exception of TensorFlow carries; None: it carries none."""
    found = re.search(f"{_MARK}(.*)", str(error))
    if found is None:
        return None
    what, where, hint = json.loads(found[1])
    return UserError(what, where=where, hint=hint)
