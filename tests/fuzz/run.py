"""Reads mutated files, each in a process with 1 GB more memory and 10 s: rows, dead letters or one line come of it.

    python tests/fuzz/run.py --inputs 100000 --seed 1

What fails is kept in `build/fuzz`. The exit code is 1 where anything did.
"""

from __future__ import annotations

import argparse
import collections
import os
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from targets import Target, targets

from lstmlm.errors import UserError

MEMORY = 1 << 30
SECONDS = 10
_WORDS = (
    b"\xff" * 8,
    b"\0" * 8,
    b"[" * 300,
    b'{"a":' * 300,
    b'"',
    b"\n",
    b"\r",
    b",",
    b"-1",
    b"9" * 400,
    b"1e999",
    b"null",
)
_CODES = {0: "read", 1: "refused", 2: "traceback"}


def mutated(data: bytes, other: bytes, random: random.Random) -> bytes:
    """Returns a file with a few changes, half of them where formats keep their sizes and places."""
    found = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 4, 16))):
        if not found:
            break
        near = random.choice((len(found), 64, min(len(found), 4000)))
        place = random.randrange(min(near, len(found)))
        place = len(found) - 1 - place if random.random() < 0.4 else place
        how = random.randrange(7)
        if how == 0:
            found[place] = random.randrange(256)
        elif how == 1:
            found[place] ^= 1 << random.randrange(8)
        elif how == 2:
            del found[place : place + random.randrange(1, 20)]
        elif how == 3:
            found[place:place] = random.choice(_WORDS)
        elif how == 4:
            start = random.randrange(len(other))
            found[place:place] = other[start : start + random.randrange(1, 200)]
        elif how == 5:
            found[place : place + 4] = random.randbytes(4)
        elif random.random() < 0.2:
            del found[place:]
    return bytes(found)


def outcome(target: Target, path: Path) -> int:
    """Reads a file; returns 0 (read), 1 (one line), or 2."""
    try:
        target.read(path)
    except UserError as error:
        return 1 if "\n" not in str(error) or path.suffix == ".yaml" else 2
    except BaseException:
        traceback.print_exc()
        return 2
    return 0


def in_process(target: Target, path: Path) -> str:
    """Reads a file in a process of its own; returns how that ended."""
    begun = time.monotonic()
    child = os.fork()
    if not child:
        with open("/proc/self/statm", encoding="ascii") as statm:
            used = int(statm.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(SECONDS)
        os._exit(outcome(target, path))
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        name = signal.Signals(os.WTERMSIG(status)).name
        return "hang" if name == "SIGALRM" else f"crash {name}"
    code = _CODES.get(os.WEXITSTATUS(status), "crash")
    return "slow" if time.monotonic() - begun > SECONDS else code


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="end after this time")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="part of the name of a file")
    words = parser.parse_args()
    kept = Path("build/fuzz")
    counts: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as work:
        chosen = [target for target in targets(Path(work)) if words.only in target.name]
        for number in range(words.inputs):
            if time.monotonic() - begun > words.seconds:
                break
            draw = random.Random(f"{words.seed} {number}")
            target = chosen[number % len(chosen)]
            data = mutated(draw.choice(target.files), draw.choice(target.files), draw)
            path = Path(work) / target.name
            path.write_bytes(data)
            start = time.monotonic()
            # A parser that has a process of its own keeps it for the next file.
            how = _CODES[outcome(target, path)] if target.inside else in_process(target, path)
            how = "slow" if target.inside and time.monotonic() - start > SECONDS + 5 else how
            counts[target.name][how] += 1
            if how not in ("read", "refused"):
                kept.mkdir(parents=True, exist_ok=True)
                (kept / f"{words.seed}-{number}-{path.name}").write_bytes(data)
                print(f"input {number}: {target.name}: {how}", flush=True)
    for name, found in counts.items():
        print(f"{name:20}", *(f"{how} {count}" for how, count in sorted(found.items())), sep="  ")
    total = sum(found.total() for found in counts.values())
    bad = sum(count for found in counts.values() for how, count in found.items() if how not in ("read", "refused"))
    print(f"{total} inputs in {time.monotonic() - begun:.0f} s, {bad} failures")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
