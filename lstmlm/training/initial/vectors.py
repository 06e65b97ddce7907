"""Makes an earlier model of pre-trained vectors: `training.initial` takes its embedding from it.

The files are those of word2vec (Mikolov et al. 2013) and GloVe (Pennington et al. 2014) as text: a word and its numbers
on a line, with or without a first line that says how many.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from lstmlm.errors import UserError
from lstmlm.models.parts import TABLE
from lstmlm.models.weights import write_arrays
from lstmlm.progress import Progress
from lstmlm.publish.folder import Draft, Manifest, read_manifest, sha256_file
from lstmlm.stages import STAGES
from lstmlm.task import load_task
from lstmlm.tokenizer import Tokenizer, tokenizer_file
from lstmlm.tokenizer.identity import vocabulary_facts

if TYPE_CHECKING:
    from lstmlm.recipe.recipe import Recipe

STAGE = STAGES["vectors"]
TASK = "vectors"
"""What `model.json` names as the task of such a folder, so that no recipe's task takes all of it over."""
_HINT = "Name a file of word2vec or GloVe in text form: a word and its numbers on each line"


@dataclasses.dataclass(slots=True)
class Found:
    """What a file has for a vocabulary.

    Attributes:
        vectors: Word -> its vector.
        size: Numbers of a vector.
        lines: Lines with a vector, also of other words.
        damaged: Lines that were passed over: too few numbers, or what is no number.
    """

    vectors: dict[str, npt.NDArray[np.float32]]
    size: int
    lines: int = 0
    damaged: int = 0


def make_vectors(recipe: Recipe, tokenizer: Path, output: Path, progress: Progress, *, input: Path) -> Manifest:
    """Publishes a model folder that holds an embedding only, for `training.initial` with `parts: [embedding]`.

    A piece that is a word of the file, also one that is so in lower case only, gets its vector; the others keep the
    values that the recipe's network starts with. The vectors are centred, and scaled to the spread of those values.

    Args:
        recipe: The run; its network says how long a vector is, and what the other pieces get.
        tokenizer: The tokenizer folder.
        output: Gets `weights.npz` and `model.json`.
        progress: Receives the progress.
        input: The file of vectors.

    Raises:
        UserError: The file is not of this form, its vectors are of another length, or it has no word of the vocabulary.
    """
    vocabulary = read_manifest(tokenizer, "tokenizer", verify=True)
    if not input.is_file():
        raise UserError("no such file", where=str(input), hint=_HINT)
    stamp = STAGE.stamp(list(STAGE.decided(recipe).values()), vocabulary.fingerprint, sha256_file(input))

    def write(draft: Draft) -> None:
        words = Tokenizer(tokenizer_file(tokenizer))
        network = load_task(recipe.task).build(recipe, words.size, words.labels)
        variables = network.named_variables()
        if TABLE not in variables:
            raise UserError(f"task {recipe.task} has no embedding of tokens", where="task", hint="Take another task")
        table = variables[TABLE].numpy()
        progress.update(0, unit="lines", note="reading the vectors")
        places = pieces_of(words)
        found = read_vectors(input, {*places, *(word.lower() for word in places)})
        draft.facts.update(_filled(table, places, found, input), vocabulary=vocabulary_facts(vocabulary))
        write_arrays(draft.path / "weights.npz", {TABLE: table})
        network_section = recipe.model.model_dump(mode="json")
        facts = {"recipe": {"name": recipe.name, "task": TASK, "model": network_section}, "vocabulary": words.size}
        (draft.path / "model.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
        progress.update(found.lines, found.lines, unit="lines")

    return STAGE.publish(output, stamp, write)


def pieces_of(words: Tokenizer) -> dict[str, list[int]]:
    """Returns word -> the ids of the pieces that are this word: with the space before it, and as a part of others."""
    places: dict[str, list[int]] = {}
    for number in range(words.size):
        text = words.decode_continuation([number]) if number > words.END else ""
        if text.strip():
            places.setdefault(text.strip(), []).append(number)
    return places


def read_vectors(path: Path, wanted: set[str]) -> Found:
    """Reads the vectors of some words.

    Args:
        path: The file.
        wanted: The words.

    Raises:
        UserError: No line is a word and its numbers.
    """
    lines = _lines(path)
    first = next(lines, "")
    size = _size(first)
    if size < 1:
        raise UserError("its first line has no word and numbers", where=str(path), hint=_HINT)
    header = size == 1 and all(part.isdecimal() for part in first.split(" "))
    found = Found({}, int(first.split(" ")[1]) if header else size)
    for line in lines if header else _again(first, lines):
        word, *numbers = line.rsplit(" ", found.size)
        vector = _vector(numbers, found.size)
        found.lines += vector is not None
        found.damaged += vector is None
        if vector is not None and word in wanted:
            found.vectors.setdefault(word, vector)
    return found


def _again(first: str, lines: Iterator[str]) -> Iterator[str]:
    yield first
    yield from lines


def _lines(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8", errors="replace", newline="\n") as stream:
        for line in stream:
            if line := line.rstrip(" \r\n"):
                yield line


def _size(line: str) -> int:
    """Returns how many numbers a line ends in, of those behind its first space."""
    count = 0
    for part in reversed(line.split(" ")[1:]):
        if _number(part) is None:
            break
        count += 1
    return count


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _vector(numbers: list[str], size: int) -> npt.NDArray[np.float32] | None:
    try:
        vector = np.array(numbers, np.float32)
    except ValueError:
        return None
    return vector if len(vector) == size and bool(np.isfinite(vector).all()) else None


def _filled(
    table: npt.NDArray[np.float32], places: Mapping[str, list[int]], found: Found, path: Path
) -> dict[str, int]:
    """Puts vectors into the rows of a table; returns how many rows and lines there were.

    Raises:
        UserError: They are of another length, or there is none.
    """
    if found.size != table.shape[1]:
        what = f"its vectors have {found.size} numbers, and the embedding {table.shape[1]}"
        raise UserError(what, where=str(path), hint=f"Set model.embedding={found.size}")
    rows: dict[int, npt.NDArray[np.float32]] = {}
    for word, numbers in places.items():
        vector = found.vectors.get(word, found.vectors.get(word.lower()))
        if vector is not None:
            rows |= dict.fromkeys(numbers, vector)
    if not rows:
        raise UserError("it has no word of the vocabulary", where=str(path), hint="Name vectors of this language")
    taken = np.stack([rows[number] for number in sorted(rows)])
    taken = taken - taken.mean(axis=0)
    spread = float(taken.std())
    table[sorted(rows)] = taken * (float(table.std()) / spread if spread > 0 else 1.0)
    return {"rows": len(rows), "pieces": len(table), "lines": found.lines, "damaged": found.damaged}
