"""What Kubeflow's launcher hands to a step, its `ExecutorInput`, and what the step leaves for it, its `ExecutorOutput`.

The schema is `pipeline_spec.proto` of kubeflow/pipelines.
"""

from __future__ import annotations

import copy
import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.hooks import Handed
from lstmlm.publish.folder import replacing
from pipelines.kubeflow.parameters import take_parameters
from pipelines.kubeflow.places import local_path


@dataclasses.dataclass(frozen=True, slots=True)
class Invocation:
    """One start of a step.

    Attributes:
        content: The `ExecutorInput`, with the parameters of the run taken.
    """

    content: dict[str, Any]

    @classmethod
    def read(cls, text: str) -> Invocation:
        """Reads an `ExecutorInput`.

        Raises:
            UserError: A parameter of the run has a wrong value.
        """
        content = json.loads(text)
        take_parameters(content.setdefault("inputs", {}).setdefault("parameterValues", {}))
        return cls(content)

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters by name."""
        found: dict[str, Any] = self.content["inputs"]["parameterValues"]
        return found

    @property
    def output_parameters(self) -> dict[str, Path]:
        """Name of an output parameter -> the file in which the launcher looks for it."""
        found = self.content.get("outputs", {}).get("parameters", {})
        return {name: Path(one["outputFile"]) for name, one in found.items()}

    @property
    def output_file(self) -> Path:
        """Where the launcher looks for the `ExecutorOutput`."""
        return Path(self.content["outputs"]["outputFile"])

    def artifacts(self, side: str) -> dict[str, Handed]:
        """Returns the artifacts by key; `side` is `inputs` or `outputs`. The launcher has the first of a list."""
        listed = self._listed(side)
        return {
            key: Handed(local_path(one["uri"]), one["uri"], one.get("name", ""), dict(one.get("metadata") or {}))
            for key, one in listed.items()
        }

    def make_folders(self) -> None:
        """Makes the folders of the outputs; the launcher makes only their parents."""
        for output in self.artifacts("outputs").values():
            output.path.mkdir(parents=True, exist_ok=True)

    def with_local_paths(self) -> str:
        """Returns the `ExecutorInput` as JSON, with the folder of each artifact in the place of its URI."""
        content = copy.deepcopy(self.content)
        for side in ("inputs", "outputs"):
            for listed in content.get(side, {}).get("artifacts", {}).values():
                for one in listed.get("artifacts", [])[:1]:
                    one["uri"] = str(local_path(one["uri"]))
        return json.dumps(content)

    def write_output(self, properties: Mapping[str, Mapping[str, Any]]) -> None:
        """Writes the `ExecutorOutput`: the outputs at the URIs they had, for the launcher uploads by these.

        Args:
            properties: Key of an output -> its properties.
        """
        artifacts = {
            key: {"artifacts": [{"name": one.get("name", ""), "uri": one["uri"], "metadata": dict(properties[key])}]}
            for key, one in self._listed("outputs").items()
        }
        self.output_file.parent.mkdir(parents=True, exist_ok=True)
        with replacing(self.output_file) as stream:
            stream.write(json.dumps({"artifacts": artifacts}).encode())

    def _listed(self, side: str) -> dict[str, dict[str, Any]]:
        found = self.content.get(side, {}).get("artifacts", {})
        return {key: listed["artifacts"][0] for key, listed in found.items() if listed.get("artifacts")}
