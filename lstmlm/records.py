"""The record: one piece of text work, and how it lies in a `tf.train.Example`.

A record has the same form for every task. A language model uses `source` alone; a pair task has one or more
`targets` (several where a source has several accepted outputs).
"""

from __future__ import annotations

import dataclasses
import hashlib
from typing import TYPE_CHECKING

from lstmlm.protobuf import bytes_example, bytes_features

if TYPE_CHECKING:
    import tensorflow as tf


@dataclasses.dataclass(frozen=True, slots=True)
class Record:
    """One unit of text.

    Attributes:
        id: Unique within a corpus and stable between runs, for example `train.tsv:17`.
        source: The input text.
        targets: The accepted output texts; empty for a language model and at inference.
        group: Records of one group never cross splits; empty: the id stands for it. It is not stored.
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
        ValueError: The bytes are not a record.
    """
    features = bytes_features(serialized)
    try:
        record_id, source = features[b"id"][0].decode("utf-8"), features[b"source"][0].decode("utf-8")
    except (KeyError, IndexError) as error:
        raise ValueError("an Example that is not a record") from error
    targets = features.get(b"targets")
    return Record(record_id, source, tuple([target.decode("utf-8") for target in targets]) if targets else ())


def to_example(record: Record) -> tf.train.Example:
    """Returns the record as a `tf.train.Example` with the bytes features `id`, `source` and `targets`."""
    import tensorflow as tf

    def feature(*texts: str) -> tf.train.Feature:
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[t.encode("utf-8") for t in texts]))

    fields = {"id": feature(record.id), "source": feature(record.source)}
    if record.targets:
        fields["targets"] = feature(*record.targets)
    return tf.train.Example(features=tf.train.Features(feature=fields))


def stable_hash(*parts: object) -> int:
    """Returns 63 bits that depend on the parts alone: the same in every process, run and machine."""
    text = "\x1f".join(str(part) for part in parts).encode("utf-8")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big") >> 1
