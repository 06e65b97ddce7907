"""Damage to the project's own folders: the stage that reads a file says so in one line, and publishes nothing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstmlm.errors import UserError
from lstmlm.models.weights import read_arrays
from lstmlm.progress import Silent
from lstmlm.publish.manifest import MANIFEST, fingerprint, read_manifest, read_object
from lstmlm.recipe.recipe import Recipe
from lstmlm.training.workers import distributed
from lstmlm.training.workers.all_reduce import SingleWorker
from tests.tiny import untrained

Folders = dict[str, Path]


@pytest.fixture(scope="module")
def finished(stages: Path, tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """The folders of a tiny run."""
    from lstmlm.export import export
    from lstmlm.recipe.file import parse_recipe
    from tests.tiny import RECIPE

    folder = tmp_path_factory.mktemp("finished")
    recipe = parse_recipe(RECIPE, "tiny", [f"corpus.root={stages}", f"output={folder}"])
    untrained(recipe, stages / "tokenizer", folder / "model")
    export(recipe, folder / "model", stages / "tokenizer", folder / "export", Silent())
    names = {name: stages / name for name in ("records", "tokenizer", "examples")}
    return names | {"model": folder / "model", "export": folder / "export"}


@pytest.fixture
def folders(finished: Folders, tmp_path: Path) -> Folders:
    """Copies that a test may damage."""
    return {name: shutil.copytree(path, tmp_path / "in" / name) for name, path in finished.items()}


def tokenize(recipe: Recipe, at: Folders, output: Path) -> None:
    from lstmlm.vocabulary.stage import train_tokenizer

    train_tokenizer(recipe, at["records"], output, Silent())


def build(recipe: Recipe, at: Folders, output: Path) -> None:
    from lstmlm.examples.build import build_examples

    build_examples(recipe, at["records"], at["tokenizer"], output, Silent())


def train(recipe: Recipe, at: Folders, output: Path) -> None:
    from lstmlm.training.run import train

    train(recipe, at["examples"], at["tokenizer"], output, Silent())


def export(recipe: Recipe, at: Folders, output: Path) -> None:
    from lstmlm.export import export

    export(recipe, at["model"], at["tokenizer"], output, Silent())


def evaluate(recipe: Recipe, at: Folders, output: Path) -> None:
    from lstmlm.evaluation.run import evaluate

    evaluate(recipe, at["export"], at["records"], output, Silent())


def infer(recipe: Recipe, at: Folders, output: Path) -> None:
    from lstmlm.inference.run import infer

    infer(recipe, at["export"], output, Silent(), records=at["records"])


def score(recipe: Recipe, at: Folders, output: Path) -> None:
    from lstmlm.inference.scores import score_texts

    score_texts(recipe, at["export"], recipe.corpus.root / "text.jsonl", output, Silent())


def average(recipe: Recipe, at: Folders, output: Path) -> None:
    from lstmlm.training.checkpoints.average import average

    average(at["model"], output)


Stage = Callable[[Recipe, Folders, Path], None]

READ: list[tuple[Stage, str, str]] = [
    (tokenize, "records", "Split-train/data-00000-of-00002.tfrecord"),
    (build, "records", "Split-valid/data-00000-of-00002.tfrecord"),
    (build, "tokenizer", "tokenizer.model"),
    (train, "examples", "Split-train/data-00000-of-00002.tfrecord"),
    (train, "examples", "Split-valid/data-00000-of-00002.tfrecord"),
    (train, "tokenizer", "tokenizer.model"),
    (export, "model", "weights.npz"),
    (export, "model", "model.json"),
    (export, "tokenizer", "tokenizer.model"),
    (evaluate, "export", "weights.npz"),
    (evaluate, "export", "model.json"),
    (evaluate, "records", "Split-valid/data-00000-of-00002.tfrecord"),
    (infer, "export", "decoder.onnx"),
    (infer, "export", "model.json"),
    (infer, "export", "tokenizer.model"),
    (infer, "records", "Split-valid/data-00000-of-00002.tfrecord"),
    (score, "export", "weights.npz"),
    (average, "model", "weights.npz"),
]


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x10
    path.write_bytes(data)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "gone": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "cut": cut,
    "flipped": flip,
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "garbage": lambda path: path.write_bytes((b"\xff\xfe{]\0" * path.stat().st_size)[: path.stat().st_size]),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
}


@pytest.fixture(autouse=True)
def without_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    def here(recipe: Recipe, examples: Path, tokenizer: Path, work: Path, ray_address: str | None) -> None:
        from lstmlm.training.workers.worker import train_worker

        train_worker(recipe, examples, tokenizer, work, SingleWorker(), lambda row: None)

    monkeypatch.setattr(distributed, "train_on_ray", here)


def check(stage: Stage, recipe: Recipe, folders: Folders, output: Path, named: Path) -> None:
    with pytest.raises(UserError) as caught:
        stage(recipe, folders, output)
    line = str(caught.value)
    assert "\n" not in line
    assert str(named) in line
    assert caught.value.hint
    assert not output.exists()
    assert list(output.parent.glob(".out*")) == []


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize(("stage", "folder", "file"), READ, ids=lambda value: getattr(value, "__name__", value))
def test_a_damaged_file_is_one_line_that_names_it(
    recipe: Recipe, folders: Folders, tmp_path: Path, stage: Stage, folder: str, file: str, damage: str
) -> None:
    DAMAGES[damage](folders[folder] / file)
    (tmp_path / "made").mkdir()
    check(stage, recipe, folders, tmp_path / "made" / "out", folders[folder] / file)


BY_FOLDER = {folder: stage for stage, folder, _ in READ}


@pytest.mark.parametrize("damage", [name for name in DAMAGES if name != "a folder"])
@pytest.mark.parametrize("folder", BY_FOLDER)
def test_a_damaged_manifest_is_one_line(
    recipe: Recipe, folders: Folders, tmp_path: Path, folder: str, damage: str
) -> None:
    DAMAGES[damage](folders[folder] / MANIFEST)
    check(BY_FOLDER[folder], recipe, folders, tmp_path / "out", folders[folder])


def rewrite(path: Path, change: Callable[[dict[str, Any]], object], *, sealed: bool = False) -> None:
    content = json.loads(path.read_text())
    content.pop("seal")
    change(content)
    if sealed:
        content["seal"] = fingerprint(content)
    path.write_text(json.dumps(content))


HOSTILE: dict[str, Callable[[dict[str, Any]], object]] = {
    "above": lambda it: it["files"].update({"../secret": {"bytes": 1, "sha256": "0"}}),
    "inside and above": lambda it: it["files"].update({"a/../../secret": {"bytes": 1, "sha256": "0"}}),
    "absolute": lambda it: it["files"].update({"/etc/passwd": {"bytes": 1, "sha256": "0"}}),
    "no name": lambda it: it["files"].update({"": {"bytes": 1, "sha256": "0"}}),
    "NUL": lambda it: it["files"].update({"a\0b": {"bytes": 1, "sha256": "0"}}),
    "list of files": lambda it: it.update(files=["weights.npz"]),
    "size is text": lambda it: it["files"]["weights.npz"].update(bytes="12"),
    "size is true": lambda it: it["files"]["weights.npz"].update(bytes=True),
    "hash is a number": lambda it: it["files"]["weights.npz"].update(sha256=7),
    "no hash": lambda it: it["files"]["weights.npz"].pop("sha256"),
    "kind is a list": lambda it: it.update(kind=["model"]),
    "facts are text": lambda it: it.update(facts="none"),
    "another key": lambda it: it.update(extra=1),
    "no fingerprint": lambda it: it.pop("fingerprint"),
}


@pytest.mark.parametrize("sealed", [True, False])
@pytest.mark.parametrize("change", HOSTILE)
def test_a_hostile_manifest_is_refused_without_looking_outside(
    recipe: Recipe, folders: Folders, tmp_path: Path, change: str, sealed: bool
) -> None:
    (tmp_path / "in" / "secret").write_text("x")
    rewrite(folders["model"] / MANIFEST, HOSTILE[change], sealed=sealed)
    with pytest.raises(UserError, match=r"manifest\.json: (not a manifest of lstmlm|damaged)"):
        read_manifest(folders["model"], "model", verify=True)
    with pytest.raises(UserError):
        export(recipe, folders, tmp_path / "out")


@pytest.mark.parametrize("text", ["null", "[]", "3", '"x"', "{}", "[" * 100_000, '{"kind": 1e999}', "\ufeff{}"])
def test_json_that_is_no_manifest_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / MANIFEST).write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match="not a manifest"):
        read_manifest(tmp_path)


def test_a_changed_fact_is_noticed(folders: Folders) -> None:
    path = folders["tokenizer"] / MANIFEST
    path.write_text(path.read_text().replace('"vocabulary": 600', '"vocabulary": 601'))
    with pytest.raises(UserError, match="damaged: the content differs from what was written"):
        read_manifest(folders["tokenizer"])


def test_a_folder_without_a_seal_is_read(folders: Folders) -> None:
    rewrite(folders["model"] / MANIFEST, lambda content: None)
    assert read_manifest(folders["model"], "model", verify=True).facts["valid_loss"] == 9.9


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x93NUMPY", b"garbage" * 100, bytes(1000)])
def test_weights_that_are_none_are_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "w.npz").write_bytes(content)
    with pytest.raises(UserError, match=r"w\.npz: a damaged archive of arrays"):
        read_arrays(tmp_path / "w.npz")


def test_weights_that_carry_code_are_refused(tmp_path: Path) -> None:
    class Runs:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path(tmp_path / "ran").touch, ())

    np.savez(tmp_path / "w.npz", a=np.array([Runs()], dtype=object))
    with pytest.raises(UserError, match="a damaged archive of arrays"):
        read_arrays(tmp_path / "w.npz")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("text", ["", "[]", "{}", "{", "\xff"])
def test_an_object_of_ours_that_is_damaged_is_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "metrics.json").write_text(text, encoding="latin-1")
    with pytest.raises(UserError, match=r"metrics\.json: .*damaged.*\. Remove the folder"):
        read_object(tmp_path / "metrics.json", "metrics")
