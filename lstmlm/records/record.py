"""The record: one piece of text work, and how it is stored in a `tf.train.Example`.

A record has the same form for every task. A language model uses only `source`; a pair task has one or more
`targets` (several where a source has several accepted outputs).
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Callable, Mapping

from lstmlm.records.columns import Span, Value, moved_span, restored, stored
from lstmlm.records.protobuf import EXAMPLE_HEAD, VALUE_HEAD, bytes_example, bytes_features, entry_head, number_of

_ID = re.compile(EXAMPLE_HEAD + entry_head("id"))
_SOURCE, _TARGETS = re.compile(entry_head("source")), re.compile(entry_head("targets"))
_NEXT = re.compile(VALUE_HEAD)
_HEAD = 64
"""Bytes within which the name of the first feature begins."""
_COLUMN = "column/"
"""Begins the names of features that hold columns: they come before `id`, so a record without any is read fast."""


@dataclasses.dataclass(frozen=True, slots=True)
class Record:
    """One unit of text or other data.

    Attributes:
        id: Unique within a corpus and stable between runs, for example `train.tsv:17`.
        source: The input text.
        targets: The accepted output texts; empty for a language model and at inference.
        columns: What else a task keeps of a row, by name: a label, a question, audio, numbers.
        group: Records of one group never cross splits; empty: the id is used. It is not stored.
    """

    id: str
    source: str
    targets: tuple[str, ...] = ()
    group: str = ""
    columns: Mapping[str, Value] = dataclasses.field(default_factory=dict, hash=False)

    def texts(self) -> tuple[str, ...]:
        """Returns every text: the source, the targets, and the columns that hold one."""
        if not self.columns:
            return (self.source, *self.targets)
        return (self.source, *self.targets, *(value for value in self.columns.values() if isinstance(value, str)))

    def with_texts(self, clean: Callable[[str], str]) -> Record | None:
        """Returns the record with every text cleaned, and with the spans where they are in the cleaned texts.

        Args:
            clean: What is done to a text; a span is found again by what is done to its own text.

        Returns:
            This very record where nothing changes; None where a span cannot be found again.
        """
        source, targets = clean(self.source), tuple(map(clean, self.targets))
        if not self.columns:
            if source == self.source and targets == self.targets:
                return self
            return dataclasses.replace(self, source=source, targets=targets)
        columns = {name: clean(value) if isinstance(value, str) else value for name, value in self.columns.items()}
        old, new = {"source": self.source, **self.columns}, {"source": source, **columns}
        for name, value in self.columns.items():
            if isinstance(value, Span):
                moved = moved_span(value, str(old[value.of]), str(new[value.of]), clean)
                if moved is None:
                    return None
                columns[name] = moved
        same = source == self.source and targets == self.targets and columns == self.columns
        return self if same else dataclasses.replace(self, source=source, targets=targets, columns=columns)


def serialize(record: Record) -> bytes:
    """Returns the record as a serialized `tf.train.Example` with the bytes features `id`, `source` and `targets`.

    A record without targets has no feature `targets`. Equal records give equal bytes.
    """
    features = {"id": [record.id.encode("utf-8")], "source": [record.source.encode("utf-8")]}
    if record.targets:
        features["targets"] = [target.encode("utf-8") for target in record.targets]
    for name, value in record.columns.items():
        kind, values = stored(value)
        features[f"{_COLUMN}{kind}/{name}"] = values
    return bytes_example(features)


def deserialize(serialized: bytes) -> Record:
    """Returns the record in what `serialize` wrote.

    Raises:
        ValueError: The bytes are something else.
    """
    try:
        record_id, at = _value(_ID, serialized, 0)
    except ValueError:
        if _COLUMN.encode("ascii") not in serialized[:_HEAD]:
            raise
        return _with_columns(serialized)
    source, at = _value(_SOURCE, serialized, at)
    if at == len(serialized):
        return Record(record_id, source)
    target, at = _value(_TARGETS, serialized, at)
    targets = [target]
    while at < len(serialized):
        target, at = _value(_NEXT, serialized, at)
        targets.append(target)
    return Record(record_id, source, tuple(targets))


def _with_columns(serialized: bytes) -> Record:
    """Returns a record that has columns: their features come before the others."""
    try:
        found = bytes_features(serialized)
    except ValueError as error:
        raise ValueError("not an Example that is a record") from error
    columns: dict[str, Value] = {}
    for key in [key for key in found if key.startswith(_COLUMN)]:
        kind, _, name = key.removeprefix(_COLUMN).partition("/")
        columns[name] = restored(kind, found.pop(key))
    if not {"id", "source"} <= found.keys() <= {"id", "source", "targets"} or not columns:
        raise ValueError("not an Example that is a record")
    texts = {name: [value.decode("utf-8") for value in values] for name, values in found.items()}
    return Record(texts["id"][0], texts["source"][0], tuple(texts.get("targets", ())), columns=columns)


def _value(head: re.Pattern[bytes], serialized: bytes, at: int) -> tuple[str, int]:
    """Returns the text after a head at position `at`, and where it ends."""
    found = head.match(serialized, at)
    if found is None:
        raise ValueError("not an Example that is a record")
    start = found.end()
    end = start + number_of(found[1])
    if end > len(serialized):
        raise ValueError("an Example that ends too early")
    return serialized[start:end].decode("utf-8"), end


def stable_hash(*parts: object) -> int:
    """Returns 63 bits that depend only on the parts: the same in every process, run and machine."""
    text = "\x1f".join(str(part) for part in parts).encode("utf-8")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big") >> 1
