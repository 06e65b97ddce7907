"""A given tokenizer.json of every kind: from its examples to a SavedModel that takes and gives token ids."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import tensorflow as tf

from lstmlm.checks.needs import EXPORT, TOKENIZER
from lstmlm.checks.recipe import checked_recipe
from lstmlm.corpus.ingest import ingest
from lstmlm.errors import UserError
from lstmlm.examples.build import build_examples
from lstmlm.export import export
from lstmlm.hub.load import load
from lstmlm.hub.write import write
from lstmlm.inference.model.loading import load_text_model
from lstmlm.inference.model.served import ServedModel, continued
from lstmlm.inference.run import infer
from lstmlm.progress import Silent
from lstmlm.recipe.file import parse_recipe
from lstmlm.recipe.recipe import Recipe
from lstmlm.task import load_task
from lstmlm.tokenizer import Tokenizer
from lstmlm.vocabulary.stage import train_tokenizer
from tests.given import KINDS
from tests.tiny import PAIRS, RECIPE, untrained

pytestmark = pytest.mark.slow

TEXTS = ["The statement", "the value of é ☃", "a " * 60, "x"]


def recipe_of(text: str, root: Path, vocabulary: Path, *more: str) -> Recipe:
    settings = [f"corpus.root={root}", f"tokenizer.model={vocabulary}", "decoding.max_tokens=12"]
    text = text.replace("tokenizer: {vocabulary: 600}\n", "").replace("tokenizer: {vocabulary: 500}\n", "")
    return parse_recipe(text, "given", [*settings, *more])


def made(kind: str, text: str, root: Path, folder: Path, more: Sequence[str] = ()) -> Recipe:
    """Makes a vocabulary of a kind, the examples with it, and the export of an untrained model."""
    vocabulary = folder / "theirs.json"
    lines = [json.loads(line)["text"] for line in (root.parent / "texts.jsonl").read_text().splitlines()]
    KINDS[kind](lines).save(str(vocabulary))
    recipe = recipe_of(text, root, vocabulary, *more)
    train_tokenizer(recipe, root / "records", folder / "tokenizer", Silent())
    build_examples(recipe, root / "records", folder / "tokenizer", folder / "examples", Silent())
    untrained(recipe, folder / "tokenizer", folder / "model")
    export(recipe, folder / "model", folder / "tokenizer", folder / "export", Silent())
    return recipe


def served(folder: Path, texts: Sequence[str], seeds: Sequence[int]) -> dict[str, list[object]]:
    """Calls the SavedModel as a server would, which has the ids from elsewhere."""
    words = Tokenizer(folder / "tokenizer.json")
    rows = [words.encode(text) for text in texts]
    ids = tf.ragged.constant(rows, tf.int32, ragged_rank=1).to_tensor()
    call = tf.saved_model.load(str(folder)).signatures["serving_default"]
    found = call(ids=ids, seed=tf.constant(seeds, tf.int64))
    return {name: values.numpy().tolist() for name, values in found.items()}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("task", ["generate", "translate"])
def test_what_is_served_is_what_the_batch_job_writes(
    kind: str, task: str, stages: Path, pair_stages: Path, tmp_path: Path
) -> None:
    root = stages if task == "generate" else pair_stages
    (root.parent / "texts.jsonl").write_bytes((stages / "text.jsonl").read_bytes())
    recipe = made(kind, RECIPE if task == "generate" else PAIRS, root, tmp_path)
    words, seeds = Tokenizer(tmp_path / "export" / "tokenizer.json"), list(range(len(TEXTS)))
    outputs = load_text_model(tmp_path / "export").generate(TEXTS, seeds)
    found = served(tmp_path / "export", TEXTS, seeds)
    if task == "generate":
        following = [words.decode_continuation(ids) for ids in found["continuation_ids"]]
        texts = [continued(text, more) for text, more in zip(TEXTS, following, strict=True)]
    else:
        texts = [words.decode(ids) for ids in found["output_ids"]]
    assert texts == [output.text for output in outputs]
    assert found["tokens"] == [output.tokens for output in outputs]
    assert found["cut"] == [output.cut for output in outputs]
    assert (found["cut"][2] > 0) == (task == "translate")
    infer(recipe, tmp_path / "export", tmp_path / "out", Silent(), records=root / "records")
    assert sum(len(path.read_text().splitlines()) for path in (tmp_path / "out").glob("predictions*")) > 5


def test_a_model_beyond_the_engine_is_decoded_by_its_saved_model(
    stages: Path, pair_stages: Path, tmp_path: Path
) -> None:
    (pair_stages.parent / "texts.jsonl").write_bytes((stages / "text.jsonl").read_bytes())
    made("word_piece", PAIRS, pair_stages, tmp_path, ["model.attention=bahdanau"])
    model = load_text_model(tmp_path / "export")
    assert isinstance(model, ServedModel)
    words, seeds = Tokenizer(tmp_path / "export" / "tokenizer.json"), list(range(len(TEXTS)))
    found = served(tmp_path / "export", TEXTS, seeds)
    outputs = model.generate(TEXTS, seeds)
    assert [output.text for output in outputs] == [words.decode(ids) for ids in found["output_ids"]]


def test_it_goes_to_the_hub_and_comes_back(stages: Path, tmp_path: Path) -> None:
    (stages.parent / "texts.jsonl").write_bytes((stages / "text.jsonl").read_bytes())
    made("byte_bpe", RECIPE, stages, tmp_path)
    write(tmp_path / "export", tmp_path / "hub")
    load(tmp_path / "hub", tmp_path / "again", Silent())
    models = [load_text_model(tmp_path / name) for name in ("export", "again")]
    first, second = ([output.text for output in model.generate(TEXTS, [1] * len(TEXTS))] for model in models)
    assert first == second
    from transformers import AutoTokenizer

    theirs, ours = AutoTokenizer.from_pretrained(tmp_path / "hub"), Tokenizer(tmp_path / "export" / "tokenizer.json")
    assert [theirs(text).input_ids for text in TEXTS] == [ours.encode(text) for text in TEXTS]


LABELS = """
name: labels
task: classify
corpus: {train: labels.jsonl, valid_fraction: 0.2, shards: 1}
examples: {max_source: 24}
model: {embedding: 12, encoder_units: 10, units: 16}
decoding: {batch: 4}
"""


@pytest.mark.parametrize("kind", KINDS)
def test_labels_are_predicted_from_ids(kind: str, stages: Path, tmp_path: Path) -> None:
    lines = [json.loads(line)["text"] for line in (stages / "text.jsonl").read_text().splitlines()]
    rows = [json.dumps({"text": line, "label": "long" if len(line) > 200 else "short"}) for line in lines]
    (tmp_path / "labels.jsonl").write_text("\n".join(rows) + "\n")
    vocabulary = tmp_path / "theirs.json"
    KINDS[kind](lines).save(str(vocabulary))
    recipe = parse_recipe(LABELS, "given", [f"corpus.root={tmp_path}", f"tokenizer.model={vocabulary}"])
    ingest(recipe, tmp_path / "records", Silent())
    train_tokenizer(recipe, tmp_path / "records", tmp_path / "tokenizer", Silent())
    task, words = load_task("classify"), Tokenizer(tmp_path / "tokenizer" / "tokenizer.json")
    network = task.build(recipe, words.size, words.labels)
    module, signatures = task.serving(network, words, recipe)
    ids = tf.ragged.constant([words.encode(text) for text in TEXTS], tf.int32, ragged_rank=1).to_tensor()
    found = signatures["serving_default"](text=ids)
    for row, text in enumerate(TEXTS):
        closed = tf.constant([[*words.encode(text)[:23], Tokenizer.END]])
        expected = network.predict({"tokens": closed, "cut": tf.zeros([1], tf.int32)})["probabilities"]
        assert found["probabilities"].numpy()[row] == pytest.approx(expected.numpy()[0], abs=1e-5)
    assert found["cut"].numpy()[2] == len(words.encode(TEXTS[2])) - 23
    assert module is not None


def test_a_task_that_finds_places_refuses_it_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}")
    (tmp_path / "r.yaml").write_text(LABELS + f"tokenizer: {{model: {tmp_path / 'a.json'}}}\n")
    with pytest.raises(UserError, match="finds places in texts inside the exported graph"):
        checked_recipe(tmp_path / "r.yaml", ["task_options.kind=tokens"], [TOKENIZER, EXPORT])
