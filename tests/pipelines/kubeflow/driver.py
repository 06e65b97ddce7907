"""Executes a compiled Kubeflow pipeline on this machine, by the rules of Kubeflow's own driver and launcher.

The rules are those of kubeflow/pipelines, backend/src/v2 (`driver/container.go`, `component/launcher_v2.go`,
`cacheutils/cache.go`): a bucket is a folder, and each step gets a file system of its own.

- Outputs get URIs below the pipeline root: `ROOT/TASK/UUID/KEY`; `minio://`, `s3://` and `gs://` only.
- Inputs are copied from the bucket to `/minio/...` and so on: files, for a bucket has no empty folders.
- Only the parents of the outputs are made.
- Placeholders are replaced in the command and its arguments.
- What a step says of its outputs is merged: properties, as numbers and text, and the URI, by which they are uploaded.
  One that is not in its folder, or whose URI has no folder, is left out with a warning.
- The cache key is made of the ids of the inputs, the parameters, the outputs, the image and the command.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import shutil
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

Json = dict[str, Any]
FOLDERS = {"gs://": "gcs", "s3://": "s3", "minio://": "minio"}
META = "output_metadata.json"


def in_launcher(uri: str, file_system: Path) -> Path | None:
    """`LocalPathForURI`; None: there is no folder for the URI."""
    for scheme, folder in FOLDERS.items():
        if uri.startswith(scheme):
            return file_system / folder / uri.removeprefix(scheme)
    return None


@dataclasses.dataclass
class Ran:
    """What became of a task."""

    code: int
    log: str
    outputs: dict[str, Json]
    parameters: dict[str, str]
    key: str


@dataclasses.dataclass
class Driver:
    """Runs the tasks of one run.

    Attributes:
        specification: The first document of the compiled pipeline.
        folder: For the bucket and the file systems of the steps.
        given: The parameters that the run is started with.
        environment: Variables of every step.
    """

    specification: Json
    folder: Path
    given: Json = dataclasses.field(default_factory=dict)
    environment: dict[str, str] = dataclasses.field(default_factory=dict)
    root: str = "minio://mlpipeline/v2/artifacts"
    ran: dict[str, Ran] = dataclasses.field(default_factory=dict)

    def order(self) -> list[str]:
        """The tasks, each after those that it depends on."""
        tasks, done = self.specification["root"]["dag"]["tasks"], list[str]()
        while len(done) < len(tasks):
            ready = [
                name
                for name, task in tasks.items()
                if name not in done and set(task.get("dependentTasks", ())) <= set(done)
            ]
            assert ready, "the tasks wait for each other"
            done += sorted(ready)
        return done

    def run(self, name: str) -> Ran:
        """Runs one task: the driver's work, then the launcher's."""
        task = self.specification["root"]["dag"]["tasks"][name]
        component = self.specification["components"][task["componentRef"]["name"]]
        container = self.specification["deploymentSpec"]["executors"][component["executorLabel"]]["container"]
        file_system = self.folder / "pods" / f"{name}-{uuid.uuid4()}"  # no folder is used twice
        file_system.mkdir(parents=True)
        inputs = self._inputs(task, component)
        outputs = self._outputs(task["taskInfo"]["name"], component, file_system)
        command = [*container["command"], *container.get("args", ())]
        key = cache_key(inputs, outputs, container["image"], command)
        executor_input = {"inputs": inputs, "outputs": outputs}
        self._prepare(executor_input, file_system)
        code, log = self._execute(command, executor_input, file_system)
        self.ran[name] = Ran(code, log, {}, {}, key)
        if code == 0:
            self._collect(self.ran[name], component, outputs, file_system)
        return self.ran[name]

    def key_of(self, name: str) -> str:
        """The cache key of a task whose inputs are there."""
        task = self.specification["root"]["dag"]["tasks"][name]
        component = self.specification["components"][task["componentRef"]["name"]]
        container = self.specification["deploymentSpec"]["executors"][component["executorLabel"]]["container"]
        outputs = self._outputs(name, component, self.folder)
        command = [*container["command"], *container.get("args", ())]
        return cache_key(self._inputs(task, component), outputs, container["image"], command)

    def stored(self, name: str, key: str) -> Path:
        """The folder of an output in the bucket."""
        return self._blob(self.ran[name].outputs[key]["uri"])

    def _blob(self, uri: str) -> Path:
        scheme, _, rest = uri.partition("://")
        return self.folder / "buckets" / scheme / rest

    def _inputs(self, task: Json, component: Json) -> Json:
        values = {name: self._value(source) for name, source in task.get("inputs", {}).get("parameters", {}).items()}
        known = component.get("inputDefinitions", {})
        assert set(values) <= set(known.get("parameters", {})), "a parameter that the component does not define"
        artifacts = {}
        for name, source in task.get("inputs", {}).get("artifacts", {}).items():
            produced = source["taskOutputArtifact"]
            artifacts[name] = {"artifacts": [self.ran[produced["producerTask"]].outputs[produced["outputArtifactKey"]]]}
        return {"parameterValues": values, "artifacts": artifacts}

    def _value(self, source: Json) -> Any:
        if "runtimeValue" in source:
            return source["runtimeValue"]["constant"]
        if "taskOutputParameter" in source:
            produced = source["taskOutputParameter"]
            return self.ran[produced["producerTask"]].parameters[produced["outputParameterKey"]]
        name = source["componentInputParameter"]
        found = self.given.get(name, self.specification["root"]["inputDefinitions"]["parameters"][name]["defaultValue"])
        return float(found) if isinstance(found, int) else found  # protobuf's Value has only one kind of number

    def _outputs(self, task: str, component: Json, file_system: Path) -> Json:
        defined, unique = component.get("outputDefinitions", {}), uuid.uuid4()
        artifacts = {
            key: {
                "artifacts": [{"name": key, "uri": f"{self.root}/{task}/{unique}/{key}", "type": one["artifactType"]}]
            }
            for key, one in defined.get("artifacts", {}).items()
        }
        files = file_system / "tmp" / "kfp" / "outputs"
        parameters = {key: {"outputFile": str(files / key)} for key in defined.get("parameters", {})}
        return {
            "artifacts": artifacts,
            "parameters": parameters,
            "outputFile": str(file_system / "tmp" / "kfp_outputs" / META),
        }

    def _prepare(self, executor_input: Json, file_system: Path) -> None:
        for listed in executor_input["inputs"]["artifacts"].values():
            one = listed["artifacts"][0]
            target = in_launcher(one["uri"], file_system)
            assert target is not None, one["uri"]
            assert self._blob(one["uri"]).exists(), f"{one['uri']} is not in the bucket"
            _copy_files(self._blob(one["uri"]), target)
        for listed in executor_input["outputs"]["artifacts"].values():
            target = in_launcher(listed["artifacts"][0]["uri"], file_system)
            assert target is not None
            target.parent.mkdir(parents=True, exist_ok=True)
        for one in executor_input["outputs"]["parameters"].values():
            Path(one["outputFile"]).parent.mkdir(parents=True, exist_ok=True)

    def _execute(self, command: list[str], executor_input: Json, file_system: Path) -> tuple[int, str]:
        words = [word.replace("{{$}}", json.dumps(executor_input)) for word in command]
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        environment = os.environ | self.environment | {"PATH": path, "LSTMLM_LAUNCHER_ROOT": str(file_system)}
        done = subprocess.run(
            words,
            cwd=file_system,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout

    def _collect(self, ran: Ran, component: Json, outputs: Json, file_system: Path) -> None:
        said: Json = {}
        if Path(outputs["outputFile"]).exists():
            said = json.loads(Path(outputs["outputFile"]).read_text(encoding="utf-8"))
        for key, one in outputs["parameters"].items():
            ran.parameters[key] = Path(one["outputFile"]).read_text(encoding="utf-8")
        for key, listed in outputs["artifacts"].items():
            one = listed["artifacts"][0]
            found = said.get("artifacts", {}).get(key, {"artifacts": [{}]})["artifacts"][0]
            uri = found.get("uri") or one["uri"]
            local = in_launcher(uri, file_system)
            if local is not None and local.exists():
                _copy_files(local, self._blob(uri))
            else:
                ran.log += f"\nlauncher: no output {key} at {uri}"
            # The store gives an id, keeps numbers as doubles, and hands the type over by its title.
            title = _title(component["outputDefinitions"]["artifacts"][key]["artifactType"])
            properties = {name: _stored(value) for name, value in found.get("metadata", {}).items()}
            ran.outputs[key] = {
                "name": str(uuid.uuid4().int % 10**6),
                "uri": uri,
                "metadata": properties | {"display_name": key},
                "type": {"schemaTitle": title},
            }


def cache_key(inputs: Json, outputs: Json, image: str, command: list[str]) -> str:
    """`GenerateCacheKey` and `GenerateFingerPrint`."""
    content = {
        "inputs": {key: [one["name"] for one in listed["artifacts"]] for key, listed in inputs["artifacts"].items()},
        "parameters": inputs["parameterValues"],
        "outputs": {key: listed["artifacts"][0]["type"] for key, listed in outputs["artifacts"].items()},
        "output parameters": sorted(outputs["parameters"]),
        "container": [image, command],
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _copy_files(source: Path, target: Path) -> None:
    for path in sorted(source.rglob("*")):
        if path.is_file():
            copy = target / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)


def _title(kind: Json) -> str:
    if "schemaTitle" in kind:
        return str(kind["schemaTitle"])
    first = kind["instanceSchema"].splitlines()[0]
    return str(first.removeprefix("title: "))


def _stored(value: Any) -> Any:
    return float(value) if isinstance(value, int | float) else value
