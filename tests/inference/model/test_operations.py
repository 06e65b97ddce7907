"""SavedModels that would do more than compute."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from lstmlm.errors import UserError
from lstmlm.inference.model.operations import FILE, check_operations
from lstmlm.inference.model.served import ServedModel
from lstmlm.publish.folder import publish
from tests.tiny import TinyRun

SIGNATURE = [tf.TensorSpec([None], tf.string, name="text"), tf.TensorSpec([None], tf.int64, name="seed")]


class Writer(tf.Module):
    """Writes a file when it is called."""

    def __init__(self, marker: Path) -> None:
        super().__init__()
        self._marker = str(marker)

    @tf.function(input_signature=SIGNATURE)
    def serve(self, text: tf.Tensor, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        tf.io.write_file(self._marker, "x")
        return {"output": text, "tokens": tf.cast(seed, tf.int32)}


class Hidden(Writer):
    """Writes a file in a branch of a function of a function."""

    @tf.function(input_signature=SIGNATURE)
    def serve(self, text: tf.Tensor, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        @tf.function
        def inner(count: tf.Tensor) -> tf.Tensor:
            if count > 3:
                tf.io.write_file(self._marker, "x")
            return count

        return {"output": text, "tokens": tf.fill(tf.shape(text), inner(tf.size(text)))}


class Loader(tf.Module):
    """Reads a file when it is loaded."""

    def __init__(self, names: Path) -> None:
        super().__init__()
        keys = tf.lookup.TextFileInitializer(
            str(names), tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER
        )
        self.table = tf.lookup.StaticHashTable(keys, -1)

    @tf.function(input_signature=SIGNATURE)
    def serve(self, text: tf.Tensor, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"output": text, "tokens": tf.cast(self.table.lookup(text), tf.int32)}


class Caller(tf.Module):
    """Calls Python."""

    @tf.function(input_signature=SIGNATURE)
    def serve(self, text: tf.Tensor, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"output": tf.numpy_function(lambda value: value, [text], tf.string), "tokens": tf.cast(seed, tf.int32)}


def published(folder: Path, module: Any) -> Path:
    with publish(folder, "export") as draft:
        tf.saved_model.save(module, str(draft.path), signatures={"serving_default": module.serve})
        (draft.path / "model.json").write_text('{"batch": 2}')
    return folder


@pytest.mark.parametrize("kind", [Writer, Hidden, Loader, Caller])
def test_a_model_that_reaches_outside_is_refused(kind: Any, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    if kind is Loader:
        (tmp_path / "names").write_text("a\n")
    arguments = {Writer: [marker], Hidden: [marker], Loader: [tmp_path / "names"], Caller: []}[kind]
    folder = published(tmp_path / "export", kind(*arguments))
    with pytest.raises(UserError, match="this model contains operations with side effects: ") as caught:
        ServedModel(folder)
    assert caught.value.where == str(folder / FILE)
    assert not marker.exists()


@pytest.mark.slow
def test_own_exports_reach_nothing_outside(exported: TinyRun) -> None:
    check_operations(exported.export)
    assert ServedModel(exported.export).generate(["a"], [1])


@pytest.mark.parametrize("content", [b"nothing", b"\xff" * 100])
def test_what_is_no_model_costs_one_line(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not a SavedModel"):
        check_operations(tmp_path)
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(UserError, match="not a SavedModel"):
        check_operations(tmp_path)
