"""Word and character error rate: edits that turn an output into its reference, over the length of the reference."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence


@dataclasses.dataclass(frozen=True, slots=True)
class Errors:
    """Counts of edits (Levenshtein 1966), the fewest that turn outputs into references.

    Attributes:
        substitutions: Units of a reference for which the output has another.
        insertions: Units of the output that the reference does not have.
        deletions: Units of the reference that the output does not have.
        units: Units of the references.
    """

    substitutions: int = 0
    insertions: int = 0
    deletions: int = 0
    units: int = 0

    def __add__(self, other: Errors) -> Errors:
        return Errors(
            self.substitutions + other.substitutions,
            self.insertions + other.insertions,
            self.deletions + other.deletions,
            self.units + other.units,
        )

    @property
    def edits(self) -> int:
        """All edits."""
        return self.substitutions + self.insertions + self.deletions

    @property
    def rate(self) -> float:
        """Edits per unit; it can be above 1. Without any unit it is 0 or, with edits, the number of these."""
        return self.edits / max(1, self.units)


def matched(output: Sequence[str], reference: Sequence[str]) -> tuple[Errors, list[tuple[int, int]]]:
    """Compares an output with a reference.

    Args:
        output: Words or characters.
        reference: What they should be.

    Returns:
        The counts, and the places (in the output, in the reference) of the units that are right.
    """
    costs = [list(range(len(output) + 1))]
    for row, unit in enumerate(reference, start=1):
        above, here = costs[-1], [row]
        for column, other in enumerate(output, start=1):
            here.append(min(above[column] + 1, here[-1] + 1, above[column - 1] + (unit != other)))
        costs.append(here)
    row, column = len(reference), len(output)
    right: list[tuple[int, int]] = []
    substitutions = insertions = deletions = 0
    while row or column:
        same = row > 0 and column > 0 and reference[row - 1] == output[column - 1]
        if row and column and costs[row][column] == costs[row - 1][column - 1] + (not same):
            row, column = row - 1, column - 1
            if same:
                right.append((column, row))
            else:
                substitutions += 1
        elif row and costs[row][column] == costs[row - 1][column] + 1:
            row, deletions = row - 1, deletions + 1
        else:
            column, insertions = column - 1, insertions + 1
    return Errors(substitutions, insertions, deletions, len(reference)), right[::-1]


def word_errors(outputs: Iterable[str], references: Iterable[str]) -> Errors:
    """Counts the errors in words, which white space separates."""
    pairs = zip(outputs, references, strict=True)
    return sum((matched(output.split(), reference.split())[0] for output, reference in pairs), Errors())


def character_errors(outputs: Iterable[str], references: Iterable[str]) -> Errors:
    """Counts the errors in characters, with one space between words."""
    pairs = zip(outputs, references, strict=True)
    return sum((matched(_spaced(output), _spaced(reference))[0] for output, reference in pairs), Errors())


def _spaced(text: str) -> str:
    return " ".join(text.split())
