"""The repetition rules of Gopher (Rae et al. 2021, table A1): text that says the same thing over and over.

Exact counting is slow, so a pass over hashes of the whole block first finds the few texts that may break an n-gram
rule; only those are counted, word by word.
"""

from __future__ import annotations

import collections
import re
from collections.abc import Sequence

import numpy as np

from lstmlm.corpus.steps.quality.texts import Reasons, Texts
from lstmlm.corpus.steps.quality.tokens import Bools, Ints
from lstmlm.corpus.steps.quality.words import Words

MAX_DUPLICATE_PARAGRAPHS = 0.30
MAX_DUPLICATE_PARAGRAPH_CHARACTERS = 0.20
MAX_DUPLICATE_LINES = 0.30
MAX_DUPLICATE_LINE_CHARACTERS = 0.20
MAX_TOP_NGRAM_CHARACTERS = {2: 0.20, 3: 0.18, 4: 0.16}
MAX_DUPLICATE_NGRAM_CHARACTERS = {5: 0.15, 6: 0.14, 7: 0.13, 8: 0.12, 9: 0.11, 10: 0.10}

_PARAGRAPHS = re.compile(r"\n{2,}")
_LINES = re.compile(r"\n+")
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_HASH_BITS = np.uint64(44)  # of a key; the number of the text is above them, so a block may hold a million texts


def gopher_repetition(block: Texts) -> Reasons:
    """Returns, for each text, the first Gopher repetition rule that it breaks, or None.

    Args:
        block: The texts, each a whole document.
    """
    reasons = [repeated_lines(text) for text in block.texts]
    suspects = _suspects(block)
    for index in sorted({index for texts in suspects.values() for index in texts}):
        if reasons[index] is None:
            sizes = [size for size, texts in suspects.items() if index in texts]
            reasons[index] = repeated_ngrams(block.words.strings(index), len(block.texts[index]), sizes)
    return reasons


def repeated_lines(text: str) -> str | None:
    """Returns the first rule about equal paragraphs or lines that a text breaks, or None."""
    if "\n" not in text:
        return None
    paragraphs = _PARAGRAPHS.split(text.strip())
    count, characters = duplicates(paragraphs)
    if count / len(paragraphs) > MAX_DUPLICATE_PARAGRAPHS:
        return "gopher_duplicate_paragraphs"
    if characters / len(text) > MAX_DUPLICATE_PARAGRAPH_CHARACTERS:
        return "gopher_duplicate_paragraph_characters"
    lines = _LINES.split(text)
    count, characters = duplicates(lines)
    if count / len(lines) > MAX_DUPLICATE_LINES:
        return "gopher_duplicate_lines"
    if characters / len(text) > MAX_DUPLICATE_LINE_CHARACTERS:
        return "gopher_duplicate_line_characters"
    return None


def duplicates(parts: Sequence[str]) -> tuple[int, int]:
    """Returns how many parts equal an earlier one, and how many characters those have."""
    distinct = set(parts)
    return len(parts) - len(distinct), sum(map(len, parts)) - sum(map(len, distinct))


def repeated_ngrams(words: Sequence[str], characters: int, sizes: Sequence[int]) -> str | None:
    """Returns the first rule about repeated n-grams that a text breaks, or None.

    Args:
        words: The tokens of the text.
        characters: Length of the text.
        sizes: The n to look at.
    """
    for size in sorted(sizes):
        if size in MAX_TOP_NGRAM_CHARACTERS:
            if _top_characters(words, size) / characters > MAX_TOP_NGRAM_CHARACTERS[size]:
                return f"gopher_top_{size}gram"
        elif _repeated_characters(words, size) / characters > MAX_DUPLICATE_NGRAM_CHARACTERS[size]:
            return f"gopher_duplicate_{size}grams"
    return None


def _top_characters(words: Sequence[str], size: int) -> int:
    """Returns the characters that the most frequent n-gram (the first of those) covers, spaces between words too."""
    counts = collections.Counter(zip(*(words[start:] for start in range(size)), strict=False))
    if not counts:
        return 0
    ngram, often = max(counts.items(), key=lambda item: item[1])
    return often * (sum(map(len, ngram)) + size - 1)


def _repeated_characters(words: Sequence[str], size: int) -> int:
    """Returns the characters in n-grams that occurred before, none counted twice."""
    seen: set[str] = set()
    total = start = 0
    while start + size <= len(words):
        ngram = "".join(words[start : start + size])
        if ngram in seen:
            total += len(ngram)
            start += size
        else:
            seen.add(ngram)
            start += 1
    return total


def _suspects(block: Texts) -> dict[int, set[int]]:
    """Returns for each n the texts that may break its rule: a bound on the characters decides, never too low."""
    words, suspects = block.words, {}
    characters = np.array([len(text) for text in block.texts])
    often = repeats = words.tokens  # of n-grams one word shorter, which are at least as many
    for size, limit in MAX_TOP_NGRAM_CHARACTERS.items():
        longest = _longest_ngrams(words, size) + size - 1
        possible = often * longest > limit * characters
        often = np.where(possible, _repeats(words, size, possible)[0], often)
        suspects[size] = set(np.flatnonzero(possible & (often * longest > limit * characters)).tolist())
    for size, limit in MAX_DUPLICATE_NGRAM_CHARACTERS.items():
        _, repeats = _repeats(words, size, repeats > 0)
        suspects[size] = set(np.flatnonzero(repeats * _longest_ngrams(words, size) > limit * characters).tolist())
    return suspects


def _repeats(words: Words, size: int, texts: Bools) -> tuple[Ints, Ints]:
    """Counts the n-grams of some texts; those of the others count as none.

    Returns:
        How often the most frequent n-gram of each text occurs in it (0 where each occurs once), and how many n-grams
        occurred in the text before, each of shape (texts,).
    """
    often, repeats = np.zeros(len(texts), np.int64), np.zeros(len(texts), np.int64)
    owner = np.repeat(np.flatnonzero(texts).astype(np.uint64), words.tokens[texts])
    hashes = words.hashes if texts.all() else words.hashes[np.repeat(texts, words.tokens)]
    count = max(len(owner) - size + 1, 0)
    mixed = np.zeros(count, np.uint64)
    for place in range(size):
        mixed = mixed * _MULTIPLIER + hashes[place : place + count]
    mixed = ((mixed ^ (mixed >> np.uint64(29))) * _MULTIPLIER) >> (np.uint64(64) - _HASH_BITS)
    inside = owner[:count] == owner[size - 1 :]
    keys = np.sort(((owner[:count] << _HASH_BITS) | mixed)[inside])
    same = keys[1:] == keys[:-1]
    if not same.any():
        return often, repeats
    begins = np.flatnonzero(np.append(True, ~same))
    counts = np.diff(begins, append=len(keys))
    several = counts > 1
    owners = (keys[begins[several]] >> _HASH_BITS).astype(np.int64)
    np.maximum.at(often, owners, counts[several])
    np.add.at(repeats, owners, counts[several] - 1)
    return often, repeats


def _longest_ngrams(words: Words, size: int) -> Ints:
    """Returns the characters of the longest n-gram of each text, spaces left out; an upper bound where texts meet."""
    longest = np.zeros(len(words.tokens), np.int64)
    filled = words.tokens > 0
    if filled.any():
        sums = np.append(0, np.cumsum(words.lengths))
        ends = np.minimum(np.arange(len(words.lengths)) + size, len(words.lengths))
        longest[filled] = np.maximum.reduceat(sums[ends] - sums[:-1], words.bounds[:-1][filled])
    return longest
