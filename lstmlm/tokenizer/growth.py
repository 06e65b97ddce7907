"""What a vocabulary grew from: the older ones, whose ids it keeps, and what its new pieces decompose into."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstmlm.errors import UserError
from lstmlm.publish.manifest import sha256_file
from lstmlm.recipe.recipe import Recipe
from lstmlm.tokenizer.tokenizer import JSON_FILE, MODEL_FILE

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

GROWN_FILE = "grown.json"
"""Next to a vocabulary that grew: `older` (size and fingerprint of each older one, the oldest first) and `parts`."""

FIELD = "tokenizer.grows"


@dataclasses.dataclass(frozen=True, slots=True)
class Growth:
    """How a vocabulary grew.

    Attributes:
        older: Fingerprint (sha256 of its file) -> size of each older vocabulary, the oldest first.
        parts: For each id from the size of the oldest one on, the smaller ids that its piece decomposes into.
    """

    older: Mapping[str, int]
    parts: list[list[int]]

    def rows(self, table: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Returns the rows of an older vocabulary with one more for each new piece: the mean of those of its parts.

        Args:
            table: float32 [size of the older one, ...], such as an embedding or a bias.
        """
        import numpy as np

        first = next(iter(self.older.values()))
        rows = list(table)
        for ids in self.parts[len(table) - first :]:
            rows.append(np.mean([rows[number] for number in ids], axis=0))
        return np.stack(rows).astype(np.float32)


def older_file(recipe: Recipe) -> Path | None:
    """Returns the SentencePiece model that the recipe's vocabulary grows from; None: it does not.

    Raises:
        UserError: There is none where `tokenizer.grows` names one.
    """
    named = recipe.tokenizer.grows
    if named is None:
        return None
    path = named / MODEL_FILE if named.is_dir() else named
    if named.is_dir() and not path.is_file() and (named / JSON_FILE).is_file():
        what = f"{named} has a {JSON_FILE}, and only a SentencePiece model can grow"
        raise UserError(what, where=FIELD, hint="Train a vocabulary of your own first")
    if not path.is_file():
        hint = "Name the output folder of a finished `lstmlm tokenizer` or `lstmlm export`, or a tokenizer.model"
        raise UserError(f"{path} is not there", where=FIELD, hint=hint)
    return path


def read_growth(vocabulary: Path) -> Growth | None:
    """Returns how the vocabulary of a file grew; None: it did not.

    Raises:
        UserError: What is next to it is damaged.
    """
    path = vocabulary.parent / GROWN_FILE
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_bytes())
        older = {str(one["fingerprint"]): int(one["size"]) for one in content["older"]}
        parts = [[int(number) for number in ids] for ids in content["parts"]]
        first = next(iter(older.values()))
        if not all(ids and min(ids) >= 0 and max(ids) < first + place for place, ids in enumerate(parts)):
            raise ValueError("a piece decomposes into what is not there")
    except (OSError, ValueError, KeyError, TypeError, StopIteration) as error:
        raise UserError("damaged", where=str(path), hint="Run the tokenizer stage again") from error
    return Growth(older, parts)


def grown(old: Path, size: int, parts: list[list[int]]) -> Growth:
    """Returns how a vocabulary grew in one step more.

    Args:
        old: The file that it grew from, which may have grown itself.
        size: Its number of pieces.
        parts: See `Growth`, of the new pieces only.
    """
    before = read_growth(old) or Growth({}, [])
    return Growth({**before.older, sha256_file(old): size}, [*before.parts, *parts])


def write_growth(growth: Growth, folder: Path) -> None:
    """Writes how a vocabulary grew next to it."""
    older = [{"size": size, "fingerprint": name} for name, size in growth.older.items()]
    text = json.dumps({"older": older, "parts": growth.parts})
    (folder / GROWN_FILE).write_text(text + "\n", encoding="utf-8")


def growth_from(vocabulary: Path, made_with: Mapping[str, Any]) -> Growth | None:
    """Returns how a vocabulary grew from the one that a model was made with; None: it did not grow from that.

    Args:
        vocabulary: The file of the vocabulary.
        made_with: The `vocabulary_facts` of the model.
    """
    growth = read_growth(vocabulary)
    if growth is None or growth.older.get(str(made_with.get("fingerprint"))) != made_with.get("size"):
        return None
    return growth
