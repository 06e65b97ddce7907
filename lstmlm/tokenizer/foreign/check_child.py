"""The child process of `foreign.check`: loads foreign tokenizers and runs them on difficult texts."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sentencepiece

from lstmlm.errors import UserError
from lstmlm.processes.child import Parent, serving
from lstmlm.tokenizer.foreign.hugging_face import HuggingFace
from lstmlm.tokenizer.sentencepiece.model_proto import algorithm, renumbered

MOST_TOKENS = 1_000_000
_LONG = 20_000
# What patterns with several repetitions in a row search again and again; behind them is what a pattern may look for.
_RUNS = (" ", "a", "A", "1", ".", "\n", "é", "漢", "\u0301", " a", "a1", "aA", "\t\n", "'s", "- ", "\U0001f600")


def _probes() -> list[str]:
    letters = "".join(map(chr, range(32, 127)))
    odd = "\0\x1b\u2581\u2585\ufeff\u200d\ue000\U000e0041\U0010ffff"
    return ["", letters, odd, letters * 50, *(run * (_LONG // len(run)) + "\0" + letters for run in _RUNS)]


def _loaded(path: Path) -> tuple[int, Callable[[str], list[int]], Callable[[list[int]], str]]:
    """Returns the number of tokens, what cuts a text, and what joins ids."""
    if path.suffix == ".json":
        found = HuggingFace(path)
        return found.size, found.encode, found.decode
    model = renumbered(path.read_bytes())
    algorithm(model)
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    return processor.get_piece_size(), lambda text: processor.encode(text), lambda ids: processor.decode(ids)


def _check(path: Path) -> dict[str, Any]:
    try:
        size, encode, decode = _loaded(path)
    except UserError as error:
        return {"what": error.what, "hint": error.hint}
    if size > MOST_TOKENS:
        return {"what": f"this tokenizer cannot be used: it has {size} tokens, and {MOST_TOKENS} are the most"}
    for text in _probes():
        ids = encode(text)
        decode(ids[:100])
        if len(ids) > 100 + 8 * len(text.encode()):
            return {"what": "this tokenizer cannot be used: it makes far more tokens of a text than it has bytes"}
    return {"what": ""}


def _answer(parent: Parent, path: Path) -> None:
    try:
        answer = _check(path)
    except (KeyboardInterrupt, SystemExit):
        raise
    # Libraries that read what anybody wrote; a panic of `tokenizers` is a BaseException.
    except BaseException as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        answer = {"what": "" if path.suffix == ".json" else None, "reason": reason}
        if path.suffix == ".json":
            answer["what"] = f"this tokenizer cannot be used: {reason}"
    parent.send(json.dumps(answer).encode())


def main() -> None:
    """Answers until the parent hangs up."""
    parent = serving(sys.argv[1])
    while True:
        _answer(parent, Path(json.loads(parent.receive())))


if __name__ == "__main__":
    main()
