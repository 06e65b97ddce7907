"""The pipeline's shape, compiled and not run."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lstmlm.errors import UserError
from pipelines.stages import STAGES, stage_of_node

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


def test_every_node_is_a_stage_with_a_name(make_recipe: MakeRecipe) -> None:
    assert set(edges(compiled(make_recipe()))) == {stage.name for stage in STAGES}


def test_the_airflow_dag_has_the_edges_of_the_pipeline(make_recipe: MakeRecipe, root: Path) -> None:
    source = ast.parse((root / "deploy" / "airflow" / "lstmlm_dag.py").read_text(encoding="utf-8"))
    (stages,) = (
        node.value for node in source.body if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "STAGES"
    )
    assert ast.literal_eval(stages) == edges(compiled(make_recipe()))


def test_a_new_code_version_is_part_of_the_cache_key(make_recipe: MakeRecipe, monkeypatch: pytest.MonkeyPatch) -> None:
    from components.trainer import component

    def version() -> str:
        nodes = (node.pipeline_node for node in compiled(make_recipe()).nodes)
        (trainer,) = (node for node in nodes if node.node_info.id == "Trainer")
        return str(trainer.parameters.parameters["version"].field_value.string_value)

    before = version()
    monkeypatch.setattr(component, "VERSION", component.VERSION + 1)
    assert version() != before


def test_beam_runs_in_this_process_and_downloads_nothing(make_recipe: MakeRecipe) -> None:
    from pipelines.build import build_pipeline

    arguments = build_pipeline(make_recipe()).beam_pipeline_args
    assert any(argument.startswith("--runner=") and "FnApiRunner" in argument for argument in arguments)
    assert "--sdk_container_image=unused" in arguments


def test_a_missing_corpus_is_the_users_fault(make_recipe: MakeRecipe) -> None:
    with pytest.raises(UserError, match=r"absent\.txt"):
        compiled(make_recipe(corpus={"train": "absent.txt"}))


def test_a_missing_input_of_the_batch_job_is_found_before_anything_runs(make_recipe: MakeRecipe) -> None:
    with pytest.raises(UserError, match=r"absent\.jsonl"):
        compiled(make_recipe(inference={"input": "absent.jsonl"}))


def test_other_texts_to_decode_are_part_of_the_cache_key(make_recipe: MakeRecipe) -> None:
    from lstmlm.inference.input.inputs import chosen_fingerprint

    recipe = make_recipe(inference={"input": "prompts.jsonl"})
    prompts = recipe.corpus.root / "prompts.jsonl"
    prompts.write_text('{"text": "the cat"}\n', encoding="utf-8")
    before = chosen_fingerprint(recipe)
    prompts.write_text('{"text": "the dog"}\n', encoding="utf-8")
    assert chosen_fingerprint(recipe) != before
    assert chosen_fingerprint(make_recipe()) == ""
