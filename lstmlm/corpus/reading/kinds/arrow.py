"""Arrow files, in the stream or the file format, as `datasets` saves them."""

from __future__ import annotations

from lstmlm.corpus.reading.kinds.parquet import Parquet


class Arrow(Parquet):
    """See the module. A range is some batches."""

    endings = (".arrow",)
    of_datasets = True
    magic = b""  # `lstmlm.corpus.reading.content` knows what the file format begins with


READER = Arrow()
