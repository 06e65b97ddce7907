"""A teacher's outputs become a student's corpus, a reverse model's outputs new pairs; the models are untrained."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lstmlm.corpus.ingest import ingest
from lstmlm.errors import UserError
from lstmlm.examples.build import build_examples
from lstmlm.export import export
from lstmlm.inference.model.loading import load_text_model
from lstmlm.progress import Progress, Silent
from lstmlm.publish.folder import Manifest, read_manifest
from lstmlm.recipe.file import load_recipe, parse_recipe
from lstmlm.recipe.recipe import Recipe
from lstmlm.recipe.sections.decoding import DecodingSection
from lstmlm.records.shards import records_in
from lstmlm.synthetic.back_translate import back_translate, write_reverse
from lstmlm.synthetic.distill import distill
from lstmlm.synthetic.recipes import smaller, weights
from lstmlm.vocabulary.stage import train_tokenizer
from tests.tiny import PAIRS, untrained

pytestmark = pytest.mark.slow


class Steps:
    """Runs the steps, and keeps their names."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def step(self, name: str, folder: Path, work: Callable[[Progress], Manifest]) -> Manifest:
        self.names.append(name)
        return work(Silent())


def recipe_of(stages: Path, *changes: str) -> Recipe:
    return parse_recipe(PAIRS, "pairs", [f"corpus.root={stages}", "decoding.max_tokens=6", *changes])


@pytest.fixture(scope="module")
def teacher(pair_stages: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export of the recipe of pairs."""
    folder = tmp_path_factory.mktemp("teacher")
    untrained(recipe_of(pair_stages), pair_stages / "tokenizer", folder / "model")
    export(recipe_of(pair_stages), folder / "model", pair_stages / "tokenizer", folder / "export", Silent())
    return folder / "export"


@pytest.fixture(scope="module")
def distilled(pair_stages: Path, teacher: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What distilling wrote."""
    home = tmp_path_factory.mktemp("distilled")
    distill(recipe_of(pair_stages), teacher, home, Steps())
    return home


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_student_learns_what_the_teacher_s_beam_writes_for_the_train_split(
    pair_stages: Path, teacher: Path, distilled: Path
) -> None:
    rows = lines(distilled / "corpus/train-synthetic.jsonl")
    records = list(records_in(pair_stages / "records", "train"))
    model = load_text_model(teacher, decoding=DecodingSection(method="beam", beam=5, max_tokens=6))
    written = [output.text for output in model.generate([record.source for record in records], [1] * len(records))]
    expected = [(r.id, r.source, text) for r, text in zip(records, written, strict=True) if text.strip()]
    assert [(row["id"], row["source"], row["target"]) for row in rows] == expected
    facts = read_manifest(distilled / "corpus", "corpus").facts
    assert facts["synthetic"] + facts["empty_outputs"] == len(records)
    held_out = [(r.id, r.source, r.targets[0]) for r in records_in(pair_stages / "records", "valid")]
    assert [(row["id"], row["source"], row["target"]) for row in lines(distilled / "corpus/valid.jsonl")] == held_out


def test_the_student_s_recipe_is_half_the_size_and_greedy(pair_stages: Path, distilled: Path) -> None:
    teacher, student = recipe_of(pair_stages), load_recipe(distilled / "student.yaml")
    vocabulary = 500
    assert weights(student, student.model, vocabulary) <= 0.5 * weights(teacher, teacher.model, vocabulary)
    assert student.model.layers == teacher.model.layers
    assert student.decoding.method == "greedy"
    assert student.training.steps == teacher.training.steps
    assert student.name == "pairs-student"


def test_manifests_name_the_teacher_from_the_corpus_to_the_examples(teacher: Path, distilled: Path) -> None:
    student, made = load_recipe(distilled / "student.yaml"), distilled / "student"
    ingest(student, made / "records", Silent())
    words = train_tokenizer(student, made / "records", made / "tokenizer", Silent())
    assert words.files["tokenizer.model"] == read_manifest(teacher).files["tokenizer.model"]  # the same vocabulary
    examples = build_examples(student, made / "records", made / "tokenizer", made / "examples", Silent())
    lineage = {"teacher": read_manifest(teacher).fingerprint}
    lineage["predictions"] = read_manifest(distilled / "predictions").fingerprint
    assert examples.facts["lineage"] == lineage
    untrained(student, made / "tokenizer", made / "model")


def test_the_same_command_again_does_nothing_twice(pair_stages: Path, teacher: Path, distilled: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in sorted(distilled.glob("*/manifest.json"))}
    steps = Steps()
    distill(recipe_of(pair_stages), teacher, distilled, steps)
    assert steps.names == ["ingest", "texts", "infer", "corpus"]
    assert {path: path.stat().st_mtime_ns for path in before} == before


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_a_smaller_network_is_the_widest_within_its_share(pair_stages: Path, share: float) -> None:
    recipe = recipe_of(pair_stages, "model.units=64", "model.embedding=32", "model.encoder_units=32")
    most = share * weights(recipe, recipe.model, 500)
    found = smaller(recipe, share, 500)
    assert weights(recipe, found, 500) <= most
    assert (
        weights(
            recipe,
            found.model_copy(
                update={
                    "units": found.units + 8,
                    "embedding": found.embedding + 8,
                    "encoder_units": found.encoder_units + 8,
                }
            ),
            500,
        )
        > most
    )


def test_no_student_is_too_small_to_be_refused(pair_stages: Path, teacher: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"^--size: no network .* has 0\.01 of its weights or fewer"):
        distill(recipe_of(pair_stages), teacher, tmp_path, Steps(), size=0.01)


def test_a_task_without_targets_is_refused(stages: Path, teacher: Path, tmp_path: Path) -> None:
    recipe = Recipe.model_validate(
        {"name": "lm", "task": "generate", "corpus": {"root": stages, "train": "text.jsonl"}}
    )
    with pytest.raises(UserError, match=r"^task: the task generate has no outputs"):
        distill(recipe, teacher, tmp_path, Steps())
    with pytest.raises(UserError, match=r"^corpus\.target: the task generate has no target side"):
        write_reverse(recipe, tmp_path)


def test_a_reverse_model_s_recipe_has_the_sides_swapped(pair_stages: Path, tmp_path: Path) -> None:
    changes = ["examples.max_source=30", "corpus.languages=[en]", "evaluation.thresholds.bleu={min: 30}"]
    reverse = load_recipe(write_reverse(recipe_of(pair_stages, *changes, "training.initial=m"), tmp_path))
    assert (reverse.corpus.languages, reverse.corpus.target_languages) == ((), ("en",))
    assert (reverse.training.initial, reverse.evaluation.thresholds) == (None, {})
    assert (reverse.corpus.source, reverse.corpus.target) == ("upper", "en")
    assert (reverse.examples.max_source, reverse.examples.max_target) == (40, 30)
    assert reverse.corpus.train == "pairs.tsv"
    assert reverse.name == "pairs-reverse"


def test_texts_of_the_target_side_get_sources(pair_stages: Path, teacher: Path, tmp_path: Path) -> None:
    texts = ["ONE TEXT", "ANOTHER", "A THIRD ONE"]
    (tmp_path / "mono.txt").write_text("\n".join(texts) + "\n")
    recipe = recipe_of(pair_stages)
    path = back_translate(recipe, teacher, tmp_path / "mono.txt", tmp_path / "home", Steps())
    model = load_text_model(teacher)
    written = [output.text for output in model.generate(texts, [1] * 3)]
    rows = lines(tmp_path / "home/corpus/train-synthetic.jsonl")
    expected = [(source, text) for source, text in zip(written, texts, strict=True) if source.strip()]
    assert [(row["source"], row["target"]) for row in rows] == expected
    run = load_recipe(path)
    ingest(run, tmp_path / "records", Silent())
    records = list(records_in(tmp_path / "records", "train"))
    original = [record.source for record in records_in(pair_stages / "records", "train")]
    assert [record.source for record in records] == [*original, *(source for source, _ in expected)]
    facts = read_manifest(tmp_path / "records").facts
    assert facts["lineage"]["reverse"] == read_manifest(teacher).fingerprint
    assert run.model == recipe.model
