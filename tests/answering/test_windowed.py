"""The reader by onnxruntime answers as the SavedModel's graph does, however long the passage is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from lstmlm.answering.lexicon import Lexicon
from lstmlm.answering.limits import Limits
from lstmlm.answering.served import Served
from lstmlm.answering.windowed import WindowedReader
from lstmlm.bases.graph_tokenizer import GraphTokenizer
from lstmlm.decoding.onnx.reading.reader import reading
from lstmlm.inference.model.one_pass_onnx import onnx_file
from lstmlm.models.reader.reader import Reader
from lstmlm.publish.folder import publish
from lstmlm.recipe.sections.model import ModelSection
from lstmlm.task import Prediction
from lstmlm.tokenizer import MODEL_FILE, Tokenizer
from tests.answering.conftest import TEXT

ASKED = [
    ("Who won?", TEXT),
    ("Which game ended in 1066, and why?", f"é東 {TEXT} {TEXT} {TEXT}"),
    ("won", f"{TEXT}\n\n{TEXT}"),
    ("Who?", " \n"),
    ("Who?", ""),
]


def made(request: Any, found: Any) -> Prediction:
    return Prediction(dict(found))


def trained(tokenizer: Tokenizer, *, residual: bool) -> Reader:
    """A reader with weights that are no longer those it began with: of 0 and 1 nothing would be noticed."""
    sizes = ModelSection(
        embedding=6, encoder_units=5, encoder_layers=2, units=4, layers=2, dropout=0.0, residual=residual
    )
    reader = Reader(sizes, tokenizer.size, 5, seed=1, precision=tf.float32)
    rng = np.random.default_rng(0)
    for variable in reader.trainable_variables:
        variable.assign_add(rng.normal(0.0, 0.3, variable.shape))
    reader.temperature.assign(0.4)
    return reader


def exported(vocabulary: Path, reader: Reader, folder: Path, *, residual: bool) -> Path:
    weights = {name: variable.numpy() for name, variable in reader.named_variables().items()}
    with publish(folder, "export") as draft:
        (draft.path / MODEL_FILE).write_bytes(vocabulary.read_bytes())
        (draft.path / "model.json").write_text(json.dumps({"batch": 4}))
        for int8 in (False, True):
            graph = reading(weights, residual=residual, int8=int8)
            onnx_file(draft.path, int8=int8).write_bytes(graph.SerializeToString())
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(("residual", "no_answer"), [(False, True), (True, False)])
def test_answers_are_those_of_the_served_graph(
    vocabulary: Path, tokenizer: Tokenizer, tmp_path: Path, residual: bool, no_answer: bool
) -> None:
    reader = trained(tokenizer, residual=residual)
    limits = Limits(longest=32, stride=16, question=8, no_answer=no_answer)
    served = Served(reader, GraphTokenizer(tokenizer), Lexicon(tokenizer), limits)
    expected = served(*(tf.constant(texts) for texts in zip(*ASKED, strict=True)))
    folder = exported(vocabulary, reader, tmp_path / "export", residual=residual)
    answers = WindowedReader(folder, limits, made, int8=False, threads=1)
    requests = [{"question": question, "context": context} for question, context in ASKED]
    for n, found in enumerate(answers.predict(requests, [0] * len(requests))):
        assert found.fields["answer"] == expected["answer"][n].numpy().decode()
        for name in ("start", "end"):
            assert found.fields[name] == int(expected[name][n])
        assert found.fields["confidence"] == pytest.approx(float(expected["confidence"][n]), rel=1e-3, abs=1e-6)


def test_int8_scores_are_near_those_of_float32(vocabulary: Path, tokenizer: Tokenizer, tmp_path: Path) -> None:
    reader = trained(tokenizer, residual=False)
    limits = Limits(longest=32, stride=16, question=8, no_answer=False)
    folder = exported(vocabulary, reader, tmp_path / "export", residual=False)
    requests = [{"question": question, "context": context} for question, context in ASKED[:3]]
    found = [
        WindowedReader(folder, limits, made, int8=int8, threads=1).predict(requests, [0] * len(requests))
        for int8 in (False, True)
    ]
    for exact, rounded in zip(*found, strict=True):
        assert rounded.fields["odds"] == pytest.approx(exact.fields["odds"], abs=0.3)
        assert rounded.fields["odds"] != exact.fields["odds"]


def test_no_requests_have_no_answers(vocabulary: Path, tokenizer: Tokenizer, tmp_path: Path) -> None:
    reader = trained(tokenizer, residual=False)
    folder = exported(vocabulary, reader, tmp_path / "export", residual=False)
    limits = Limits(longest=32, stride=16, question=8, no_answer=False)
    assert WindowedReader(folder, limits, made, int8=False, threads=1).predict([], []) == []
