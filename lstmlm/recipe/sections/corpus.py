"""`corpus`: the files a run reads, and how their records are cleaned."""

from __future__ import annotations

import math
import operator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from lstmlm import plugins
from lstmlm.errors import UserError
from lstmlm.recipe.sections.file_form import COLUMNS, DELIMITER, ENCODING, ColumnNames, Delimiter, EncodingName
from lstmlm.recipe.sections.section import FROM_DATA, Extension, Folder, Fraction, Positive, Section, names_code

MIN_SHARDS = 4
"""Shards of a split at least, where their number follows from the size: readers take turns to mix a sorted corpus."""

_RULE_SETS = Extension("lstmlm.corpus.steps.quality.rule_set:RULE_SETS")
RuleSetName = Annotated[str, _RULE_SETS, AfterValidator(_RULE_SETS.check)]


_KINDS = Extension(
    "lstmlm.corpus.steps.privacy.kind:PRIVACY_KINDS",
    load="lstmlm.corpus.steps.privacy.kind:privacy_kind",
    listed="lstmlm.corpus.steps.privacy.kind:known_names",
)
PrivacyKindName = Annotated[str, _KINDS, AfterValidator(_KINDS.check)]


_READERS = Extension("lstmlm.corpus.reading.readers:READERS")
ReaderName = Annotated[str, _READERS, AfterValidator(_READERS.check)]


class Duplicates(Section):
    """Which records count as copies of an earlier one; the first in corpus order stays."""

    exact: bool = Field(False, description="Drop records whose text (source and targets) occurred before.")
    near: Annotated[float, Field(ge=0.3, le=1.0)] | None = Field(
        None,
        description="Drop records whose shingles have this Jaccard similarity, or more, to an earlier one's; texts of "
        "fewer words than a shingle must have the same words and signs.",
    )
    ngram: Positive = Field(5, description="Words of a shingle.")
    bands: Positive | None = Field(None, description="MinHash bands; absent: as `near` asks for.")
    rows: Positive | None = Field(None, description="Hashes of a band; absent: as `near` asks for.")

    @model_validator(mode="after")
    def _near_is_given(self) -> Duplicates:
        if self.near is None and (self.bands is not None or self.rows is not None):
            raise ValueError("bands and rows say how `near` is looked for: give it too")
        return self


class Decontamination(Section):
    """Evaluation files whose text must not be learnt from."""

    files: tuple[str, ...] = Field(
        (),
        description="Files or globs below `corpus.root`, in any format of a corpus. Records to train on are compared "
        "with them, those of a file named in `valid` are not.",
    )
    columns: tuple[str, ...] = Field(
        (), description="Columns or keys whose text is compared; absent: `corpus.source` and `corpus.target`."
    )
    ngram: Positive = Field(
        13,
        description="Words in a row that must be shared for a record to be dropped; in scripts "
        "without spaces, as many letters as make about so many words.",
    )


class Privacy(Section):
    """Personal data that is replaced in every text and in all else that is published: ids, drops, the report."""

    kinds: tuple[PrivacyKindName, ...] = Field(
        (), description="What is looked for; `presidio` needs Microsoft Presidio installed."
    )
    regions: tuple[str, ...] = Field(
        ("US", "GB", "FR", "DE", "ES", "IT"), description="Countries whose phone numbers and national ids are known."
    )
    action: Literal["placeholder", "pseudonym"] = Field(
        "placeholder", description="A typed placeholder such as `<EMAIL>`, or a stable keyed pseudonym."
    )
    key: str | None = Field(None, description="Environment variable that holds the key of the pseudonyms.")


class CorpusFilter(Section):
    """A filter of another package."""

    name: str = Field(description="`package.module:Class`, or an entry point of the group `lstmlm.filters`.")
    options: dict[str, Any] = Field({}, description="What the filter is made with; the filter checks it.")

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        """Takes a name without options too."""
        return {"name": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _can_be_made(self, info: ValidationInfo) -> CorpusFilter:
        if info.context == FROM_DATA:
            return self
        try:
            plugins.imported("lstmlm.corpus.steps.filters:make_filter")(self.name, self.options)
        except UserError as error:
            raise ValueError(f"{error.what}. {error.hint}") from error
        return self


class Mixture(Section):
    """How often the records of some train files are used."""

    files: str = Field(description="File or glob below `corpus.root`, among those of `corpus.train`.")
    weight: Annotated[float, Field(ge=0.0, le=100.0)] = Field(
        1.0, description="Times each record is used: 0.5 is every second one (by hash), 2 is every one twice."
    )


class CorpusSection(Section):
    """Where the text comes from, how a row of it becomes a record, and which records are kept."""

    root: Folder = Field(
        Path(),
        description="Folder, `gs://` or `s3://` address that `train` and `valid` are relative to; `${NAME}` takes an "
        "environment variable.",
    )
    train: str = Field(
        description="File, folder or glob below `root`: .txt, .tsv, .csv, .jsonl (each also .gz, .bz2, .xz, .zst), "
        ".parquet, .arrow, and what `readers` read."
    )
    valid: str | None = Field(None, description="The same for evaluation; absent: a hash split of `train`.")
    valid_fraction: Fraction = Field(0.02, description="Share of records split off for evaluation without `valid`.")
    readers: tuple[ReaderName, ...] = Field(
        (),
        description="Readers of other packages, for files with their endings, also of the batch job's input; those of "
        "this package need not be named.",
        exclude_if=operator.not_,  # the fingerprints of corpora without any stay what they were
    )
    delimiter: Delimiter | None = Field(None, description=DELIMITER, exclude_if=operator.not_)
    encoding: EncodingName | None = Field(None, description=ENCODING, exclude_if=operator.not_)
    columns: ColumnNames = Field((), description=COLUMNS, exclude_if=operator.not_)
    split_key: str | None = Field(
        None, description="Column or key: records that share its value never cross splits; absent: the record's id."
    )
    source: str = Field("text", description="Column or key of the input text; a .txt line is the text itself.")
    target: str | None = Field(None, description="Column or key of the output text, or list of texts (pair tasks).")
    id: str | None = Field(None, description="Column or key of the record's id; absent: `file:line`.")
    unit: Literal["line", "paragraph"] = Field(
        "line", description="What a record of a .txt file is; paragraphs are separated by blank lines."
    )
    max_line_bytes: Positive = Field(1_000_000, description="A longer line is a dead letter.")
    max_dead_fraction: Fraction = Field(0.01, description="A larger share of dead letters fails the run.")
    damaged: Literal["keep", "dead"] = Field(
        "keep", description="A damaged compressed file: keep what is good of it, or make the whole file a dead letter."
    )
    max_expansion: Positive = Field(
        1000, description="A compressed file that grows by more than this factor (and beyond 1 GB) is refused."
    )
    normalise: bool = Field(
        False,
        description="Fix mojibake and HTML entities, apply NFC, drop control characters, tidy white space. The "
        "punctuation, widths and joiners of every script stay.",
    )
    languages: tuple[str, ...] = Field(
        (), description="ISO 639-1 codes kept of the source; empty: all. A file named in `valid` stays as it is."
    )
    target_languages: tuple[str, ...] = Field((), description="The same for targets.")
    quality: tuple[RuleSetName, ...] = Field(
        (),
        description="Rule sets with their published thresholds, for records to train on: a file named in `valid` stays "
        "as it is. `gopher` is for English and scripts without spaces; `c4` and `fineweb` need marks at the ends of "
        "sentences; `c4` is not for pairs, which `pairs` compares.",
    )
    filters: tuple[CorpusFilter, ...] = Field(
        (),
        description="Filters of other packages, which drop records to train on after the quality rules: names, or "
        "names with options.",
    )
    privacy: Privacy = Privacy()
    duplicates: Duplicates = Duplicates()
    decontamination: Decontamination = Decontamination()
    mixture: tuple[Mixture, ...] = Field((), description="Weights of train files; a file named nowhere has weight 1.")
    exclusions: bool = Field(False, description="Write what was dropped, with its reason, to `exclusions.jsonl.gz`.")
    shuffle: bool = Field(False, description="Shuffle records across shards by a seeded key; else corpus order.")
    shards: Positive | None = Field(None, description="TFRecord files a split is written to; absent: by size.")
    shard_bytes: Positive = Field(128_000_000, description="About how large a shard is where `shards` is absent.")

    @model_validator(mode="after")
    def _rules_fit_the_corpus(self, info: ValidationInfo) -> CorpusSection:
        names = [name for name in self.quality if info.context != FROM_DATA or not names_code(name)]
        clashes = (clash for name in names for clash in _RULE_SETS.thing(name).clashes(self))
        if clash := next(clashes, None):
            raise ValueError(clash)
        return self

    def shards_for(self, largest: float) -> int:
        """Returns how many shards each split is written to, given the bytes of the largest split."""
        return self.shards or max(MIN_SHARDS, math.ceil(largest / self.shard_bytes))

    def place(self, name: str) -> str:
        """Returns a file or glob below `root` as a path or a URL."""
        return f"{self.root.rstrip('/')}/{name}" if isinstance(self.root, str) else str(self.root / name)

    def places(self) -> list[str]:
        """Returns the files or globs of both splits as paths or URLs."""
        return [self.place(name) for name in (self.train, self.valid) if name]
