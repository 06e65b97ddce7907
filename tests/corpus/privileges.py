"""Lets a test meet closed doors even where it runs as root."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

_NOBODY = 65534


@contextlib.contextmanager
def not_root() -> Iterator[None]:
    """Gives up the rights of root, if the process has them, until the block ends."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(_NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
