"""The SavedModel: raw strings in, text out, in every loader, and the same as the batch job's."""

import json
import shutil

import pytest
import tensorflow as tf
import tensorflow_text

from lstmlm.decoding.search.request import SearchRequest
from lstmlm.errors import UserError
from lstmlm.export import export
from lstmlm.inference.model.loading import load_text_model
from lstmlm.inference.run import infer
from lstmlm.progress import Silent
from lstmlm.publish.folder import publish
from lstmlm.recipe.sections.decoding import DecodingSection
from lstmlm.recipe.sections.tokenizer import TokenizerSection
from lstmlm.records.record import stable_hash
from lstmlm.tokenizer import Tokenizer
from lstmlm.tokenizer.sentencepiece.graph import ids_of, text_of
from lstmlm.vocabulary.train import train_model

pytestmark = pytest.mark.slow

TEXTS = ["The statement", "é ☃ 漢字 \N{GRINNING FACE}", "", "a " * 300, "x"]


def serve(folder, texts, seeds):
    loaded = tf.saved_model.load(str(folder))
    return loaded.signatures["serving_default"](text=tf.constant(texts, tf.string), seed=tf.constant(seeds, tf.int64))


def test_the_batch_job_writes_what_the_saved_model_says(exported, tmp_path):
    recipe = exported.recipe
    infer(recipe, exported.export, tmp_path / "out", Silent(), records=exported.records)
    lines = [json.loads(line) for path in sorted((tmp_path / "out").glob("pred*")) for line in path.open()]
    # The SentencePiece inside TensorFlow cuts a run such as ===== elsewhere where two ways are equally likely, and
    # writes bytes that are no text its own way.
    outside = Tokenizer(exported.export / "tokenizer.model")
    inside = tensorflow_text.SentencepieceTokenizer(model=outside.model_bytes, out_type=tf.int32)
    ids = inside.tokenize([line["source"] for line in lines]).to_list()
    alike = [line for line, row in zip(lines, ids, strict=True) if outside.encode(line["source"]) == row]
    assert len(alike) > 0.9 * len(lines) > 5
    seeds = [stable_hash(recipe.seed, line["id"]) for line in alike]
    served = serve(exported.export, [line["source"] for line in alike], seeds)["output"].numpy()
    pairs = [(text.decode(), line["output"]) for text, line in zip(served, alike, strict=True)]
    assert [one.replace("\ufffd", "") for one, _ in pairs] == [other.replace("\ufffd", "") for _, other in pairs]


def test_the_output_is_text_for_any_text(exported):
    served = serve(exported.export, TEXTS, [1] * len(TEXTS))
    for text in served["output"].numpy():
        text.decode("utf-8")
    assert served["cut"].numpy()[0] == 0
    # What was not read of a source is counted; a prompt is read whole.
    assert (served["cut"].numpy()[3] > 0) == (exported.recipe.task == "translate")
    assert (served["tokens"].numpy() <= 12).all()


def test_any_number_of_rows_any_bytes_and_no_seed(exported):
    loaded = tf.saved_model.load(str(exported.export))
    texts = [*TEXTS, b"\xff\xfe abc", *(f"row {n}" for n in range(64))]
    whole = serve(exported.export, texts, [1] * len(texts))["output"].numpy()
    for some in ([], [3], [0, 5, 6]):
        part = serve(exported.export, [texts[n] for n in some], [1] * len(some))["output"].numpy()
        assert part.tolist() == [whole[n] for n in some]
    assert len(loaded.signatures["text_only"](text=tf.constant(texts))["output"]) == len(texts)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        signature = tf.compat.v1.saved_model.load(session, ["serve"], str(exported.export)).signature_def
        names = signature["serving_default"]
        found = session.run(names.outputs["output"].name, {names.inputs["text"].name: texts})
    assert found.tolist() == loaded.signatures["text_only"](text=tf.constant(texts))["output"].numpy().tolist()


@pytest.mark.parametrize("exported", ["generate"], indirect=True)
def test_a_prompt_and_its_continuation_can_be_put_together(exported):
    texts = ["The stat", "The stat ", "The", "", "a\n"]
    served = serve(exported.export, texts, [1] * len(texts))["output"].numpy()
    model = load_text_model(exported.export)
    outputs = [output.text for output in model.generate(texts, [1] * len(texts))]
    assert [text.decode() for text in served] == outputs
    pieces = Tokenizer(exported.export / "tokenizer.model").pieces()
    for text, output in zip(texts, outputs, strict=True):
        ((best,),) = model._engine.decode([SearchRequest(model.read(text)[0])])
        written = [pieces[token] for token in best.tokens]
        if all(isinstance(piece, str) and piece.isascii() for piece in written):
            whole = "".join(written)
            assert output == (whole.removeprefix(" ") if not text or text[-1].isspace() else whole)


def test_weights_are_not_exported_as_another_network(exported, tmp_path):
    with publish(tmp_path / "model", "model") as draft:
        trained = exported.recipe.model_copy(
            update={"model": exported.recipe.model.model_copy(update={"residual": True, "dropout": 0.5})}
        )
        (draft.path / "model.json").write_text(json.dumps({"recipe": trained.model_dump(mode="json")}))
    with publish(tmp_path / "tokenizer", "tokenizer") as draft:
        shutil.copy(exported.export / "tokenizer.model", draft.path)
        draft.facts["vocabulary"] = 600
    with pytest.raises(UserError, match=r"trained with model\.residual=True, and .* model\.residual=False\."):
        export(exported.recipe, tmp_path / "model", tmp_path / "tokenizer", tmp_path / "out", Silent())


def test_the_tf1_session_loader_gives_the_same(exported):
    expected = serve(exported.export, TEXTS, [1] * len(TEXTS))["output"].numpy()
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        meta = tf.compat.v1.saved_model.load(session, ["serve"], str(exported.export))
        signature = meta.signature_def["serving_default"]
        feeds = {signature.inputs["text"].name: TEXTS, signature.inputs["seed"].name: [1] * len(TEXTS)}
        outputs = session.run(signature.outputs["output"].name, feeds)
    assert outputs.tolist() == expected.tolist()


def test_the_tokenizer_inside_is_the_tokenizer_outside(exported):
    outside = Tokenizer(exported.export / "tokenizer.model")
    inside = tensorflow_text.SentencepieceTokenizer(model=outside.model_bytes, out_type=tf.int32)
    assert inside.tokenize(TEXTS).to_list() == [outside.encode(text) for text in TEXTS]


def test_a_word_spelled_in_bytes_has_its_space_inside_as_outside(tmp_path):
    settings = TokenizerSection(vocabulary=300, algorithm="word")
    path = tmp_path / "tokenizer.model"
    path.write_bytes(train_model((f"the mat and word{number}" for number in range(60)), settings))
    outside = Tokenizer(path)
    inside = tensorflow_text.SentencepieceTokenizer(model=outside.model_bytes, out_type=tf.int32)
    texts = ["the mat", "Xylofonia the 漢字", "the the", "", "a▁mat \ue281 \ue2811 ▁▁", "</s> <|end|> <unk>"]
    rows = ids_of(texts, inside, outside)
    assert rows.to_list() == [outside.encode(text) for text in texts]
    assert max(map(len, rows.to_list())) > 5  # bytes
    found = [text.decode() for text in text_of(rows.to_tensor(), inside, outside).numpy()]
    assert found == texts == [outside.decode(row) for row in rows.to_list()]


def test_a_language_model_has_no_source_to_take_words_from(stages, recipe, tmp_path):
    asked = recipe.model_copy(update={"decoding": DecodingSection(replace_unknown=True)})
    with pytest.raises(UserError, match=r"decoding\.replace_unknown: a language model has no source") as caught:
        export(asked, tmp_path / "model", stages / "tokenizer", tmp_path / "out", Silent())
    assert "\n" not in str(caught.value)


def test_a_tokenizer_that_the_model_was_not_trained_with_is_refused(exported, tmp_path):
    with publish(tmp_path / "model", "model") as draft:
        draft.facts["vocabulary"] = {"size": 600, "fingerprint": "f" * 64}
    with publish(tmp_path / "tokenizer", "tokenizer") as draft:
        draft.facts["vocabulary"] = 800
    with pytest.raises(
        UserError, match="the weights were made with a vocabulary of 600 tokens, but the tokenizer has 800"
    ):
        export(exported.recipe, tmp_path / "model", tmp_path / "tokenizer", tmp_path / "out", Silent())


def test_a_damaged_model_is_refused(exported, tmp_path):
    copy = tmp_path / "export"
    shutil.copytree(exported.export, copy)
    weights = bytearray((copy / "weights.npz").read_bytes())
    weights[100] ^= 1
    (copy / "weights.npz").write_bytes(weights)
    with pytest.raises(UserError, match=r"weights\.npz"):
        infer(exported.recipe, copy, tmp_path / "out", Silent(), records=exported.records)


def test_a_folder_without_a_manifest_is_refused(exported, tmp_path):
    (tmp_path / "model").mkdir()
    with pytest.raises(UserError, match="not a finished result"):
        export(exported.recipe, tmp_path / "model", tmp_path, tmp_path / "out", Silent())
    assert not (tmp_path / "out").exists()
