from __future__ import annotations

from pathlib import Path

import pytest

from lstmlm.errors import UserError
from lstmlm.recipe.file import load_recipe, parse_recipe

GOOD = """\
name: small
task: generate
corpus:
  train: a.txt
training:
  steps: 10
evaluation:
  thresholds:
    perplexity: {max: 100}
"""


def _fault(text: str, *overrides: str) -> str:
    with pytest.raises(UserError) as caught:
        parse_recipe(text, "r.yaml", overrides)
    return str(caught.value)


def test_a_good_recipe_keeps_its_values_and_fills_in_the_rest() -> None:
    recipe = parse_recipe(GOOD, "r.yaml")
    assert (recipe.training.steps, recipe.training.batch) == (10, 32)
    assert recipe.evaluation.thresholds["perplexity"].max == 100


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("steps: 10", "step: 10", "r.yaml:6: training.step: no such field. Did you mean `steps`?"),
        ("training:", "trainin:", "r.yaml:5: trainin: no such field. Did you mean `training`?"),
        ("{max: 100}", "{maxi: 100}", "r.yaml:9: evaluation.thresholds.perplexity.maxi: no such field"),
        ("train: a.txt", "train: a.txt\n  zzz: 1", "r.yaml:5: corpus.zzz: no such field. Known here: root, train"),
        ("steps: 10", "steps: 0", "r.yaml:6: training.steps: must be a whole number > 0, and is 0"),
        ("steps: 10", "steps: many", 'r.yaml:6: training.steps: must be a whole number > 0, and is "many"'),
        ("name: small", "name: Not A Name", "r.yaml:1: name: must be text matching"),
        ("training:", "tokenizer: {algorithm: word, symbols: [x]}\ntraining:", "symbols go with unigram and bpe"),
        ("  train: a.txt", "  source: text", "corpus.train: required, and not given"),
        ("task: generate\n", "", "r.yaml: task: required, and not given"),
        ("  steps: 10", "  steps: [", "r.yaml:8: not valid YAML"),
    ],
)
def test_a_fault_names_file_line_and_field(old: str, new: str, fault: str) -> None:
    assert old in GOOD
    assert fault in _fault(GOOD.replace(old, new))


def test_all_faults_are_reported_one_a_line_in_the_order_of_the_file() -> None:
    lines = _fault(GOOD.replace("steps: 10", "step: 10\n  batch: -1")).splitlines()
    assert [line.split(": ")[1] for line in lines] == ["training.step", "training.batch"]


@pytest.mark.parametrize("text", ["just text", "- a\n- b\n"])
def test_what_is_no_mapping_is_refused(text: str) -> None:
    assert _fault(text).startswith("r.yaml: a recipe is a mapping of fields")


def test_set_overrides_and_adds_fields() -> None:
    recipe = parse_recipe(
        GOOD, "r.yaml", ["training.steps=20", "model.units=64", "tokenizer.symbols=[a, b]", "corpus.valid=null"]
    )
    assert (recipe.training.steps, recipe.model.units) == (20, 64)
    assert (recipe.tokenizer.symbols, recipe.corpus.valid) == (("a", "b"), None)


@pytest.mark.parametrize(
    ("override", "fault"),
    [
        ("training.steps=0", "--set training.steps: training.steps: must be a whole number > 0"),
        ("training.stepz=1", "--set training.stepz: training.stepz: no such field. Did you mean `steps`?"),
        ("training.steps", "--set training.steps: not of the form section.field=value"),
        ("name.x=1", "--set name.x=1: `name` is not a section"),
        ("training.steps=[", "the value is not valid YAML"),
    ],
)
def test_a_wrong_override_is_named(override: str, fault: str) -> None:
    assert fault in _fault(GOOD, override)


def test_environment_variables_are_filled_in(monkeypatch: pytest.MonkeyPatch) -> None:
    text = GOOD.replace("  train: a.txt", "  root: ${LSTMLM_TEST_ROOT}/sub\n  train: a.txt")
    monkeypatch.setenv("LSTMLM_TEST_ROOT", "here")
    assert parse_recipe(text, "r.yaml").corpus.root == Path("here/sub")
    monkeypatch.delenv("LSTMLM_TEST_ROOT")
    fault = _fault(text)
    assert fault.startswith("r.yaml:4: corpus.root: the environment variable LSTMLM_TEST_ROOT is not set")
    assert "--set corpus.root=" in fault
    assert parse_recipe(text, "r.yaml", ["corpus.root=there"]).corpus.root == Path("there")


def test_a_file_that_cannot_be_read_is_a_user_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot read the recipe"):
        load_recipe(tmp_path / "absent.yaml")
    with pytest.raises(UserError, match="cannot read the recipe"):
        load_recipe(tmp_path)
    (tmp_path / "latin.yaml").write_bytes("name: é".encode("latin-1"))
    with pytest.raises(UserError, match="not UTF-8"):
        load_recipe(tmp_path / "latin.yaml")
