from __future__ import annotations

import random
import string
from pathlib import Path

import pytest

RECIPE = """\
name: tiny
task: generate
output: {folder}/runs
corpus: {{root: {folder}, train: train.txt, valid_fraction: 0.2, shards: 2}}
tokenizer: {{vocabulary: 310}}
examples: {{window: 16}}
model: {{embedding: 16, units: 16}}
training: {{steps: 4, batch: 8, warmup: 1, evaluate_every: 4, evaluate_batches: 2, checkpoint_every: 4, workers: 1}}
evaluation: {{max_records: 8, thresholds: {{perplexity: {{max: 1000000}}}}}}
decoding: {{max_tokens: 4, batch: 8}}
inference: {{max_records: 8}}
"""


@pytest.fixture
def tiny_recipe(tmp_path: Path) -> Path:
    """A recipe that takes seconds, with its corpus; all paths are absolute."""
    draw = random.Random(1)
    words = ["".join(draw.choices(string.ascii_lowercase, k=draw.randint(2, 6))) for _ in range(200)]
    lines = (" ".join(draw.choices(words, k=8)) for _ in range(400))
    (tmp_path / "train.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    recipe = tmp_path / "tiny.yaml"
    recipe.write_text(RECIPE.format(folder=tmp_path), encoding="utf-8")
    return recipe
