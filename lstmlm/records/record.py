"""The record: one piece of text work, and how it is stored in a `tf.train.Example`.

A record has the same form for every task. A language model uses only `source`; a pair task has one or more
`targets` (several where a source has several accepted outputs).
"""

from __future__ import annotations

import dataclasses
import hashlib
import re

from lstmlm.records.protobuf import EXAMPLE_HEAD, VALUE_HEAD, bytes_example, entry_head, number_of

_ID = re.compile(EXAMPLE_HEAD + entry_head("id"))
_SOURCE, _TARGETS = re.compile(entry_head("source")), re.compile(entry_head("targets"))
_NEXT = re.compile(VALUE_HEAD)


@dataclasses.dataclass(frozen=True, slots=True)
class Record:
    """One unit of text.

    Attributes:
        id: Unique within a corpus and stable between runs, for example `train.tsv:17`.
        source: The input text.
        targets: The accepted output texts; empty for a language model and at inference.
        group: Records of one group never cross splits; empty: the id is used. It is not stored.
    """

    id: str
    source: str
    targets: tuple[str, ...] = ()
    group: str = ""


def serialize(record: Record) -> bytes:
    """Returns the record as a serialized `tf.train.Example` with the bytes features `id`, `source` and `targets`.

    A record without targets has no feature `targets`. Equal records give equal bytes.
    """
    features = {"id": [record.id.encode("utf-8")], "source": [record.source.encode("utf-8")]}
    if record.targets:
        features["targets"] = [target.encode("utf-8") for target in record.targets]
    return bytes_example(features)


def deserialize(serialized: bytes) -> Record:
    """Returns the record in what `serialize` wrote.

    Raises:
        ValueError: The bytes are something else.
    """
    record_id, at = _value(_ID, serialized, 0)
    source, at = _value(_SOURCE, serialized, at)
    if at == len(serialized):
        return Record(record_id, source)
    target, at = _value(_TARGETS, serialized, at)
    targets = [target]
    while at < len(serialized):
        target, at = _value(_NEXT, serialized, at)
        targets.append(target)
    return Record(record_id, source, tuple(targets))


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
