"""The reader of parquet files, but that it crashes in the second row group of a file of three."""

from __future__ import annotations

import os
import signal
from typing import Any

from lstmlm.corpus.reading import parquet_child


def _crash(table: Any, group: int, *settings: Any) -> Any:
    if group == 1:
        os.kill(os.getpid(), signal.SIGSEGV)
    return _batches(table, group, *settings)


_batches, parquet_child._batches = parquet_child._batches, _crash

if __name__ == "__main__":
    parquet_child.main()
