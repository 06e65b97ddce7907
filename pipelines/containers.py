"""What the containers of a run have in common on Kubeflow and on Kubernetes, and how both are written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from lstmlm.publish.folder import replacing
from lstmlm.recipe.recipe import Recipe

IMAGE = "lstmlm:latest"
"""What `deploy/docker` builds."""
SHARED_MEMORY = "2Gi"
"""Of a container in which Ray runs: its object store is there."""


def image_of(recipe: Recipe, image: str | None) -> str:
    """Returns the image of the containers: the one that is given, else the recipe's, else `IMAGE`."""
    return image or recipe.cluster.image or IMAGE


def write_documents(documents: Iterable[Mapping[str, Any]], output: Path, *, sort_keys: bool) -> None:
    """Writes one YAML file of several documents."""
    output.parent.mkdir(parents=True, exist_ok=True)
    with replacing(output) as stream:
        text = yaml.safe_dump_all(documents, sort_keys=sort_keys, allow_unicode=True, width=1_000_000)
        stream.write(text.encode())
