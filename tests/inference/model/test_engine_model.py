"""A decoded model's text: what its vocabulary does not know is taken from the source."""

import io

import pytest
import sentencepiece
import tensorflow as tf

from lstmlm.decoding.onnx import files as onnx_files
from lstmlm.errors import UserError
from lstmlm.inference.model.backend_kind import BackendKind, backend_kind
from lstmlm.inference.model.engine_model import EngineModel
from lstmlm.models.seq2seq import Seq2Seq
from lstmlm.models.weights import save_arrays
from lstmlm.recipe.sections.decoding import DecodingSection
from lstmlm.recipe.sections.model import ModelSection
from lstmlm.tokenizer import MODEL_FILE, Tokenizer

SIZES = ModelSection(embedding=8, units=12, encoder_units=6, dropout=0.0)
LINES = ["the cat sat on the mat", "a dog and a cat", "hello world", "le chat et le chien"] * 20
METHODS = [{"method": "greedy"}, {"method": "sample"}, {"method": "beam", "beam": 3, "n_best": 2}]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """An untrained model that knows no word: it writes only the unknown token and *end*."""
    folder, pieces = tmp_path_factory.mktemp("export"), io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(LINES), model_writer=pieces, vocab_size=40, hard_vocab_limit=False,
        pad_id=0, unk_id=1, bos_id=2, eos_id=3, minloglevel=2,
    )  # fmt: skip
    (folder / MODEL_FILE).write_bytes(pieces.getvalue())
    network = Seq2Seq(SIZES, Tokenizer(folder / MODEL_FILE).size, 1, tf.float32)
    bias = network.softmax.bias.numpy() - 99
    bias[[Tokenizer.UNK, Tokenizer.END]] = 3, 1
    network.softmax.bias.assign(bias)
    save_arrays(folder / "weights.npz", network.named_variables())
    onnx_files.write(folder, {name: variable.numpy() for name, variable in network.named_variables().items()})
    return folder


def load(folder, **decoding):
    decoding = {"max_tokens": 4, **decoding}
    size = Tokenizer(folder / MODEL_FILE).size
    facts = {"decoding": decoding, "max_source": 9, "task": "translate", "vocabulary": size}
    return EngineModel(folder, facts | {"model": SIZES.model_dump(mode="json")}, threads=1)


@pytest.mark.parametrize("backend", ["onnx", "tensorflow"])
@pytest.mark.parametrize("decoding", METHODS, ids=[options["method"] for options in METHODS])
def test_the_unknown_is_that_of_the_source(folder, decoding, backend):
    model = load(folder, replace_unknown=True, backend=backend, **decoding)
    (output,) = model.generate(["漢字"], [1])
    for text in (output.text, *(text for text, _ in output.n_best)):
        assert text == "漢字" * (len(text) // 2)
    assert output.text == "漢字" * output.tokens
    assert output.tokens > 0
    # Of a source that is cut and whose words are known, what was read of it.
    (output,) = model.generate(["the cat 漢 " * 20], [1])
    assert output.cut > 0
    assert output.text
    assert set(output.text) <= set("thecat漢")
    # Of no source there is nothing to take.
    assert "\N{DOUBLE QUESTION MARK}" in model.generate([""], [1])[0].text


def test_the_unknown_stays_where_it_is_not_asked_for(folder):
    (output,) = load(folder).generate(["漢字"], [1])
    assert output.text.split() == ["\N{DOUBLE QUESTION MARK}"] * output.tokens


class Elsewhere(BackendKind):
    """A backend of another package."""

    precisions = ("float32",)

    def load(self, folder, facts, decoding, threads, task):
        return backend_kind("onnx").load(folder, facts, decoding, threads, task)


def test_a_backend_of_another_package_decodes_as_the_recipe_says(folder):
    name = f"{__name__}:Elsewhere"
    facts = {"max_source": 9, "task": "translate", "vocabulary": Tokenizer(folder / MODEL_FILE).size}
    facts |= {"model": SIZES.model_dump(mode="json"), "decoding": {"max_tokens": 4}}
    theirs = EngineModel(folder, facts, threads=1, decoding=DecodingSection(max_tokens=4, backend=name))
    assert theirs.generate(["a cat"], [1]) == load(folder).generate(["a cat"], [1])
    with pytest.raises(ValueError, match=r"backend .*:Elsewhere computes in float32, not in int8"):
        DecodingSection(backend=name, precision="int8")


def test_a_model_folder_names_no_code(folder):
    with pytest.raises(UserError, match=r"a model folder names the code 'tests.no_such_module:Backend' as its backend"):
        load(folder, backend="tests.no_such_module:Backend")
