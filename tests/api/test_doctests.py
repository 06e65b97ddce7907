"""The examples in the docstrings of what `lstmlm` promises are right."""

from __future__ import annotations

import doctest
import importlib

import lstmlm


def test_the_examples_of_the_public_docstrings_are_right() -> None:
    homes = sorted({getattr(lstmlm, name).__module__ for name in lstmlm.__all__ if name != "__version__"})
    results = [doctest.testmod(importlib.import_module(home)) for home in homes]
    assert sum(result.failed for result in results) == 0
    assert sum(result.attempted for result in results) >= 3
