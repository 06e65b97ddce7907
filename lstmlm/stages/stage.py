"""The row of a stage in the table, and the function that runs it: returns a cached result or publishes a new one."""

from __future__ import annotations

import dataclasses
import pkgutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from lstmlm.publish.folder import Draft, Manifest, fingerprint, is_finished, publish, read_manifest
from lstmlm.recipe.task_options import FIELD as TASK_OPTIONS

if TYPE_CHECKING:
    from lstmlm.recipe.recipe import Recipe


@dataclasses.dataclass(frozen=True, slots=True)
class Input:
    """A finished folder that a stage reads.

    Attributes:
        name: Parameter of the stage's function, and option of its command.
        stage: The stage that makes such a folder.
        handed_by: The stage of the pipeline that hands it over; empty: `stage`.
        channel: Key of the TFX component's input; empty: `name`.
        optional: Whether the command works without it.
    """

    name: str
    stage: str
    handed_by: str = ""
    channel: str = ""
    optional: bool = False

    @property
    def upstream(self) -> str:
        """The stage of the pipeline that this input comes from."""
        return self.handed_by or self.stage

    @property
    def key(self) -> str:
        """Key of the TFX component's input."""
        return self.channel or self.name


@dataclasses.dataclass(frozen=True, slots=True)
class Node:
    """A stage's place in the pipeline.

    Attributes:
        id: Id of the node; also the name of the folder of its artifacts.
        output: Key of its main output.
        artifact: Name of the output's type, in `components.artifacts` or TFX's standard ones.
        inside: Folder of that output that holds the published result; empty: the output itself.
        after: Stages that come before it without an input from them.
        lookup: It only finds what is there already, so it counts as cached.
    """

    id: str
    output: str
    artifact: str = "Folder"
    inside: str = ""
    after: tuple[str, ...] = ()
    lookup: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Stage:
    """One step of a run.

    Attributes:
        name: What users call it: `lstmlm NAME`, `lstmlm run --stage NAME`.
        help: One sentence for users.
        function: What does the work, as `package.module:function`; empty: a node of TFX's own. It is called with the
            recipe, the folder of each input by name, `output` and `progress`.
        kind: `Manifest.kind` of what it publishes.
        version: Raise it with every change that makes the stage write other bytes.
        holds: What the published folder holds, for the documentation.
        inputs: The finished folders it reads.
        decides: Fields and sections of the recipe that decide its result, in addition to its inputs.
        ignores: Fields of those sections that do not.
        reads: Other fields of the recipe that it uses, for messages and places.
        outside: `package.module:function`, each of which returns, for a recipe, the fingerprint of files it reads that
            no stage made, or empty where there are none.
        checks: What the command checks before any work; see `lstmlm.checks.needs`.
        beam: Whether it runs on Beam, so that its command takes a runner.
        stores: How its output gets into an object store, where its inputs may be too (`lstmlm.storage`): `streamed`,
            or `copied` from a folder of this machine, for libraries write it; empty: it is for folders only.
        node: Its place in the pipeline; None: it is a command only.
    """

    name: str
    help: str
    function: str = ""
    kind: str = ""
    version: int = 0
    holds: str = ""
    inputs: tuple[Input, ...] = ()
    decides: tuple[str, ...] = ()
    ignores: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    beam: bool = False
    stores: Literal["", "streamed", "copied"] = ""
    node: Node | None = None

    def load(self) -> Callable[..., Manifest]:
        """Imports the function that does the work."""
        function: Callable[..., Manifest] = pkgutil.resolve_name(self.function)
        return function

    def outside_fingerprint(self, recipe: Recipe) -> str:
        """Returns the fingerprint of the files that the stage reads and no stage made; empty: there are none.

        Raises:
            UserError: One cannot be read.
        """
        found = (pkgutil.resolve_name(name)(recipe) for name in self.outside)
        return ",".join(str(one) for one in found if one)

    def decided(self, recipe: Recipe) -> dict[str, Any]:
        """Returns what decides the result: each of `decides`, as JSON, without what `ignores` names."""
        found: dict[str, Any] = {}
        for path in self.decides:
            section, _, field = path.partition(".")
            value = recipe.model_dump(mode="json", include={section})[section]
            if isinstance(value, dict):
                value = {key: inner for key, inner in value.items() if f"{section}.{key}" not in self.ignores}
            found[path] = value[field] if field else value
        sections = {path.partition(".")[0] for path in self.decides}
        belongs = getattr(recipe.task_options, "belongs_to", {})
        options = {name: value for name, value in recipe.given_options.items() if belongs.get(name, "task") in sections}
        if options:
            found[TASK_OPTIONS] = options
        return found

    def stamp(self, *parts: object) -> str:
        """Returns the fingerprint of a result of this stage that was made from the parts."""
        return fingerprint(self.name, self.version, *parts)

    def publish(self, output: Path, stamp: str, write: Callable[[Draft], None]) -> Manifest:
        """Publishes a result, unless the folder holds it already.

        Args:
            output: The folder to publish.
            stamp: The fingerprint of the result.
            write: Writes the files and facts into a draft.

        Returns:
            The manifest of the finished folder.

        Raises:
            UserError: The folder holds something else or cannot be written, or what `write` raises.
        """

        def work() -> None:
            with publish(output, self.kind, stamp, copied=self.stores == "copied") as draft:
                write(draft)

        return self.once(output, stamp, work)

    def once(self, output: Path, stamp: str, work: Callable[[], None]) -> Manifest:
        """As `publish`, for work that publishes by itself."""
        if not is_finished(output, self.kind, stamp):
            work()
        return read_manifest(output, self.kind)
