"""Looks at a corpus: its files, its columns, how much of it there is, and its languages."""

from __future__ import annotations

import collections
import dataclasses
import glob
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lstmlm.audio.headers import ENDINGS
from lstmlm.cli.init.form import form_of
from lstmlm.corpus.reading.readers import read_file
from lstmlm.corpus.reading.rows import Row
from lstmlm.corpus.sources.files import named_files
from lstmlm.corpus.sources.kinds import file_kinds
from lstmlm.corpus.wording.split import split_words
from lstmlm.errors import UserError
from lstmlm.recipe.sections.corpus import CorpusSection

READ_BYTES = 64 << 20
"""Bytes of a corpus that are read; how much there is of a larger one follows from its size."""
KEPT_ROWS = 2000
"""Rows that are looked at, drawn from those that are read."""
CLOSED = 50
"""Times that a word comes again on average in texts of few words."""
_TRAIN, _VALID = re.compile(r"train", re.IGNORECASE), re.compile(r"valid|dev\b|dev[._-]", re.IGNORECASE)


@dataclasses.dataclass(frozen=True, slots=True)
class Column:
    """What the sampled rows have in a column.

    Attributes:
        name: Its name.
        kind: `text`, `texts` (lists), `spans` ([start, end, label]), `audio` (files or bytes), `number`, `other`.
        filled: Share of rows that have a value, 0 to 1.
        distinct: Different values among those.
        words: Mean words of a value; a letter of a script without spaces is a word.
        longest: Words of the longest value but for one in a hundred.
        letters: Different characters of the values.
        closed: Whether its texts are of few words that come again and again, so that words can be the vocabulary.
        values: The values.
    """

    name: str
    kind: str
    filled: float
    distinct: int
    words: float
    longest: int
    letters: int
    closed: bool
    values: Sequence[Any]


@dataclasses.dataclass(frozen=True, slots=True)
class Look:
    """What is known of a corpus.

    Attributes:
        root: The folder of its files.
        train: File or glob of the train split, below the root.
        valid: The same of the valid split; None: some of train is split off.
        rows: Rows of train, about.
        characters: Characters of text in train, about, of all its columns.
        columns: Its columns, in their order.
        form: Fields of `corpus` that say how its files are written, where they do not say it themselves.
    """

    root: Path
    train: str
    valid: str | None
    rows: int
    characters: int
    columns: Mapping[str, Column]
    form: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def look(place: Path) -> Look:
    """Looks at a corpus.

    Args:
        place: A file, a folder or a glob; in a folder, files named for train and valid are these splits.

    Raises:
        UserError: There are no files that can be read, or no rows in them.
    """
    root, train, valid = _files(place)
    form = form_of(_first(root, train))
    corpus = CorpusSection(root=root, train=train, **form)
    files = named_files(corpus, train, "CORPUS")
    size = sum(file.size for file in files)
    rows: list[Row] = []
    read = seen = letters = 0
    draw = random.Random(1)
    for row in (row for file in files for row in read_file(file, corpus, (), others=True)):
        if row.fields is None:
            continue
        seen, read = seen + 1, read + row.size
        letters += sum(len(value) for value in row.fields.values() if isinstance(value, str))
        if len(rows) < KEPT_ROWS:
            rows.append(row)
        elif (at := draw.randrange(seen)) < KEPT_ROWS:
            rows[at] = row
        if read > READ_BYTES:
            break
    if not rows:
        raise UserError("no rows, so there is nothing to learn from", where=str(place), hint="Name another corpus")
    scale = max(1.0, size / max(1, read)) if read > READ_BYTES else 1.0
    columns = {name: _column(name, rows, root) for name in _names(rows)}
    return Look(root, train, valid, int(seen * scale), int(letters * scale), columns, form)


def _files(place: Path) -> tuple[Path, str, str | None]:
    """Returns the root of a corpus, and the files of its train and its valid split.

    Raises:
        UserError: There are none.
    """
    if place.is_file():
        return place.parent.absolute(), place.name, None
    if not place.is_dir():
        root = place.parent
        while glob.has_magic(str(root)):
            root = root.parent
        if glob.has_magic(place.name) or root != place.parent:
            return root.absolute(), place.relative_to(root).as_posix(), None
        raise UserError("no such file or folder", where=str(place), hint="Name the corpus: a file, a folder or a glob")
    kinds = file_kinds()
    names = sorted(path.name for path in place.iterdir() if path.is_file() and kinds.reader_of(path.name))
    train = [name for name in names if _TRAIN.search(name)]
    valid = [name for name in names if _VALID.search(name)]
    if len(train) == 1:
        return place.absolute(), train[0], valid[0] if len(valid) == 1 else None
    return place.absolute(), ".", None


def _first(root: Path, train: str) -> Path:
    """Returns the first file of a corpus, by which the others are read too."""
    place = root / train
    found = sorted(path for path in (place.iterdir() if place.is_dir() else root.glob(train)) if path.is_file())
    return next((path for path in found if file_kinds().reader_of(path.name)), place)


def _names(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row.fields or {}))


def _column(name: str, rows: Sequence[Row], root: Path) -> Column:
    values = [row.fields[name] for row in rows if row.fields and row.fields.get(name) not in (None, "")]
    kinds = collections.Counter(_kind(value, root) for value in values)
    kind = kinds.most_common(1)[0][0] if kinds else "other"
    texts = [split_words(text) for value in values for text in _texts(value)] or [[]]
    lengths, words = sorted(map(len, texts)), {word for text in texts for word in text}
    return Column(
        name,
        kind,
        filled=len(values) / len(rows),
        distinct=len({str(value) for value in values}),
        words=sum(lengths) / len(lengths),
        longest=lengths[int(0.99 * (len(lengths) - 1))],
        letters=len(set("".join(words))),
        closed=len(words) * CLOSED < sum(lengths),
        values=values,
    )


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        yield from (one for one in value if isinstance(one, str))


def _kind(value: Any, root: Path) -> str:
    """Returns what a value is; see `Column.kind`."""
    if isinstance(value, bytes) or (isinstance(value, dict) and "bytes" in value):
        return "audio"
    if isinstance(value, str):
        is_file = value.lower().endswith(tuple(ENDINGS)) and (root / value).is_file()
        return "audio" if is_file else "number" if _is_number(value) else "text"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, list):
        if value and all(isinstance(one, str) for one in value):
            return "texts"
        if all(isinstance(one, list) and len(one) == 3 and isinstance(one[2], str) for one in value):
            return "spans"
    return "other"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
