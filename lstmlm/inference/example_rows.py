"""Rows of TFRecord files of `tf.train.Example`, such as the record shards of `lstmlm ingest`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lstmlm.corpus.rows import Row, not_utf8
from lstmlm.protobuf import fields
from lstmlm.tfrecord import read_records

TFRECORD = ".tfrecord"

_FIELD_1, _FIELD_2 = 1 << 3 | 2, 2 << 3 | 2


def example_rows(path: str) -> Iterator[Row]:
    """Yields a row an example: a bytes feature of one value is text, one of several a list of texts.

    Raises:
        UserError: The file cannot be read, or is damaged.
    """
    for number, payload in enumerate(read_records(Path(path)), start=1):
        try:
            yield Row(number, len(payload), dict(_texts(payload)))
        except UnicodeDecodeError as error:
            yield Row(number, len(payload), dead=not_utf8(error))
        except ValueError:
            yield Row(number, len(payload), dead="not a tf.train.Example")


def _texts(example: bytes) -> Iterator[tuple[str, Any]]:
    """Yields the bytes features of an example; others hold no text.

    Raises:
        ValueError: The bytes are something else.
    """
    for features in _inside(example, _FIELD_1):
        for entry in _inside(features, _FIELD_1):
            (name,), (feature,) = _inside(entry, _FIELD_1), _inside(entry, _FIELD_2)
            for values in _inside(feature, _FIELD_1):
                texts = [value.decode("utf-8") for value in _inside(values, _FIELD_1)]
                yield name.decode("utf-8"), texts[0] if len(texts) == 1 else texts


def _inside(message: bytes, key: int) -> list[bytes]:
    return [content for found, content in fields(message) if found == key]
