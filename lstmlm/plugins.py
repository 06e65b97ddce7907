"""Finds extensions by name: modules of this package, entry points of installed packages, or `package.module:Object`.

A recipe may name code of installed packages this way. Data and model files may not: nothing here may be called with
a name that was read from one.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import importlib
import importlib.metadata
import pkgutil
from collections.abc import Iterable
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from lstmlm.errors import UserError


class Versioned(Protocol):
    """A thing with a version, which is raised whenever what it gives changes."""

    version: ClassVar[str]


Thing = TypeVar("Thing", bound=Versioned)


@dataclasses.dataclass(frozen=True)
class Registry(Generic[Thing]):
    """Things of one kind that a recipe names, such as readers: those of this package and of others.

    Attributes:
        group: Entry-point group, such as `lstmlm.readers`; see `find`.
        base: Their class.
        attribute: What a module of `package` calls its thing, such as `READER`.
        package: The package whose modules are the built-in ones.
    """

    group: str
    base: type[Thing]
    attribute: str
    package: str

    def builtin(self) -> list[str]:
        """Returns the names of those of this package, without importing them."""
        return builtin_names(self.package)

    def names(self) -> list[str]:
        """Returns the names of those of this package and of installed ones, without importing them."""
        return names(self.group, self.package)

    def load(self, name: str) -> Thing:
        """Returns a thing by its name; a class is called without arguments.

        Raises:
            UserError: There is none of that name, or what is named is another thing.
        """
        found = find(self.group, name, self.package)
        found = getattr(found, self.attribute, found)
        noun = _noun(self.group)
        if isinstance(found, type) and issubclass(found, self.base):
            try:
                return found()
            except TypeError as error:  # it lacks a method
                what = f"{name!r} is not a whole {noun}: {error}"
                raise UserError(what, where=noun, hint="Define what it lacks") from error
        if not isinstance(found, self.base):
            hint = f"Name a subclass of `{self.base.__module__}.{self.base.__name__}`"
            article = "an" if noun[0] in "aeiou" else "a"
            raise UserError(f"{name!r} is not {article} {noun} but {type(found).__name__}", where=noun, hint=hint)
        return found

    def versions(self, used: Iterable[str]) -> list[str]:
        """Returns `name version` of those of other packages, for a fingerprint: this package's have the stage's."""
        builtin = self.builtin()
        return [f"{name} {self.load(name).version}" for name in used if name not in builtin]


def find(group: str, name: str, builtin_package: str | None) -> object:
    """Imports an extension.

    Args:
        group: Entry-point group, such as `lstmlm.tasks`. Its last part is what errors call the thing.
        name: A module of `builtin_package`, an entry point of the group, or `package.module:Object`. A module of this
            package wins over an entry point of the same name.
        builtin_package: The package whose modules are the built-in extensions, such as `lstmlm.tasks`; None: there are
            no built-in ones.

    Returns:
        The module of a built-in extension; the object that an entry point or `package.module:Object` names.

    Raises:
        UserError: There is nothing of that name, or it cannot be imported.
    """
    if name in builtin_names(builtin_package):
        return importlib.import_module(f"{builtin_package}.{name}")
    if ":" in name:
        return _object(group, name)
    entries = [entry for entry in _entry_points(group) if entry.name == name]
    if not entries:
        raise unknown(group, name, names(group, builtin_package))
    if len({entry.value for entry in entries}) > 1:
        listed = ", ".join(sorted(entry.value for entry in entries))
        what = f"several installed packages have a {_noun(group)} named {name!r}: {listed}"
        raise UserError(what, where=_noun(group), hint="Name one of them as `package.module:Object`")
    return _object(group, entries[0].value)


def names(group: str, builtin_package: str | None) -> list[str]:
    """Returns the names that `find` knows, without importing what they name."""
    return sorted({*builtin_names(builtin_package), *(entry.name for entry in _entry_points(group))})


def builtin_names(package: str | None) -> list[str]:
    """Returns the names of the modules of a package, without importing them; none without a package."""
    return [] if package is None else list(_modules(package))


@functools.cache
def _modules(package: str) -> tuple[str, ...]:
    # Asked for each block of rows, and a look into the folder takes half a millisecond.
    return tuple(sorted(module.name for module in pkgutil.iter_modules(importlib.import_module(package).__path__)))


def imported(name: str) -> Any:
    """Returns the object that `package.module:Object` names; lower layers reach higher ones this way."""
    module, _, path = name.partition(":")
    return functools.reduce(getattr, path.split("."), importlib.import_module(module))


def unknown(group: str, name: str, known: Iterable[str]) -> UserError:
    """Returns the error for a name that nothing has."""
    known = list(known)
    close = difflib.get_close_matches(name, known, n=1)
    listed = ", ".join(known) or "none"
    hint = f"Did you mean `{close[0]}`?" if close else f"There are: {listed}"
    return UserError(f"no {_noun(group)} named {name!r}", where=_noun(group), hint=hint)


def _noun(group: str) -> str:
    """Returns what a thing of a group is called: `lstmlm.quality_rules` -> `quality rule`."""
    return group.rpartition(".")[2].replace("_", " ").removesuffix("s")


def _object(group: str, name: str) -> object:
    """Imports `package.module:Object`.

    Raises:
        UserError: The module or the object does not exist, or importing it fails.
    """
    try:
        return imported(name)
    except Exception as error:  # the code is not ours: whatever it raises, the user has to know which name it was
        what = f"cannot import the {_noun(group)} {name!r} ({type(error).__name__}: {' '.join(str(error).split())})"
        hint = "Check the name, and that its package is installed in this environment"
        raise UserError(what, where=_noun(group), hint=hint) from error


def _entry_points(group: str) -> list[importlib.metadata.EntryPoint]:
    return list(importlib.metadata.entry_points(group=group))
