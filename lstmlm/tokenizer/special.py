"""The four special token ids. Padding is 0 everywhere: a mask is `ids > 0`."""

PAD = 0
UNK = 1
BEGIN = 2
END = 3

SPECIAL = 4
"""How many there are; the pieces of text have the ids from here on."""
