"""Documents for the benchmarks of ingest, made from real sentences, with copies whose truth is known.

A document is a run of sentences of one corpus; in between are near copies (some words replaced), exact copies, and
documents that a quality filter has reasons to drop. The same arguments give the same bytes.
"""

from __future__ import annotations

import dataclasses
import json
import os
import random
import re
from collections.abc import Iterator
from pathlib import Path

CORPORA = Path(os.environ.get("LSTMLM_CORPORA", Path(__file__).resolve().parents[2] / "shared" / "corpora"))

NEAR, EXACT, BAD = 0.05, 0.02, 0.08
"""Shares of the documents that are near copies, exact copies, and bad."""

NGRAM = 5


@dataclasses.dataclass(frozen=True)
class Document:
    """A document; `copy_of` names the one it was made from, `jaccard` is the similarity of their word 5-grams."""

    id: str
    text: str
    copy_of: str | None = None
    jaccard: float = 0.0


def sentences() -> dict[str, list[str]]:
    """Returns the sentences of each corpus."""
    found: dict[str, list[str]] = {}
    for name in ("arxiv_cscl_titles", "squad_v1_dev"):
        key = "text" if name == "arxiv_cscl_titles" else "context"
        lines = (CORPORA / name / "train.jsonl").read_text(encoding="utf-8").splitlines()
        texts = dict.fromkeys(json.loads(line)[key] for line in lines)
        found[name] = [part for text in texts for part in re.split(r"(?<=[.!?]) ", text) if len(part) > 20]
    for name in ("wikitext2", "tinyshakespeare"):
        lines = (CORPORA / name / "train.txt").read_text(encoding="utf-8").splitlines()
        found[name] = [line.strip() for line in lines if len(line) > 40]
    pairs = (CORPORA / "tatoeba_en_fr" / "train.tsv").read_text(encoding="utf-8").splitlines()[1:]
    found["tatoeba"] = [pair.split("\t")[0] for pair in pairs[40_000:]]
    return found


def documents(size: int, seed: int) -> Iterator[Document]:
    """Yields documents until their texts have `size` bytes."""
    draw = random.Random(seed)
    corpora = list(sentences().items())
    recent: list[Document] = []
    number = total = 0
    while total < size:
        kind = draw.random()
        if recent and kind < NEAR + EXACT:
            original = draw.choice(recent)
            text, jaccard = _near(original.text, draw) if kind < NEAR else (original.text, 1.0)
            document = Document(f"d{number}", text, original.id, jaccard)
        else:
            _, texts = draw.choice(corpora)
            text = _bad(texts, draw) if kind < NEAR + EXACT + BAD else _good(texts, draw)
            document = Document(f"d{number}", text)
            if len(recent) < 2000:
                recent.append(document)
            else:
                recent[draw.randrange(2000)] = document
        number += 1
        total += len(document.text.encode("utf-8"))
        yield document


def _good(texts: list[str], draw: random.Random) -> str:
    count = draw.randint(6, 24)
    while True:
        chosen = draw.choices(texts, k=count)
        if sum(map(len, chosen)) > 400:
            return _paragraphs(chosen, draw)
        count += 4


def _paragraphs(chosen: list[str], draw: random.Random) -> str:
    cut = draw.randint(1, len(chosen))
    text = " ".join(chosen[:cut]) + "\n" + " ".join(chosen[cut:])
    if draw.random() < 0.05:
        text += f" Write to {draw.choice(['ann', 'bob.smith', 'x-ray'])}{draw.randrange(999)}@example.org today."
    if draw.random() < 0.02:
        text += f" The host was 8.{draw.randrange(256)}.{draw.randrange(256)}.8 then."
    return text.strip()


def _bad(texts: list[str], draw: random.Random) -> str:
    chosen = draw.choices(texts, k=12)
    kind = draw.randrange(5)
    if kind == 0:
        return " ".join(" ".join(chosen).split()[: draw.randint(5, 60)])  # short
    if kind == 1:
        return "\n".join(f"- {line}" for line in chosen)  # bullets
    if kind == 2:
        return "\n".join(f"{line[:60]} ..." for line in chosen)  # cut lines
    if kind == 3:
        return "\n".join(" ".join(str(draw.randrange(10**6)) for _ in range(12)) for _ in range(12))  # a table
    return " ".join(f"#{word}" if draw.random() < 0.3 else word for word in " ".join(chosen).split())  # hashes


def _near(text: str, draw: random.Random) -> tuple[str, float]:
    """Replaces single words by others of the text; returns the copy and its Jaccard similarity, 0.8 or more."""
    words = text.split(" ")
    for edits in range(draw.randint(1, max(1, len(words) // 48)), 0, -1):
        changed = list(words)
        for place in draw.sample(range(len(words)), min(edits, len(words))):
            changed[place] = draw.choice(words)
        copy = " ".join(changed)
        jaccard = similarity(text, copy)
        if jaccard >= 0.8:
            return copy, jaccard
    return text, 1.0


def similarity(one: str, other: str) -> float:
    """Returns the Jaccard similarity of the word 5-grams of two texts."""
    first, second = _grams(one), _grams(other)
    return len(first & second) / max(1, len(first | second))


def _grams(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return set(zip(*(words[n:] for n in range(NGRAM)), strict=False))


def write_documents(folder: Path, size: int, seed: int, files: int = 8) -> dict[str, Document]:
    """Writes documents as `FOLDER/documents-N.jsonl`; returns the copies by id. Does nothing where they are."""
    done = folder / "copies.json"
    if not done.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        copies: list[Document] = []
        streams = [(folder / f"documents-{n}.jsonl").open("w", encoding="utf-8") for n in range(files)]
        written = 0
        for document in documents(size, seed):
            stream = streams[min(files - 1, written * files // size)]
            stream.write(json.dumps({"id": document.id, "text": document.text}, ensure_ascii=False) + "\n")
            written += len(document.text.encode("utf-8"))
            if document.copy_of is not None:
                copies.append(dataclasses.replace(document, text=""))
        for stream in streams:
            stream.close()
        done.write_text(json.dumps([dataclasses.asdict(copy) for copy in copies]), encoding="utf-8")
    return {copy["id"]: Document(**copy) for copy in json.loads(done.read_text(encoding="utf-8"))}
