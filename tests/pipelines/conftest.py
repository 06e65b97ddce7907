from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lstmlm.progress import Silent
from lstmlm.publish.folder import publish
from lstmlm.recipe.recipe import Recipe
from lstmlm.stages import STAGES

WORDS = ("the", "small", "cat", "dog", "river", "runs", "sleeps", "near", "old", "young", "quick", "stone", "tree")


@pytest.fixture
def content(tmp_path: Path) -> dict[str, Any]:
    """The content of a tiny recipe, with its corpus."""
    lines = (" ".join(WORDS[(n * k) % len(WORDS)] for k in range(1, 9)) for n in range(1, 400))
    (tmp_path / "train.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return {
        "name": "tiny",
        "task": "generate",
        "output": str(tmp_path / "runs"),
        "corpus": {"root": str(tmp_path), "train": "train.txt", "valid_fraction": 0.2, "shards": 2},
        "training": {"steps": 2},
        "evaluation": {"thresholds": {"perplexity": {"max": 100}}},
    }


MakeRecipe = Callable[..., Recipe]


@pytest.fixture
def make_recipe(content: dict[str, Any]) -> MakeRecipe:
    """Makes the tiny recipe, with other values in some sections."""

    def make(**changes: dict[str, Any]) -> Recipe:
        merged = {name: value | changes.get(name, {}) for name, value in content.items() if isinstance(value, dict)}
        return Recipe.model_validate(content | changes | merged)

    return make


@dataclasses.dataclass
class Stages:
    """Fakes the stages after ingest: quick, and keeps count.

    Attributes:
        called: The stages called, in order.
        initial: The earlier model of each training.
        perplexity: What the evaluation finds.
        broken: Stage -> the error it raises.
    """

    called: list[str] = dataclasses.field(default_factory=list)
    initial: list[Path | None] = dataclasses.field(default_factory=list)
    perplexity: float = 50.0
    broken: dict[str, Exception] = dataclasses.field(default_factory=dict)

    def calls(self) -> list[str]:
        """Returns the stages called since the last time."""
        found, self.called = self.called, []
        return found

    def write(self, kind: str, name: str, output: Path, files: dict[str, str]) -> None:
        """Publishes files as a stage would."""
        self.called.append(name)
        with publish(output, kind, f"{kind} {len(files)}") as draft:
            for file, text in files.items():
                (draft.path / file).write_text(text, encoding="utf-8")
            if name in self.broken:
                raise self.broken[name]


@pytest.fixture
def stages(monkeypatch: pytest.MonkeyPatch) -> Stages:
    """Replaces the stages after ingest."""
    from lstmlm.evaluation.thresholds import failures

    fake = Stages()

    def tokenize(recipe: Recipe, records: Path, output: Path, progress: object) -> None:
        fake.write("tokenizer", "tokenizer", output, {"tokenizer.model": "pieces"})

    def build(recipe: Recipe, records: Path, tokenizer: Path, output: Path, progress: object) -> None:
        fake.write("examples", "examples", output, {"tokens": "1 2 3"})

    def train(
        recipe: Recipe, examples: Path, tokenizer: Path, output: Path, progress: Silent, *, ray_address: object
    ) -> None:
        progress.update(recipe.training.steps, unit="steps")
        fake.initial.append(None if recipe.training.initial is None else recipe.training.initial.model)
        fake.write("model", "train", output, {"weights.npz": str(recipe.training.steps)})

    def export(recipe: Recipe, model: Path, tokenizer: Path, output: Path, progress: object) -> None:
        weights = (model / "weights.npz").read_text(encoding="utf-8")
        files = {"saved_model.pb": weights, "weights.npz": weights, "decoding": recipe.decoding.model_dump_json()}
        fake.write("export", "export", output, files)

    def evaluate(recipe: Recipe, export: Path, records: Path, output: Path, progress: object) -> None:
        assert (export / "saved_model.pb").is_file()
        failed = failures({"perplexity": fake.perplexity}, recipe.evaluation.thresholds)
        verdict = {"metrics": {"perplexity": fake.perplexity}, "failures": failed, "blessed": not failed}
        fake.write("evaluation", "evaluate", output, {"metrics.json": json.dumps(verdict)})

    def infer(recipe: Recipe, export: Path, output: Path, progress: object, *, records: Path) -> None:
        text = (export / "saved_model.pb").read_text(encoding="utf-8")
        fake.write("predictions", "infer", output, {"predictions-00000-of-00001.jsonl": text})

    replaced = {
        "tokenizer": tokenize,
        "examples": build,
        "train": train,
        "export": export,
        "evaluate": evaluate,
        "infer": infer,
    }
    for name, function in replaced.items():
        monkeypatch.setattr(STAGES[name].function.replace(":", "."), function)
    return fake
