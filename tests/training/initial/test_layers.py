"""Two language models make a bidirectional encoder that computes at first what they compute."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from lstmlm.errors import UserError
from lstmlm.models.language_model import LanguageModel
from lstmlm.models.seq2seq import Seq2Seq
from lstmlm.models.weights import save_arrays
from lstmlm.publish.folder import publish
from lstmlm.recipe.file import parse_recipe
from lstmlm.recipe.sections.model import ModelSection
from lstmlm.task import load_task
from lstmlm.training.initial.take import taken

VOCABULARY = 40
VOCABULARY_BYTES = b"a vocabulary, of which only its hash matters here"
PAIRS = """
name: pairs
task: translate
corpus: {train: pairs.tsv, source: en, target: fr}
model: {embedding: 6, units: 7, encoder_units: 5, encoder_layers: 2}
"""
SIZES: dict[str, Any] = {"embedding": 6, "units": 5, "layers": 2}


def language_model(folder: Path, direction: str, seed: int, **sizes: Any) -> LanguageModel:
    """Publishes an untrained language model."""
    model = ModelSection(**{**SIZES, **sizes})
    network = LanguageModel(model, VOCABULARY, seed, tf.float32)
    for name, variable in network.named_variables().items():
        if name.endswith("bias"):  # else 0 or 1
            variable.assign(tf.random.stateless_normal(variable.shape, [seed, len(name)]))
    recipe = {"task": "generate", "task_options": {"direction": direction}, "model": model.model_dump(mode="json")}
    with publish(folder, "model", f"{direction} {seed}") as draft:
        save_arrays(draft.path / "weights.npz", network.named_variables())
        (draft.path / "model.json").write_text(json.dumps({"recipe": recipe, "vocabulary": VOCABULARY}))
        draft.facts = {"vocabulary": {"size": VOCABULARY, "fingerprint": hashlib.sha256(VOCABULARY_BYTES).hexdigest()}}
    return network


@pytest.fixture
def models(tmp_path: Path) -> tuple[LanguageModel, LanguageModel]:
    """Two language models, in the folders `forward` and `backward`."""
    return language_model(tmp_path / "forward", "forward", 1), language_model(tmp_path / "backward", "backward", 2)


def start(tmp_path: Path, *changes: str, initial: str = "{model: forward, backward: backward}") -> Seq2Seq:
    """Returns a pair model that starts from what is in the folder."""
    initial = initial.replace("forward,", f"{tmp_path / 'forward'},").replace("backward}", f"{tmp_path / 'backward'}}}")
    recipe = parse_recipe(PAIRS, "pairs", [f"training.initial={initial}", *changes])
    network = Seq2Seq(recipe.model, VOCABULARY, 3, tf.float32)
    variables = network.named_variables()
    if not (tmp_path / "tokenizer").exists():
        with publish(tmp_path / "tokenizer", "tokenizer", "t") as draft:
            (draft.path / "tokenizer.model").write_bytes(VOCABULARY_BYTES)
            draft.facts = {"vocabulary": VOCABULARY}
    for name, value in taken(recipe, tmp_path / "tokenizer", network).items():
        variables[name].assign(value)
    return network


@pytest.mark.parametrize("residual", [False, True])
def test_an_encoder_computes_what_its_language_models_compute(tmp_path: Path, residual: bool) -> None:
    sizes = {"residual": residual, "embedding": 6}
    forward = language_model(tmp_path / "forward", "forward", 1, **sizes)
    backward = language_model(tmp_path / "backward", "backward", 2, **sizes)
    network = start(tmp_path, f"model.residual={str(residual).lower()}")
    ids = np.random.default_rng(0).integers(4, VOCABULARY, [3, 8]).astype(np.int32)
    lengths = np.array([8, 5, 1])
    ids[np.arange(8) >= lengths[:, None]] = 0
    embedded = forward.softmax.embed(tf.constant(ids.T))
    found, _ = network.encoder(embedded, tf.constant(lengths, tf.int32), None)
    for row, length in enumerate(lengths):
        own = embedded[:length, row : row + 1]
        ahead, _, _ = forward.stack.run(own, forward.stack.zero_state(1), None, 0)
        back, _, _ = backward.stack.run(own[::-1], backward.stack.zero_state(1), None, 0)
        expected = np.concatenate([ahead[:, 0], back[::-1, 0]], axis=1)
        np.testing.assert_allclose(found[:length, row], expected, atol=1e-5)


def test_every_member_of_an_ensemble_starts_from_them(tmp_path: Path, models: object) -> None:
    labels = "task_options={members: 2}"
    sizes = ["model.encoder_units=5", "model.encoder_layers=2", "model.embedding=6"]
    initial = f"training.initial={{model: {tmp_path / 'forward'}, backward: {tmp_path / 'backward'}}}"
    recipe = parse_recipe("{name: a, task: classify, corpus: {train: a}}", "a", [labels, *sizes, initial])
    network = load_task("classify").build(recipe, VOCABULARY, ["a", "b"])
    with publish(tmp_path / "tokenizer", "tokenizer", "t") as draft:
        (draft.path / "tokenizer.model").write_bytes(VOCABULARY_BYTES)
        draft.facts = {"vocabulary": VOCABULARY}
    found = taken(recipe, tmp_path / "tokenizer", network)
    names = [name for name in network.named_variables() if "encoder" in name or "embedding" in name]
    assert sorted(found) == names
    assert len(names) == 2 * (1 + 2 * 2 * 3)
    for name in names:
        if name.startswith("member1_"):
            np.testing.assert_array_equal(found[name], found[name.removeprefix("member1_")])


def test_what_no_language_model_has_is_drawn_by_the_seed(tmp_path: Path, models: object) -> None:
    network = start(tmp_path)
    fresh = Seq2Seq(network.sizes, VOCABULARY, 3, tf.float32).named_variables()
    kept = [name for name, value in network.named_variables().items() if np.array_equal(value, fresh[name])]
    assert {name.split("/")[0].rstrip("_01") for name in kept} == {
        "attention",
        "attention_combine",
        "bridge",
        "decoder",
        "embedding",
    }
    assert "embedding/table" not in kept


def test_the_forward_layers_by_themselves(tmp_path: Path, models: tuple[LanguageModel, LanguageModel]) -> None:
    network = start(tmp_path, initial="{model: forward, parts: [layers]}")
    found = network.named_variables()
    np.testing.assert_array_equal(found["encoder_0_forward/kernel"], models[0].stack.layers[0].kernel)
    np.testing.assert_array_equal(found["encoder_1_forward/kernel"][:5], models[0].stack.layers[1].kernel)
    assert not np.any(found["encoder_1_forward/kernel"][5:])
    fresh = Seq2Seq(network.sizes, VOCABULARY, 3, tf.float32).named_variables()
    np.testing.assert_array_equal(found["encoder_0_backward/kernel"], fresh["encoder_0_backward/kernel"])
    np.testing.assert_array_equal(found["embedding/table"], fresh["embedding/table"])


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        (["model.encoder_units=4"], "forward has 2 layers of 5 units that read 6 numbers, .* has 2 layers of 4 units"),
        (
            ["model.encoder_layers=1"],
            "has 2 layers of 5 units .*, and this network has 1 layer of 5 units that reads 6",
        ),
        (["model.embedding=8"], r"embedding/table is \[40, 6\] in .*forward and \[40, 8\] in this recipe"),
        (["model.residual=true"], "forward has model.residual=false, and this recipe has true"),
    ],
)
def test_layers_of_other_sizes_are_refused_with_both_sides(
    tmp_path: Path, models: object, changes: list[str], match: str
) -> None:
    with pytest.raises(UserError, match=rf"^training\.initial: .*{match}") as caught:
        start(tmp_path, *changes)
    assert "\n" not in str(caught.value)


def test_a_model_of_the_wrong_direction_is_refused(tmp_path: Path) -> None:
    language_model(tmp_path / "forward", "backward", 1)
    language_model(tmp_path / "backward", "backward", 1)
    with pytest.raises(UserError, match=r"training\.initial\.model: .*forward is a model that reads backward, and one"):
        start(tmp_path)


def test_a_warning_where_the_two_were_trained_with_other_embeddings(
    tmp_path: Path, models: object, caplog: pytest.LogCaptureFixture
) -> None:
    start(tmp_path)
    assert "was trained with another embedding than" in caplog.text
    caplog.clear()
    language_model(tmp_path / "again", "backward", 1)  # the seed of the forward one: the same embedding
    start(tmp_path, initial=f"{{model: forward, backward: {tmp_path / 'again'}}}")
    assert not caplog.text
