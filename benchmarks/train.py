"""Training speed compared with plain PyTorch at the same shape and with the same threads, and the quality it buys.

`make bench-train` measures everything; `ROWS="steps wikitext2"` only these parts:

- `steps`: steps of a language model (2 x 512, vocabulary 8,000, batch 32 x 35) in float32 and bfloat16, ours and
  PyTorch's in turn: medians, peak memory, and how near the chip's matrix products they come; see `train_speed.py`.
  With `GPU=1` they run on a GPU on both sides, without rows for the CPU.
- `faults`: killed and stopped workers, a killed driver, lost and joining nodes: seconds to the next step; see
  `train_faults.py`.
- `wikitext2`, `translate`, `wikitext2_90`, `translate_60`: what minutes of training buy, see `train_quality.py`. All
  four train for about four hours.

`QUICK=1` measures only `steps`, and fewer of them, which ends within five minutes; rows that `ROWS` names then train
for seconds instead of minutes, and have no bar. `RECIPES="wikitext2"` trains these recipes as well. PyTorch lives in
an environment of its own below `build/peers/torch`, which this command makes.
"""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import train_faults
import train_quality
import train_speed
from table import Row, publish

ROOT = Path(__file__).resolve().parents[1]

PARTS: dict[str, Callable[[bool], list[Row]]] = {
    "steps": train_speed.step_rows,
    "faults": lambda quick: train_faults.rows(),
    **{name: functools.partial(train_quality.rows, name) for name in train_quality.PLANS},
}


def main() -> None:
    """Measures the parts, and prints and writes the rows after each: a later one may take an hour, or fail."""
    started = time.monotonic()
    quick = os.environ.get("QUICK") == "1"
    only_steps = quick or os.environ.get("GPU") == "1"
    named = os.environ.get("ROWS", "").split() or (["steps"] if only_steps else list(PARTS))
    if unknown := [name for name in named if name not in PARTS]:
        raise SystemExit(f"no rows named {', '.join(unknown)}; there are: {', '.join(PARTS)}")
    table: list[Row] = []
    refused: list[str] = []
    for name in named:
        try:
            table += PARTS[name](quick)
        except train_quality.TookTooLong as error:
            refused.append(str(error))
        publish("train", table)
    print(f"{time.monotonic() - started:.0f} s")
    if recipes := os.environ.get("RECIPES", "").split():
        subprocess.run([sys.executable, str(ROOT / "benchmarks" / "recipes.py"), *recipes], check=True)
    if refused:
        raise SystemExit("no row: " + "; ".join(refused))


if __name__ == "__main__":
    main()
