"""What the graph of TensorFlow and that of ONNX have in common: names of weights, and how n-grams are hashed."""

from __future__ import annotations

FACTOR, SPREAD, PRIME = 8_237_213, 7_368_787, (1 << 40) - 87
"""An n-gram's hash is (hash of all but its last token * FACTOR + last token) mod PRIME; its row of the table is
((hash + length) * SPREAD mod PRIME) mod rows: the prime mixes, so that any number of rows will do. All products are
below 2**63."""

TABLE, RATIOS = "ngrams/table", "ngrams/ratios"
"""The weights of n-grams, and what they are multiplied with, where there is such."""

SCALE = 10.0
"""What the sum of the weights of n-grams is multiplied with."""


def member_prefix(number: int) -> str:
    """Returns what the names of a member of an ensemble begin with; those of the first are as without an ensemble."""
    return f"member{number}_" if number else ""
