"""An export as a hub folder, and an export made of it again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
import yaml

from lstmlm.cli.app import run
from lstmlm.errors import UserError
from lstmlm.hub.load import load
from lstmlm.hub.write import write
from lstmlm.inference.run import infer
from lstmlm.progress import Silent
from lstmlm.tokenizer import Tokenizer
from tests.tiny import TinyRun

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(exported: TinyRun, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("hub") / "folder"
    write(exported.export, output, licence="cc0-1.0")
    return output


def copied(folder: Path, place: Path) -> Path:
    shutil.copytree(folder, place)
    return place


def outputs(exported: TinyRun, export: Path, place: Path) -> list[str]:
    infer(exported.recipe, export, place, Silent(), records=exported.records)
    return [line for path in sorted(place.glob("predictions*")) for line in path.read_text().splitlines()]


def test_the_export_comes_back(exported: TinyRun, folder: Path, tmp_path: Path) -> None:
    assert run(["hub", "load", str(folder), "-o", str(tmp_path / "export")]) == 0
    for name in ("weights.npz", "tokenizer.model", "decoder.onnx", "decoder.int8.onnx", "encoder.onnx"):
        assert (tmp_path / "export" / name).read_bytes() == (exported.export / name).read_bytes()
    before = outputs(exported, exported.export, tmp_path / "before")
    assert outputs(exported, tmp_path / "export", tmp_path / "after") == before
    assert len(before) > 5


def test_the_weights_are_those_of_the_export(exported: TinyRun, folder: Path) -> None:
    arrays = safetensors.numpy.load_file(folder / "model.safetensors")
    with np.load(exported.export / "weights.npz") as wanted:
        assert {name.replace("|", "/") for name in wanted.files} == arrays.keys()
        for name in wanted.files:
            assert np.array_equal(wanted[name], arrays[name.replace("|", "/")])


def test_transformers_loads_the_vocabulary(exported: TinyRun, folder: Path) -> None:
    from transformers import AutoTokenizer

    theirs, ours = AutoTokenizer.from_pretrained(folder), Tokenizer(exported.export / "tokenizer.model")
    assert theirs.is_fast
    special = (theirs.pad_token_id, theirs.unk_token_id, theirs.bos_token_id, theirs.eos_token_id)
    assert (special, len(theirs)) == ((0, 1, 2, 3), ours.size)
    for text in ("The statement", " a  b ", "<|end|> <0x41> ▁", "漢字\n", ""):
        assert theirs(text).input_ids == ours.encode(text)
        assert theirs.decode(ours.encode(text)) == ours.decode(ours.encode(text))
    rows = theirs(["a", "a longer text"], padding=True)
    assert (rows.input_ids[0][-1], rows.attention_mask[0][-1]) == (0, 0)


def test_what_is_written_describes_the_model(exported: TinyRun, folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    size = Tokenizer(exported.export / "tokenizer.model").size
    assert (config["model_type"], config["vocab_size"]) == ("lstmlm", size)
    assert config["is_encoder_decoder"] == (exported.recipe.task == "translate")
    generation = json.loads((folder / "generation_config.json").read_text())
    assert (generation["max_new_tokens"], generation["do_sample"], generation["eos_token_id"]) == (12, False, 3)
    assert sorted(path.name for path in (folder / "onnx").iterdir()) == [
        "decoder.int8.onnx",
        "decoder.onnx",
        "encoder.int8.onnx",
        "encoder.onnx",
    ]


def test_the_card_has_metadata_and_no_place_of_this_machine(exported: TinyRun, folder: Path, tmp_path: Path) -> None:
    from lstmlm.publish.folder import publish

    with publish(tmp_path / "evaluation", "evaluation") as draft:
        verdict = {"metrics": {"perplexity": 12.34567, "signature": "text"}, "failures": []}
        (draft.path / "metrics.json").write_text(json.dumps(verdict))
    write(exported.export, tmp_path / "hub", evaluation=tmp_path / "evaluation", licence="cc0-1.0", name="A model")
    text = (tmp_path / "hub" / "README.md").read_text()
    _, metadata, body = text.split("---\n", 2)
    found = yaml.safe_load(metadata)
    assert (found["license"], found["library_name"]) == ("cc0-1.0", "lstmlm")
    (model,) = found["model-index"]
    (result,) = model["results"]
    assert result["metrics"] == [{"type": "perplexity", "value": 12.3457}]
    assert result["task"]["type"] == found["pipeline_tag"]
    assert "## Limits" in body
    assert "| signature | text |" in body
    whole = text + (tmp_path / "hub" / "config.json").read_text()
    assert str(exported.recipe.corpus.root) not in whole


def test_a_folder_without_sentencepiece_file_loads_its_json(folder: Path, exported: TinyRun, tmp_path: Path) -> None:
    other = copied(folder, tmp_path / "hub")
    (other / "tokenizer.model").unlink()
    load(other, tmp_path / "export", Silent())
    ours, theirs = Tokenizer(exported.export / "tokenizer.model"), Tokenizer(tmp_path / "export" / "tokenizer.json")
    assert theirs.encode("The statement é") == ours.encode("The statement é")


def renamed(folder: Path, old: str, new: str) -> None:
    (folder / old).rename(folder / new)


def changed(folder: Path, **content: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | content))


@pytest.mark.parametrize("exported", ["generate"], indirect=True)
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda at: renamed(at, "model.safetensors", "pytorch_model.bin"),
            "pytorch_model.bin is not read.*can run code",
        ),
        (lambda at: (at / "model.safetensors").unlink(), "no model.safetensors"),
        (lambda at: (at / "model.safetensors").write_bytes(b"\xff" * 80), "not a safetensors file"),
        (lambda at: (at / "config.json").unlink(), "missing or damaged"),
        (lambda at: changed(at, auto_map={"AutoModel": "modeling.Model"}), "asks for code of its own"),
        (lambda at: changed(at, model_type="gpt2"), "a model of the type 'gpt2'"),
        (lambda at: changed(at, lstmlm={"form": 9}), "written in form 9"),
        (lambda at: changed(at, lstmlm={"form": 1}), "the recipe in it is damaged"),
        (lambda at: [(at / name).unlink() for name in ("tokenizer.json", "tokenizer.model")], "no tokenizer.json"),
    ],
)
def test_what_is_no_such_folder_is_reported(change, message: str, folder: Path, tmp_path: Path) -> None:
    other = copied(folder, tmp_path / "hub")
    change(other)
    with pytest.raises(UserError, match=message):
        load(other, tmp_path / "export", Silent())
    assert not (tmp_path / "export").exists()


@pytest.mark.parametrize("exported", ["generate"], indirect=True)
def test_a_task_named_as_code_is_not_imported(folder: Path, tmp_path: Path) -> None:
    other = copied(folder, tmp_path / "hub")
    own = json.loads((other / "config.json").read_text())["lstmlm"]
    own["recipe"]["task"] = "os.path:join"
    changed(other, lstmlm=own)
    with pytest.raises(UserError, match=r"names the code 'os\.path:join' as its task"):
        load(other, tmp_path / "export", Silent())
