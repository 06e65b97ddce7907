"""The image of `deploy/docker`, built once, and a corpus that its user may read and write."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.deploy.image.engine import Engine, missing

TAG = "localhost/lstmlm:test"


@pytest.fixture(scope="session")
def engine(root: Path) -> Engine:
    """Buildah and podman; skips where they are missing."""
    if reason := missing():
        pytest.skip(f"no image can be built here: {reason}")
    return Engine(root, root / "build" / "image")


@pytest.fixture(scope="session")
def image(engine: Engine) -> str:
    """The image, from the Dockerfile as it is."""
    engine.build(TAG)
    return TAG


@pytest.fixture
def data(tiny_recipe: Path) -> Path:
    """The folder of the tiny recipe, at `/data` of a container, where user 1000 may write."""
    folder = tiny_recipe.parent
    text = tiny_recipe.read_text(encoding="utf-8").replace(str(folder), "/data")
    tiny_recipe.write_text(text, encoding="utf-8")
    for path in (folder, *folder.iterdir()):
        os.chown(path, 1000, 1000)
    return folder
