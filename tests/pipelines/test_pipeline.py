"""The pipeline's shape, compiled and not run."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from lstmlm.errors import UserError
from lstmlm.stages import STAGES, Input, Node, Stage, pipeline_stages, stage_of_node, stages_before

if TYPE_CHECKING:
    from tests.pipelines.conftest import MakeRecipe

pytestmark = [pytest.mark.tfx, pytest.mark.slow]


def compiled(recipe: Any) -> Any:
    from tfx.dsl.compiler import compiler

    from pipelines.build import build_pipeline

    return compiler.Compiler().compile(build_pipeline(recipe))


def edges(intermediate: Any) -> dict[str, tuple[str, ...]]:
    nodes = [node.pipeline_node for node in intermediate.nodes]
    return {
        stage_of_node(node.node_info.id).name: tuple(sorted(stage_of_node(name).name for name in node.upstream_nodes))
        for node in nodes
    }


def test_the_pipeline_has_the_nodes_and_edges_of_the_table(make_recipe: MakeRecipe) -> None:
    assert edges(compiled(make_recipe())) == {stage.name: stages_before(stage) for stage in pipeline_stages()}


def test_a_new_code_version_is_part_of_the_cache_key(make_recipe: MakeRecipe, monkeypatch: pytest.MonkeyPatch) -> None:
    def version() -> str:
        nodes = (node.pipeline_node for node in compiled(make_recipe()).nodes)
        (trainer,) = (node for node in nodes if node.node_info.id == "Trainer")
        return str(trainer.parameters.parameters["version"].field_value.string_value)

    before, stage = version(), STAGES["train"]
    monkeypatch.setitem(STAGES, "train", dataclasses.replace(stage, version=stage.version + 1))
    assert version() != before


def test_a_row_adds_a_node_to_the_pipeline(make_recipe: MakeRecipe, monkeypatch: pytest.MonkeyPatch) -> None:
    added = Stage(
        name="letters",
        help="Count letters.",
        function="lstmlm.corpus.ingest:count_letters",
        kind="letters",
        version=1,
        inputs=(Input("records", "ingest"), Input("export", "export")),
        node=Node("Letters", "letters"),
    )
    monkeypatch.setitem(STAGES, "letters", added)
    found = compiled(make_recipe())
    assert edges(found)["letters"] == ("export", "ingest")
    (node,) = (node.pipeline_node for node in found.nodes if node.pipeline_node.node_info.id == "Letters")
    assert node.parameters.parameters["stage"].field_value.string_value == "letters"
    assert node.outputs.outputs["letters"].artifact_spec.type.name == "components.Folder"


def test_beam_runs_in_this_process_and_downloads_nothing(make_recipe: MakeRecipe) -> None:
    from pipelines.build import build_pipeline

    arguments = build_pipeline(make_recipe()).beam_pipeline_args
    assert any(argument.startswith("--runner=") and "FnApiRunner" in argument for argument in arguments)
    assert "--sdk_container_image=unused" in arguments


def test_declaring_a_pipeline_reads_no_file(make_recipe: MakeRecipe) -> None:
    recipe = make_recipe(corpus={"train": "absent.txt"}, inference={"input": "absent.jsonl"})
    assert len(compiled(recipe).nodes) == len(pipeline_stages())


@pytest.mark.parametrize(
    ("changes", "name"),
    [({"corpus": {"train": "absent.txt"}}, "absent.txt"), ({"inference": {"input": "absent.jsonl"}}, "absent.jsonl")],
)
def test_a_missing_file_is_the_users_fault_and_found_before_anything_runs(
    make_recipe: MakeRecipe, changes: dict[str, Any], name: str
) -> None:
    from pipelines.local import run_local

    recipe = make_recipe(**changes)
    with pytest.raises(UserError, match=name):
        run_local(recipe)
    assert not list((recipe.run_folder / "artifacts").glob("*"))


def test_other_texts_to_decode_are_part_of_the_cache_key(make_recipe: MakeRecipe) -> None:
    recipe, stage = make_recipe(inference={"input": "prompts.jsonl"}), STAGES["infer"]
    prompts = recipe.corpus.root / "prompts.jsonl"
    prompts.write_text('{"text": "the cat"}\n', encoding="utf-8")
    before = stage.outside_fingerprint(recipe)
    prompts.write_text('{"text": "the dog"}\n', encoding="utf-8")
    assert stage.outside_fingerprint(recipe) != before
    assert stage.outside_fingerprint(make_recipe()) == ""
