"""Rows of TFRecord files of `tf.train.Example`, such as the record shards of `lstmlm ingest`."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lstmlm.corpus.reading.ranges import FileRange
from lstmlm.corpus.reading.readers import Reader
from lstmlm.corpus.reading.rows import Row, not_utf8
from lstmlm.recipe.sections.corpus import CorpusSection
from lstmlm.records.protobuf import fields, number_of
from lstmlm.records.tfrecord import read_records

_VARINT = re.compile(rb"[\x80-\xff]*[\x00-\x7f]")

_FIELD_1, _FIELD_2, _FIELD_3 = 1 << 3 | 2, 2 << 3 | 2, 3 << 3 | 2
_SINGLE_VARINT, _SINGLE_FLOAT = 1 << 3 | 0, 1 << 3 | 5


class Examples(Reader):
    """See the module. Local inputs of the batch job only: a corpus is made of other files, as such are made of it."""

    endings = (".tfrecord",)
    of_corpora = False
    of_stores = False

    def rows(
        self, file_range: FileRange, corpus: CorpusSection, needed: Sequence[str], *, others: bool = False
    ) -> Iterator[Row]:
        """See `Reader`."""
        return example_rows(file_range.file.path)


def example_rows(path: str) -> Iterator[Row]:
    """Yields a row per example; a feature of one value is that value, one of several a list of them.

    Raises:
        UserError: The file cannot be read, or is damaged.
    """
    for number, payload in enumerate(read_records(Path(path)), start=1):
        try:
            yield Row(number, len(payload), dict(_features(payload)))
        except UnicodeDecodeError as error:
            yield Row(number, len(payload), dead=not_utf8(error))
        except (ValueError, struct.error):
            yield Row(number, len(payload), dead="not a tf.train.Example")


def _features(example: bytes) -> Iterator[tuple[str, Any]]:
    """Yields the features of an example: name and value.

    Raises:
        ValueError: The bytes are something else.
    """
    for features in _inside(example, _FIELD_1):
        for entry in _inside(features, _FIELD_1):
            (name,), (feature,) = _inside(entry, _FIELD_1), _inside(entry, _FIELD_2)
            for kind, content in fields(feature):
                values = list(_values(kind, content))
                yield name.decode("utf-8"), values[0] if len(values) == 1 else values


def _values(kind: int, content: bytes) -> Iterator[str | int | float]:
    """Yields the values of a feature: texts (bytes_list), numbers (float_list) or whole numbers (int64_list)."""
    for key, part in fields(content):
        if kind == _FIELD_1 and key == _FIELD_1:
            yield part.decode("utf-8")
        elif kind == _FIELD_2 and key in (_FIELD_1, _SINGLE_FLOAT):
            yield from (value for (value,) in struct.iter_unpack("<f", part))
        elif kind == _FIELD_3 and key in (_FIELD_1, _SINGLE_VARINT):
            yield from map(_signed, _VARINT.findall(part))


def _signed(varint: bytes) -> int:
    number = number_of(varint)
    return number - (1 << 64) if number >> 63 else number


def _inside(message: bytes, key: int) -> list[bytes]:
    return [content for found, content in fields(message) if found == key]


READER = Examples()
