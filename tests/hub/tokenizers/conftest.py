"""Texts to train vocabularies on."""

from __future__ import annotations

from pydoc_data.topics import topics

import pytest


@pytest.fixture(scope="session")
def texts() -> list[str]:
    """Lines of Python's own help."""
    return [line for name in sorted(topics)[:12] for line in topics[name].splitlines() if line.strip()]
