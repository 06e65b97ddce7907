"""The table of stages, and what follows from it."""

from __future__ import annotations

import inspect
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from lstmlm.errors import UserError
from lstmlm.progress import Progress
from lstmlm.publish.folder import Draft, Manifest, publish, read_manifest
from lstmlm.recipe.recipe import Recipe
from lstmlm.stages import STAGES, Input, Stage, pipeline_stages, stage_named, stage_of_node, stages_before

Lstmlm = Callable[..., "subprocess.CompletedProcess[str]"]

RECIPE = Recipe.model_validate({"name": "r", "task": "generate", "corpus": {"train": "a.txt"}})
WITH_FUNCTION = [stage for stage in STAGES.values() if stage.function]


def test_names_and_nodes_map_both_ways() -> None:
    for stage in pipeline_stages():
        assert stage.node is not None
        assert stage_named(stage.name) is stage
        assert stage_of_node(stage.node.id) is stage
    assert len({stage.node and stage.node.id for stage in pipeline_stages()}) == len(pipeline_stages())


@pytest.mark.parametrize(
    ("name", "hint"),
    [("trian", "Did you mean `train`"), ("xyz", "There are: ingest"), ("clean", "no stage named .clean.")],
)
def test_an_unknown_stage_of_the_pipeline_is_reported_with_the_known_ones(name: str, hint: str) -> None:
    with pytest.raises(UserError, match=hint):
        stage_named(name)


def test_a_stage_comes_after_what_it_needs() -> None:
    order = list(STAGES)
    for stage in STAGES.values():
        needed = {*(one.stage for one in stage.inputs), *stages_before(stage)}
        assert all(order.index(name) < order.index(stage.name) for name in needed), stage.name


@pytest.mark.parametrize("stage", WITH_FUNCTION, ids=lambda stage: stage.name)
def test_a_row_names_a_function_that_takes_its_inputs_and_fields_that_are_there(stage: Stage) -> None:
    parameters = inspect.signature(stage.load()).parameters
    assert {"output", *(one.name for one in stage.inputs)} <= set(parameters)
    assert stage.beam == ("runner" in parameters)
    assert stage.version > 0
    assert stage.kind
    assert set(stage.decided(RECIPE)) == set(stage.decides)
    known = RECIPE.model_dump(mode="json")
    for path in stage.ignores:
        section, _, field = path.partition(".")
        assert field in known[section]
        assert field not in stage.decided(RECIPE)[section]
    assert set(stage.reads) <= set(Recipe.model_fields)


def test_what_decides_is_what_the_row_names() -> None:
    assert STAGES["tokenizer"].decided(RECIPE).keys() == {"task", "seed", "tokenizer"}
    assert "model" not in STAGES["tokenizer"].decided(RECIPE)["tokenizer"]
    assert STAGES["infer"].decided(RECIPE)["inference.shards"] == RECIPE.inference.shards


def write(draft: Draft) -> None:
    (draft.path / "a.txt").write_text("a", encoding="utf-8")
    draft.facts["letters"] = 1


def test_a_result_is_made_once_and_nothing_else_is_overwritten(tmp_path: Path) -> None:
    stage = Stage("letters", "Write letters.", kind="letters", version=1)
    first = stage.publish(tmp_path / "o", stage.stamp("a"), write)
    assert first == read_manifest(tmp_path / "o", "letters")
    assert stage.publish(tmp_path / "o", stage.stamp("a"), lambda _: pytest.fail("made twice")) == first
    with pytest.raises(UserError, match="does not hold this result"):
        stage.publish(tmp_path / "o", stage.stamp("b"), write)
    newer = Stage("letters", "Write letters.", kind="letters", version=2)
    assert newer.stamp("a") != stage.stamp("a")


def test_once_is_for_work_that_publishes_by_itself(tmp_path: Path) -> None:
    stage = Stage("letters", "Write letters.", kind="letters", version=1)

    def work() -> None:
        with publish(tmp_path / "o", "letters", "s") as draft:
            write(draft)

    assert stage.once(tmp_path / "o", "s", work).facts == {"letters": 1}
    assert stage.once(tmp_path / "o", "s", lambda: pytest.fail("made twice")).facts == {"letters": 1}


def count_letters(recipe: Recipe, records: Path, output: Path, progress: Progress) -> Manifest:
    """The function of a stage that a test adds."""
    found = read_manifest(records, "records")
    stage = STAGES["letters"]

    def count(draft: Draft) -> None:
        draft.facts["letters"] = sum(map(len, (records / "text").read_text(encoding="utf-8").split()))

    return stage.publish(output, stage.stamp(*stage.decided(recipe).values(), found.fingerprint), count)


def test_a_row_is_all_that_a_new_stage_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import lstmlm.cli.stages as commands

    (tmp_path / "r.yaml").write_text("name: r\ntask: generate\ncorpus: {train: a.txt}\n", encoding="utf-8")
    with publish(tmp_path / "records", "records", "s") as draft:
        (draft.path / "text").write_text("one two", encoding="utf-8")
    monkeypatch.setattr("lstmlm.corpus.ingest.count_letters", count_letters, raising=False)
    added = Stage(
        name="letters",
        help="Count letters.",
        function="lstmlm.corpus.ingest:count_letters",
        kind="letters",
        version=1,
        inputs=(Input("records", "ingest"),),
        decides=("task",),
    )
    monkeypatch.setitem(STAGES, "letters", added)
    app = typer.Typer()
    commands.register(app)
    assert "Count letters." in CliRunner().invoke(app, ["--help"]).stdout
    listed = json.loads(CliRunner().invoke(app, ["stages", "--json"]).stdout)
    assert listed[-1]["name"] == "letters"
    assert listed[-1]["sections"] == ["corpus", "seed", "task"]
    words = ["letters", tmp_path / "r.yaml", "--records", tmp_path / "records", "-o", tmp_path / "o"]
    app(args=[*map(str, words)], standalone_mode=False)
    assert read_manifest(tmp_path / "o", "letters").facts == {"letters": 6}


def test_the_commands_of_stages_are_those_of_the_table(lstmlm: Lstmlm) -> None:
    text = lstmlm("--help").stdout
    panel = text[text.index("One stage") : text.index("Around it")]
    named = [line.split()[1] for line in panel.splitlines() if line.startswith("│ ") and line[2] != " "]
    assert named == [stage.name for stage in WITH_FUNCTION]


def test_the_table_in_the_documentation_is_that_of_the_code(root: Path) -> None:
    from lstmlm.cli.stages.docs import with_table

    text = (root / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert with_table(text) == text, "run `make docs`"


def test_stages_as_json_says_what_runs_before_what(lstmlm: Lstmlm) -> None:
    rows = {row["name"]: row for row in json.loads(lstmlm("stages", "--json").stdout)}
    assert list(rows) == list(STAGES)
    assert rows["infer"]["before"] == ["ingest", "push"]
    assert rows["evaluate"]["before"] == ["export", "ingest", "resolve"]
    assert rows["train"]["version"] == STAGES["train"].version


def test_the_content_of_a_given_vocabulary_is_part_of_the_cache_key(tmp_path: Path) -> None:
    def key(model: Path | None) -> str:
        content = {"name": "test", "task": "generate", "corpus": {"train": "a.txt"}, "tokenizer": {"model": model}}
        return STAGES["tokenizer"].outside_fingerprint(Recipe.model_validate(content))

    path = tmp_path / "a.model"
    path.write_bytes(b"one")
    first = key(path)
    path.write_bytes(b"two")
    assert len({first, key(path), key(None)}) == 3
