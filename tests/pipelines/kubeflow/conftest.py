from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from lstmlm.recipe.recipe import Recipe

WORDS = ("the", "small", "cat", "dog", "river", "runs", "sleeps", "near", "old", "young", "quick", "stone", "tree")
IMAGE = "registry.example.org/lstmlm:1"

Compiled = tuple[dict[str, Any], dict[str, Any]]
"""The specification, and what is specific to Kubernetes."""
MakeTiny = Callable[..., Recipe]


@pytest.fixture(scope="session")
def tiny() -> MakeTiny:
    """Makes a recipe that takes seconds, with its corpus, in a folder."""

    def make(folder: Path, **cluster: Any) -> Recipe:
        lines = (" ".join(WORDS[(n * k) % len(WORDS)] for k in range(1, 9)) for n in range(1, 200))
        (folder / "train.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
        return Recipe.model_validate(
            {
                "name": "tiny",
                "task": "generate",
                "output": str(folder / "runs"),
                "corpus": {"root": str(folder), "train": "train.txt", "valid_fraction": 0.2, "shards": 1},
                "tokenizer": {"vocabulary": 290},
                "examples": {"window": 8},
                "model": {"embedding": 4, "units": 4},
                "training": {"steps": 3, "batch": 4, "warmup": 1, "evaluate_batches": 1, "workers": 1},
                "evaluation": {"max_records": 4, "thresholds": {"perplexity": {"max": 1_000_000}}},
                "decoding": {"max_tokens": 2, "batch": 4},
                "inference": {"max_records": 4, "shards": 1},
                "cluster": cluster,
            }
        )

    return make


def compiled(recipe: Recipe, folder: Path) -> Compiled:
    """Compiles a recipe and reads what was written."""
    from pipelines.kubeflow.compile import compile_kubeflow

    compile_kubeflow(recipe, folder / "pipeline.yaml", IMAGE)
    specification, platform = yaml.safe_load_all((folder / "pipeline.yaml").read_text(encoding="utf-8"))
    return specification, platform
