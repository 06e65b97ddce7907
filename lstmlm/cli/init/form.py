"""Finds how the tables of a corpus are written: encoding, separator, and whether the first line is a header."""

from __future__ import annotations

import collections
import csv
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lstmlm.corpus.reading.content import SAMPLE_BYTES, legacy_name
from lstmlm.corpus.reading.readers import TextReader
from lstmlm.corpus.sources.kinds import compression_of, file_kinds

_NAME = re.compile(r"[A-Za-z_][\w.-]*(?<![.-])")
_LINES = 200


def form_of(file: Path) -> dict[str, Any]:
    """Returns the fields of `corpus` without which a file cannot be read as what it is; none for most files.

    Args:
        file: A file of text; of others, and of compressed ones, nothing is found.
    """
    kinds = file_kinds()
    named = kinds.reader_of(file.name)
    reader = kinds.readers[named[0]] if named else None
    if compression_of(file.name) or not file.is_file():
        return {}
    with file.open("rb") as stream:
        head = stream.read(SAMPLE_BYTES)
    found: dict[str, Any] = {}
    try:
        text = head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.start >= len(head) - 3:  # a character that the end of the sample cuts
            text = head[: error.start].decode("utf-8-sig")
        elif head[:2] in (b"\xff\xfe", b"\xfe\xff") or not (name := legacy_name(head)):
            return {}
        else:
            found["encoding"] = name
            text = head.decode(name, "replace")
    lines = [line for line in text.splitlines()[:_LINES] if line.strip()]
    lines = lines[:-1] if len(head) == SAMPLE_BYTES else lines
    return found | (_table(lines, reader) if isinstance(reader, TextReader) else {})


def _table(lines: Sequence[str], reader: TextReader) -> dict[str, Any]:
    """Returns the separator and the columns of a table, where its first line does not give them."""
    for separator in reader.separators:
        quoted = separator != "\t"
        rows = [*csv.reader(lines, delimiter=separator)] if quoted else [line.split(separator) for line in lines]
        width = collections.Counter(map(len, rows)).most_common(1)[0] if rows else (0, 0)
        if width[0] > 1 and width[1] >= 0.9 * len(rows) and len(rows[0]) == width[0]:
            break
    else:
        return {}
    header = is_header(rows)
    found: dict[str, Any] = {} if reader.finds(separator, header=header) else {"delimiter": separator}
    return found | ({} if header else {"columns": [f"column_{n}" for n in range(1, width[0] + 1)]})


def is_header(rows: Sequence[Sequence[str]]) -> bool:
    """Says whether the first row names the columns: each cell looks like a name, and is no value of its column."""
    first = [cell.strip() for cell in rows[0]]
    if len(set(first)) != len(first) or not all(map(_NAME.fullmatch, first)):
        return False
    return not any(cell in {row[n].strip() for row in rows[1:] if n < len(row)} for n, cell in enumerate(first))
