"""Keeps personal data out of published ids, file names, reports and messages."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lstmlm.corpus.sources.found import CorpusFile
from lstmlm.corpus.steps.privacy.find import Finder
from lstmlm.corpus.steps.privacy.kind import further_kinds, privacy_kind
from lstmlm.corpus.steps.privacy.replace import replacement_of
from lstmlm.corpus.steps.privacy.scrubber import Scrubber
from lstmlm.errors import UserError
from lstmlm.recipe.sections.corpus import Privacy


def scrubber_of(privacy: Privacy) -> Scrubber | None:
    """Returns what scrubs as a recipe asks for; None where it does not ask.

    Raises:
        UserError: See `Finder` and `replacement_of`.
    """
    return Scrubber(Finder(privacy.kinds, privacy.regions), replacement_of(privacy)) if privacy.kinds else None


def without_key(privacy: Privacy) -> Privacy:
    """Returns what to scrub by where there may be neither the key of the pseudonyms nor models: at inference."""
    further = {name for name in further_kinds(privacy.kinds) if not privacy_kind(name).in_messages}
    kinds = tuple(kind for kind in privacy.kinds if kind not in further)
    return privacy.model_copy(update={"kinds": kinds, "action": "placeholder"})


def scrubbed(value: Any, scrubber: Scrubber | None) -> Any:
    """Returns a JSON value with every text in it scrubbed, keys of objects too.

    Counts under keys that become equal are added up; of other values under equal keys the last one stays.
    """
    if scrubber is None:
        return value
    if isinstance(value, str):
        return scrubber.text(value, collections.Counter())
    if isinstance(value, list | tuple):
        return [scrubbed(item, scrubber) for item in value]
    if not isinstance(value, Mapping):
        return value
    found: dict[Any, Any] = {}
    for key, item in value.items():
        name, item = scrubbed(key, scrubber), scrubbed(item, scrubber)
        found[name] = found[name] + item if isinstance(item, int) and isinstance(found.get(name), int) else item
    return found


def holds_personal_data(record_id: str, scrubber: Scrubber) -> bool:
    """Returns whether an id must not be published: it holds personal data, and is more than a bare number.

    A bare number is nearly always a key of a data base, and replacing it would part the record from its other data.
    """
    return not record_id.isdigit() and bool(scrubber.finder.may_find(record_id) and scrubber.finder.find(record_id))


def with_public_names(files: Sequence[CorpusFile], scrubber: Scrubber | None) -> list[CorpusFile]:
    """Returns the files under names without personal data: record ids, dead letters and reports have them.

    Files whose names become equal are distinguished by a number, in corpus order: `mail/<EMAIL>.txt`,
    `mail/<EMAIL>.txt~2`.
    """
    if scrubber is None:
        return list(files)
    times: collections.Counter[str] = collections.Counter()
    public: list[CorpusFile] = []
    for file in files:
        name = scrubbed(file.name, scrubber)
        if name != file.name:
            times[name] += 1
            file = dataclasses.replace(file, name=name if times[name] == 1 else f"{name}~{times[name]}")
        public.append(file)
    return public


@contextlib.contextmanager
def scrubbed_messages(privacy: Privacy) -> Iterator[None]:
    """Scrubs the text of errors that are the user's: they go to the screen and to a log, and may quote a row.

    Where the fault is stays as it is: the user needs the path.
    """
    try:
        yield
    except UserError as error:
        scrubber = scrubber_of(privacy)
        if scrubber is None:
            raise
        what, hint = scrubbed([error.what, error.hint], scrubber)
        # Without its context: the traceback in the log would quote the first one.
        raise type(error)(what, where=error.where, hint=hint) from None
