"""The loaded model: order, padding, refusals."""

import json
import shutil
from pathlib import Path

import pytest

from lstmlm.errors import UserError
from lstmlm.inference.model.served import Output, ServedModel, batch_size


def test_rows_keep_their_order_and_do_not_depend_on_their_batch(shouter: Path) -> None:
    model = ServedModel(shouter)
    texts = [f"text é {i}" for i in range(9)]  # two batches and a bit
    outputs = model.generate(texts, range(9))
    assert outputs == [Output(f"TEXT É {i}|{i}", 9, 1) for i in range(9)]
    assert outputs == [model.generate([text], [i])[0] for i, text in enumerate(texts)]
    assert model.generate([], []) == []


def test_each_text_needs_a_seed(shouter: Path) -> None:
    with pytest.raises(ValueError, match="2 texts and 1 seeds"):
        ServedModel(shouter).generate(["a", "b"], [1])


def test_a_folder_that_is_not_finished_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not a finished result"):
        ServedModel(tmp_path)


def test_a_changed_file_is_refused(shouter: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(shouter, tmp_path / "copy")
    (copy / "model.json").write_text(json.dumps({"batch": 8}))  # as long as before
    with pytest.raises(UserError, match=r"model\.json: file is missing or does not match the manifest"):
        ServedModel(copy)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"batch": 0}', '{"batch": true}', '{"batch": "4"}'])
def test_model_json_must_say_the_batch(tmp_path: Path, content: str) -> None:
    (tmp_path / "model.json").write_text(content)
    with pytest.raises(UserError, match="batch"):
        batch_size(tmp_path)
