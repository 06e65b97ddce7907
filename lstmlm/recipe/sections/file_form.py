"""How text files are written where they do not say it themselves: separator, encoding, names of columns."""

from __future__ import annotations

import codecs
from typing import Annotated

from pydantic import AfterValidator

_NOT_TEXT = ("utf_7", "unicode_escape", "raw_unicode_escape", "punycode", "idna", "undefined")


def _delimiter(value: str) -> str:
    if len(value) != 1 or value in '\r\n"' or ord(value) > 127:
        raise ValueError(f"a delimiter is one character of ASCII, not {value!r}. Write for example ';' or '\\t'")
    return value


def _encoding(value: str) -> str:
    try:
        found = codecs.lookup(value)
    except LookupError as error:
        raise ValueError(f"no encoding {value!r}. Write for example latin-1, cp1252, shift_jis or gb18030") from error
    if not found._is_text_encoding or found.name.replace("-", "_") in _NOT_TEXT:
        raise ValueError(f"{value} is no encoding of text files. Write for example latin-1 or cp1252")
    return value


def _columns(value: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(value)) != len(value) or not all(name.strip() for name in value):
        raise ValueError("a name of a column is empty or occurs twice. Give each column a name of its own")
    return value


Delimiter = Annotated[str, AfterValidator(_delimiter)]
EncodingName = Annotated[str, AfterValidator(_encoding)]
ColumnNames = Annotated[tuple[str, ...], AfterValidator(_columns)]

DELIMITER = (
    "What separates the columns of .csv and .tsv files, one character such as `;`; .txt files are tables then, too. "
    "Absent: tabs in .tsv; in .csv that of `,;`, tab and `|` by which the header has the columns."
)
ENCODING = (
    "Encoding of text files that are not UTF-8, UTF-16 or UTF-32, which are recognised: such as `latin-1`, `cp1252`, "
    "`shift_jis`, `gb18030`. Absent: such files are refused."
)
COLUMNS = (
    "Names of the columns of .csv and .tsv files without a header, whose first line is a row; .txt files are tables "
    "then, too. Absent: the first line names them."
)
