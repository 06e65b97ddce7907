"""Small corpora of every kind that `lstmlm init` knows."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

WORDS = ["film", "story", "music", "actor", "scene", "people", "great", "little", "again", "never", "house", "river"]
PLACES = ["Paris", "Rome", "Lima", "Oslo"]


def text(draw: random.Random, least: int, most: int) -> str:
    """Returns a sentence of so many words."""
    return f"The {' '.join(draw.choice(WORDS) for _ in range(draw.randrange(least, most)))} was {draw.choice(WORDS)}."


def rows(kind: str, count: int = 400) -> Iterator[dict[str, Any]]:
    """Yields the rows of a corpus."""
    draw = random.Random(1)
    for number in range(count):
        short = text(draw, 4, 12)
        if kind == "generate":
            yield {"text": short}
        elif kind == "translate":
            yield {"en": short, "loud": short.upper()}
        elif kind == "summarize":
            body = " ".join(text(draw, 8, 16) for _ in range(5))
            yield {"id": f"d{number}", "article": body, "headline": " ".join(body.split()[:5])}
        elif kind == "classify":
            yield {"review": f"{short} {'lovely' if number % 2 else 'awful'}", "sentiment": ["neg", "pos"][number % 2]}
        elif kind == "many":
            yield {"text": short, "labels": sorted({word for word in WORDS[:5] if word in short} | {"any"})}
        elif kind == "tokens":
            yield {"text": short, "spans": [[4, 4 + len(short.split()[1]), "thing"]]}
        else:
            who, where = draw.choice(["Anna", "Bert", "Carla"]), draw.choice(PLACES)
            context = f"{who} lives in {where}. {short} {short}"
            yield {"context": context, "question": f"Where does {who} live?", "answers": [where]}


def write(folder: Path, kind: str, count: int = 400) -> Path:
    """Writes a corpus as JSON lines; returns its file."""
    path = folder / f"{kind}.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows(kind, count)), encoding="utf-8")
    return path
