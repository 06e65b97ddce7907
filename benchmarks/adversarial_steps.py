"""Every step that a text goes through on its way into a corpus, each as a function of one text."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable
from pathlib import Path

from lstmlm.corpus.dedup.keys import block_keys
from lstmlm.corpus.passes.block import Block, Excluded
from lstmlm.corpus.report.summary import repeated_lines, summarise
from lstmlm.corpus.steps.decontaminate import Decontaminate, write_index
from lstmlm.corpus.steps.language import KeepLanguages
from lstmlm.corpus.steps.language_sample import SampleLanguages
from lstmlm.corpus.steps.normalise import Normalise
from lstmlm.corpus.steps.privacy.scrub import Scrub
from lstmlm.corpus.steps.quality.rule_set import RULE_SETS as KNOWN
from lstmlm.corpus.steps.quality.step import Quality
from lstmlm.corpus.steps.step import Step
from lstmlm.recipe.sections.corpus import Duplicates, Privacy
from lstmlm.records.record import Record, deserialize, serialize

KINDS = ("email", "phone", "card", "iban", "ip", "national_id", "url_credentials")


Applied = Callable[[str], object]


def _on_a_block(step: Step) -> Applied:
    step.setup()

    def apply(text: str) -> Block:
        # A long source with a short target: the rules of pairs look at both.
        record = Record("1", text, ("a target",))
        block = Block(0, 0, 1, [record])
        if isinstance(step, Scrub) and step.scrubs_exclusions:
            block = dataclasses.replace(block, records=[], excluded=[Excluded(record, "reason")])
        return step(block)

    return apply


def _keys(text: str) -> object:
    return block_keys([Record("1", text)], Duplicates(exact=True, near=0.8), 1)


def _summary(text: str) -> object:
    block = Block(0, 0, 1, [Record("1", text)])
    return summarise(block, {"train": 1}, {"train": 1}), repeated_lines(block.records)


def _serialised(text: str) -> object:
    return deserialize(serialize(Record("1", text, (text,))))


def _decontamination() -> Decontaminate:
    folder = Path(tempfile.mkdtemp(prefix="adversarial-"))
    texts = (
        "a b a b a b a b a b a b a b a b",
        "1 2 3 4 5 6 7 8 9 10 11 12 13 14",
        "word " * 20,
        "我们的同事在两个工作日之内给您答复",
    )
    write_index(folder, [(f"eval:{number}", text) for number, text in enumerate(texts)], 13)
    return Decontaminate(folder, 13)


RULE_SETS = KNOWN.builtin()

STEPS: dict[str, Callable[[], Applied]] = {
    "normalise": lambda: _on_a_block(Normalise()),
    "language": lambda: _on_a_block(KeepLanguages(("en",), ("fr",))),
    "language sample": lambda: _on_a_block(SampleLanguages()),
    **{f"quality {rules}": (lambda rules=rules: _on_a_block(Quality((rules,)))) for rules in RULE_SETS},
    "decontamination": lambda: _on_a_block(_decontamination()),
    **{f"privacy {kind}": (lambda kind=kind: _on_a_block(Scrub(Privacy(kinds=(kind,))))) for kind in KINDS},
    "privacy, all kinds": lambda: _on_a_block(Scrub(Privacy(kinds=KINDS))),
    "privacy of what is dropped": lambda: _on_a_block(Scrub(Privacy(kinds=KINDS), exclusions=True)),
    "keys of copies": lambda: _keys,
    "summary": lambda: _summary,
    "serialised": lambda: _serialised,
}
"""Name of a step -> what makes it, models and all."""
