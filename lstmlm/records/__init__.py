"""The record, and how records are stored: `tf.train.Example` in TFRecord shards."""

from lstmlm.records.record import Record, stable_hash

__all__ = ["Record", "stable_hash"]
