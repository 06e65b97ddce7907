"""Precision and recall of `lstmlm.corpus.steps.privacy` on texts with labelled spans, and its speed.

    python benchmarks/pii.py LABELLED.jsonl [--prose FILE]

A labelled file has a JSON object a line: `text`, and `spans` of [start, end, kind]. A label is found where a prediction
of its kind overlaps it; a prediction is right where it overlaps a label of its kind, so one that overlaps a label of
another kind, or on none, is wrong. `strict` counts equal start and end only. The kinds are scored that the library
claims to find and the file labels.
"""

from __future__ import annotations

import argparse
import collections
import dataclasses
import json
import time
from collections.abc import Sequence
from pathlib import Path

from table import Row, row

from lstmlm.corpus.steps.privacy.find import Finder
from lstmlm.corpus.steps.privacy.replace import placeholder
from lstmlm.corpus.steps.privacy.scrubber import Scrubber
from lstmlm.corpus.steps.privacy.spans import PiiSpan
from lstmlm.recipe.sections.corpus import Privacy
from lstmlm.records.record import Record

# Labels of presidio-research -> ours.
LABELS = {
    "EMAIL_ADDRESS": "email",
    "PHONE_NUMBER": "phone",
    "CREDIT_CARD": "card",
    "IBAN_CODE": "iban",
    "IP_ADDRESS": "ip",
    "US_SSN": "national_id",
    "US_ITIN": "national_id",
    "UK_NHS": "national_id",
}
KINDS = ("email", "phone", "card", "iban", "ip", "national_id", "url_credentials")
REGIONS = tuple(Privacy().regions)

BARS = {"recall": 0.95, "precision": 0.90}
SPEED_BARS = {KINDS: 15.0, ("email", "ip"): 40.0}


@dataclasses.dataclass(slots=True)
class Score:
    """Counts of one kind."""

    labels: int = 0
    found: int = 0
    found_exactly: int = 0
    predictions: int = 0
    right: int = 0
    wrong: list[str] = dataclasses.field(default_factory=list)
    missed: list[str] = dataclasses.field(default_factory=list)

    @property
    def recall(self) -> float:
        return self.found / self.labels if self.labels else 1.0

    @property
    def precision(self) -> float:
        return self.right / self.predictions if self.predictions else 1.0


def score(path: Path, kinds: Sequence[str] = KINDS, regions: Sequence[str] = REGIONS) -> dict[str, Score]:
    """Returns kind -> counts for a labelled file."""
    finder = Finder(kinds, regions)
    scores: dict[str, Score] = collections.defaultdict(Score)
    for line in path.read_text(encoding="utf-8").splitlines():
        content = json.loads(line)
        text: str = content["text"]
        labels = [PiiSpan(start, end, LABELS[kind]) for start, end, kind in content["spans"] if kind in LABELS]
        predictions = finder.find(text)
        for label in labels:
            count = scores[label.kind]
            count.labels += 1
            count.found_exactly += label in predictions
            if any(_agree(label, prediction) for prediction in predictions):
                count.found += 1
            else:
                count.missed.append(text[max(0, label.start - 30) : label.end + 15])
        for prediction in predictions:
            count = scores[prediction.kind]
            count.predictions += 1
            if any(_agree(label, prediction) for label in labels):
                count.right += 1
            else:
                count.wrong.append(text[max(0, prediction.start - 30) : prediction.end + 15])
    return scores


def _agree(a: PiiSpan, b: PiiSpan) -> bool:
    return a.kind == b.kind and a.start < b.end and b.start < a.end


def speed(texts: Sequence[str], kinds: Sequence[str], regions: Sequence[str] = REGIONS, rounds: int = 3) -> float:
    """Returns MB/s of UTF-8 that are scrubbed in a second of processor time: the best of some rounds."""
    scrubber = Scrubber(Finder(kinds, regions), placeholder)
    size = sum(len(text.encode("utf-8")) for text in texts)
    records = [Record(str(index), text) for index, text in enumerate(texts)]
    seconds = []
    for _ in range(rounds):
        counts: collections.Counter[str] = collections.Counter()
        start = time.process_time()
        scrubber.records(records, counts)
        seconds.append(time.process_time() - start)
    return size / 1e6 / min(seconds)


def measure(path: Path, prose: Path | None = None) -> list[Row]:
    """Returns rows `row`, `ours`, `peer`, `ratio`, `bar`, `holds`.

    Args:
        path: The labelled file.
        prose: Ordinary text for the speed: a paragraph a line, or .jsonl with the key `text`.
    """
    rows: list[Row] = []
    for kind, count in sorted(score(path).items()):
        for name in ("recall", "precision") if count.labels else ():
            rows.append(row(f"pii {kind} {name} ({count.labels} labels)", getattr(count, name), bar=BARS[name]))
    if prose:
        lines = prose.read_text(encoding="utf-8").splitlines()
        texts = [json.loads(line)["text"] for line in lines] if prose.suffix == ".jsonl" else lines
        for kinds, bar in SPEED_BARS.items():
            name = "all kinds" if kinds == KINDS else " + ".join(kinds)
            rows.append(row(f"pii {name}, MB/s on {prose.parent.name}", speed(texts, kinds), bar=bar))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("labelled", type=Path)
    parser.add_argument("--prose", type=Path, help="ordinary text, a paragraph a line, or .jsonl with the key `text`")
    parser.add_argument("--examples", action="store_true", help="print what was missed and what was wrong")
    arguments = parser.parse_args()
    for kind, count in sorted(score(arguments.labelled).items()):
        strict_recall = count.found_exactly / max(1, count.labels)
        strict_precision = count.found_exactly / max(1, count.predictions)
        print(
            f"{kind:16} labels {count.labels:4}  recall {count.recall:.3f}  precision {count.precision:.3f}"
            f"  strict recall {strict_recall:.3f}  strict precision {strict_precision:.3f}"
        )
        if arguments.examples:
            for name, texts in (("missed", count.missed), ("wrong", count.wrong)):
                print(*(f"    {name}: {text!r}" for text in texts), sep="\n")
    for line in measure(arguments.labelled, arguments.prose):
        print(f"{line['row']:56} {line['ours']:9} {line['bar']:8} {'holds' if line['holds'] else 'FAILS'}")


if __name__ == "__main__":
    main()
