"""The record: one piece of text work, and how it lies in a `tf.train.Example`.

A record has the same form for every task. A language model uses `source` alone; a pair task has one or more
`targets` (several where a source has several accepted outputs).
"""

from __future__ import annotations

import dataclasses
import hashlib
from typing import TYPE_CHECKING

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


def to_example(record: Record) -> tf.train.Example:
    """Returns the record as a `tf.train.Example` with the bytes features `id`, `source` and `targets`."""
    import tensorflow as tf

    def feature(*texts: str) -> tf.train.Feature:
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[t.encode("utf-8") for t in texts]))

    fields = {"id": feature(record.id), "source": feature(record.source)}
    if record.targets:
        fields["targets"] = feature(*record.targets)
    return tf.train.Example(features=tf.train.Features(feature=fields))


def from_example(serialized: bytes) -> Record:
    """Returns the record in a serialized `tf.train.Example` written by `to_example`."""
    import tensorflow as tf

    fields = tf.train.Example.FromString(serialized).features.feature

    def texts(name: str) -> tuple[str, ...]:
        return tuple(v.decode("utf-8") for v in fields[name].bytes_list.value) if name in fields else ()

    return Record(id=texts("id")[0], source=texts("source")[0], targets=texts("targets"))


def stable_hash(*parts: object) -> int:
    """Returns 63 bits that depend on the parts alone: the same in every process, run and machine."""
    text = "\x1f".join(str(part) for part in parts).encode("utf-8")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big") >> 1
