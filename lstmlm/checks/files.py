"""Checks that the files a recipe names exist, before any work."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator, Set
from pathlib import Path

from lstmlm.errors import UserError
from lstmlm.recipe.faults import Fault, Key
from lstmlm.recipe.file import ParsedRecipe
from lstmlm.recipe.recipe import Recipe


def file_faults(draft: ParsedRecipe, recipe: Recipe) -> Iterator[Fault]:
    """Yields what is wrong with the files of the corpus; those in an object store are not looked for."""
    from lstmlm.corpus.sources.files import list_corpus

    corpus = recipe.corpus
    if not draft.is_sound("corpus.root") or isinstance(corpus.root, str):
        return
    if not corpus.root.is_dir():
        what = f"{corpus.root} {'is not a folder' if corpus.root.exists() else 'does not exist'}"
        hint = f"Set it to the folder of the corpus; it is relative to {Path.cwd()}"
        yield Fault(("corpus", "root"), what, hint)
        return
    fields = [field for field in ("train", "valid") if getattr(corpus, field) is not None]
    broken = [fault for field in fields for fault in _unlisted(draft, recipe, field)]
    yield from broken
    if not broken and draft.is_sound("corpus.train", "corpus.valid"):
        try:
            files = list_corpus(recipe).files
        except UserError as error:
            yield Fault(("corpus", "train"), f"{error.where}: {error.what}", error.hint)
            return
        yield from _mixture_faults(draft, recipe, [file.name for file in files if file.split != "valid"])
        yield from _text_file_faults(draft, recipe, {file.reader for file in files})


def _unlisted(draft: ParsedRecipe, recipe: Recipe, field: str) -> Iterator[Fault]:
    from lstmlm.corpus.sources.kinds import file_kinds
    from lstmlm.corpus.sources.listing import list_files

    if draft.is_sound(f"corpus.{field}"):
        key: Key = ("corpus", field)
        pattern, endings = getattr(recipe.corpus, field), file_kinds(recipe.corpus).endings
        yield from _not_found(
            key, functools.partial(list_files, recipe.corpus.root, pattern, f"corpus.{field}", endings)
        )


def _not_found(key: Key, look: Callable[[], object]) -> Iterator[Fault]:
    try:
        look()
    except UserError as error:
        named = f"{error.where}: " if error.where and not error.where.startswith("corpus.") else ""
        yield Fault(key, f"{named}{error.what}", error.hint or "Check the path")


def _mixture_faults(draft: ParsedRecipe, recipe: Recipe, names: list[str]) -> Iterator[Fault]:
    from lstmlm.corpus.sources.mixture import check_mixture

    for place, part in enumerate(recipe.corpus.mixture):
        if draft.is_sound("corpus.mixture"):
            key: Key = ("corpus", "mixture", place, "files")
            yield from _not_found(key, functools.partial(check_mixture, names, (part,)))


def _text_file_faults(draft: ParsedRecipe, recipe: Recipe, used: Set[str]) -> Iterator[Fault]:
    """Yields the columns that are asked of files of which none has any; `used`: their readers."""
    from lstmlm.corpus.sources.kinds import file_kinds

    kinds = file_kinds(recipe.corpus)
    if any(kinds.readers[name].has_columns for name in used):
        return
    if recipe.corpus.target is not None and draft.is_sound("corpus.target"):
        ending = kinds.readers[min(used)].endings[0]
        what = f"a {ending} file has no columns, so it has no output text"
        yield Fault(("corpus", "target"), what, f"Give {kinds.usual(columns=True)} files")


def decontamination_faults(draft: ParsedRecipe, recipe: Recipe) -> Iterator[Fault]:
    """Yields what is wrong with evaluation files, the key of pseudonyms, and what must be installed."""
    from lstmlm.corpus.sources.kinds import file_kinds
    from lstmlm.corpus.sources.listing import list_files

    corpus = recipe.corpus
    there = draft.is_sound("corpus.root") and isinstance(corpus.root, Path) and corpus.root.is_dir()
    if there and draft.is_sound("corpus.decontamination"):
        for place, pattern in enumerate(corpus.decontamination.files):
            key: Key = ("corpus", "decontamination", "files", place)
            field = "corpus.decontamination.files"
            yield from _not_found(
                key, functools.partial(list_files, corpus.root, pattern, field, file_kinds(corpus).endings)
            )
    if draft.is_sound("corpus.privacy"):
        yield from _privacy_faults(recipe)


def _privacy_faults(recipe: Recipe) -> Iterator[Fault]:
    privacy = recipe.corpus.privacy
    if privacy.action == "pseudonym" and not (privacy.key and os.environ.get(privacy.key, "").strip()):
        unset = f"the environment variable {privacy.key} is not set or empty"
        hint = "Name an environment variable here and set it to a long random secret"
        yield Fault(("corpus", "privacy", "key"), unset if privacy.key else "pseudonyms need a key", hint)
    if privacy.kinds:
        from lstmlm.corpus.steps.privacy.kind import further_kinds, privacy_kind

        for kind in map(privacy_kind, further_kinds(privacy.kinds)):
            try:
                kind.check_installed()
            except UserError as error:
                yield Fault(("corpus", "privacy", "kinds"), error.what, error.hint)
        import phonenumbers

        for place, region in enumerate(privacy.regions):
            if region not in phonenumbers.SUPPORTED_REGIONS:
                hint = "Use ISO 3166-1 codes in capitals, such as GB for the United Kingdom"
                yield Fault(("corpus", "privacy", "regions", place), f"{region!r} is not a country", hint)


def tokenizer_faults(recipe: Recipe) -> Iterator[Fault]:
    """Yields what is wrong with a given vocabulary."""
    yield from _older_faults(recipe)
    path, key = recipe.tokenizer.model, ("tokenizer", "model")
    if path is None:
        return
    kinds = "a SentencePiece .model or a Hugging Face tokenizer.json"
    if not path.is_file():
        what = f"{path} {'is not a file' if path.exists() else 'does not exist'}"
        yield Fault(key, what, f"Name {kinds}; the path is relative to {Path.cwd()}")
    elif path.suffix not in (".model", ".json"):
        yield Fault(key, f"{path} is no vocabulary: it ends in neither .model nor .json", f"Name {kinds}")
    elif not os.access(path, os.R_OK):
        yield Fault(key, f"{path} cannot be read", "Check who owns it")


def _older_faults(recipe: Recipe) -> Iterator[Fault]:
    from lstmlm.tokenizer.growth import older_file

    try:
        older_file(recipe)
    except UserError as error:
        yield Fault(("tokenizer", "grows"), error.what, error.hint)


def earlier_faults(recipe: Recipe) -> Iterator[Fault]:
    """Yields what is wrong with the model that training starts from, as far as its folder says."""
    from lstmlm.recipe.sections.initial import LAST_BLESSED
    from lstmlm.training.initial.earlier import read_earlier, whole
    from lstmlm.training.initial.same import check_same_network

    initial, key = recipe.training.initial, ("training", "initial")
    if initial is None or initial.model == LAST_BLESSED:
        return
    try:
        earlier = read_earlier(initial.model)
        if whole(initial, earlier, recipe.task):
            check_same_network(recipe, earlier)
        if initial.backward is not None:
            read_earlier(initial.backward)
    except UserError as error:
        where = "" if error.where in ("", "training.initial") else f"{error.where}: "
        yield Fault(key, f"{where}{error.what}", error.hint)


def inference_faults(recipe: Recipe) -> Iterator[Fault]:
    """Yields what is wrong with the input of the batch job."""
    from lstmlm.corpus.sources.kinds import file_kinds
    from lstmlm.corpus.sources.listing import list_files
    from lstmlm.inference.input.inputs import input_form

    wanted, root = recipe.inference, recipe.corpus.root
    if wanted.input is None or not isinstance(root, Path) or not root.is_dir():
        return
    endings = file_kinds(input_form(recipe), requests=True).endings
    look = functools.partial(list_files, root, wanted.input, "inference.input", endings)
    yield from _not_found(("inference", "input"), look)
