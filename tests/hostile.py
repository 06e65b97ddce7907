"""Files that would run code in whoever reads them carelessly."""

from __future__ import annotations

import contextlib
import os
import pickle
from pathlib import Path
from typing import Any

import psutil
import pyarrow as pa
import pyarrow.parquet as pq


class Payload:
    """Makes a file when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self._marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self._marker),)


def code_carrying(path: Path, marker: Path) -> Path:
    """Writes a parquet file whose column `text` is of a pickled type, as pyarrow below 14.0.1 loads it."""
    metadata = {
        "ARROW:extension:name": "arrow.py_extension_type",
        "ARROW:extension:metadata": pickle.dumps(Payload(marker)),
    }
    field = pa.field("text", pa.string(), metadata=metadata)
    texts = pa.array([f"The statement number {n}." for n in range(20)])
    pq.write_table(pa.table([texts], schema=pa.schema([field])), path)
    return path


def kill_readers() -> None:
    """Kills the processes of this one that read files of others."""
    for process in psutil.Process().children():
        with contextlib.suppress(psutil.Error):  # it may be dead already
            if any("_child" in word for word in process.cmdline()):
                process.kill()
