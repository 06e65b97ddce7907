"""TFX components: each unpacks its artifacts and calls one stage of `lstmlm`. All are made from one table.

The artifact types are found here, too: the name of a type is the path by which Kubeflow's steps import it.
"""

from __future__ import annotations

import importlib
from typing import Any


def __getattr__(name: str) -> Any:
    # Only when asked for: importing TFX takes many seconds.
    if not name[:1].isupper():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module("components.artifacts"), name)
