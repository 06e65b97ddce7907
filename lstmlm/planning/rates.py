"""Measured rates of the stages on one machine, for one recipe: what a plan is computed from."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lstmlm.errors import UserError
from lstmlm.publish.folder import replacing
from lstmlm.publish.manifest import read_object

FILE = "rates.json"


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """Seconds that grow with the work: `fixed + rate * units`."""

    fixed: float
    rate: float

    def at(self, units: float) -> float:
        """Returns the seconds for so many units."""
        return self.fixed + self.rate * units

    @classmethod
    def through(cls, small: tuple[float, float], large: tuple[float, float]) -> Line:
        """Returns the line through two measured points, each units and seconds; neither part is negative."""
        (few, short), (many, long) = small, large
        rate = max(0.0, (long - short) / (many - few)) if many > few else 0.0
        fixed = max(0.0, long - rate * many)
        return cls(fixed, (long - fixed) / many if many else 0.0)


@dataclasses.dataclass(frozen=True, slots=True)
class Sizes:
    """What one row of the corpus comes to.

    Attributes:
        row_bytes: Bytes of a row in the corpus's own files.
        kept: Share of the rows that become records.
        valid: Share of the records in the valid split; 0 where files of its own hold it.
        valid_records: Records of the files that hold the valid split; 0 where it is a share.
        record_bytes: Bytes of a record in a shard.
        example_bytes: Bytes of its examples, their index included.
        tokens: Tokens of a record.
        target_bytes: Bytes of its output text; of a language model, bytes of text per token.
        target_tokens: Tokens of its output text; 0 for a language model.
        output_bytes: Bytes of a row of the batch job's output, without the output text.
    """

    row_bytes: float
    kept: float
    valid: float
    valid_records: int
    record_bytes: float
    example_bytes: float
    tokens: float
    target_bytes: float
    target_tokens: float
    output_bytes: float


@dataclasses.dataclass(frozen=True, slots=True)
class Rates:
    """What was measured.

    Attributes:
        key: Identifies the recipe and the machine; rates of another key are measured again.
        source: `probe`, or `run` where a finished run corrected them.
        sizes: See `Sizes`.
        lines: Stage -> seconds by its units: bytes of the corpus (ingest), sampled records (tokenizer), records
            (examples, evaluate), tokens (infer).
        seconds: Seconds of parts of a stage: `export`; `train.start`, `train.end`, `train.step`, `train.evaluate` (a
            batch).
        files: Stage -> the files and bytes that do not grow with the corpus.
        memory: Stage -> bytes of the largest process.
        workers: Workers that trained.
        factors: Stage -> what the seconds are multiplied by: fact over plan of the last run, 1 before it.
    """

    key: str
    source: str
    sizes: Sizes
    lines: Mapping[str, Line]
    seconds: Mapping[str, float]
    files: Mapping[str, tuple[int, int]]
    memory: Mapping[str, int]
    workers: int
    factors: Mapping[str, float] = dataclasses.field(default_factory=dict)


def write_rates(rates: Rates, folder: Path) -> None:
    """Writes the rates into the folder of a run."""
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / FILE, durable=True) as stream:
        stream.write(json.dumps(dataclasses.asdict(rates), indent=1).encode() + b"\n")


def read_rates(folder: Path, key: str | None = None) -> Rates | None:
    """Returns the rates in the folder of a run; None where there are none, or none of that key.

    Raises:
        UserError: The file is damaged.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    found = read_object(path, "key", "sizes", "lines", "files")
    try:
        lines = {stage: Line(**line) for stage, line in found["lines"].items()}
        files = {stage: (int(count), int(size)) for stage, (count, size) in found["files"].items()}
        whole: dict[str, Any] = {**found, "sizes": Sizes(**found["sizes"]), "lines": lines, "files": files}
        rates = Rates(**whole)
    except (TypeError, ValueError, AttributeError) as error:
        hint = "Remove it to measure again"
        raise UserError("damaged: the content differs from what was written", where=str(path), hint=hint) from error
    return rates if key in (None, rates.key) else None
