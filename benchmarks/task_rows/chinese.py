"""English to Chinese, compared with a plain PyTorch attention model that trains for the same minutes.

It is the row `translate_zh` of `train_quality.py`: the same pieces, pairs and cores, and BLEU by sacreBLEU for Chinese.
"""

from __future__ import annotations

from collections.abc import Iterator

import train_quality
from table import Row


def rows(quick: bool) -> Iterator[Row]:
    """Yields the row; the training of each side takes 20 minutes, in a quick run seconds."""
    yield from train_quality.rows("translate_zh", quick)
