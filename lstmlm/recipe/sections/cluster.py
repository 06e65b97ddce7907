"""`cluster`: what Kubernetes gives the steps of a run. It decides no result."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from lstmlm.recipe.sections.section import Positive, Section

DEFAULT = "default"
"""Key of `cluster.stages` for what the stages have that do not say otherwise."""

Quantity = Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$")]
"""An amount as Kubernetes writes it: `500m`, `2`, `4Gi`."""
Name = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$")]
"""Name of an object in Kubernetes (RFC 1123)."""
Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
AbsolutePath = Annotated[str, Field(pattern=r"^/.+")]

_FACTORS = {
    **{"m": 1e-3, "": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12},
    **{"Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40},
}


def amount(quantity: str) -> float:
    """Returns a `Quantity` as a number: of CPUs, or bytes."""
    unit = quantity.lstrip("0123456789.")
    return float(quantity[: len(quantity) - len(unit)]) * _FACTORS[unit]


class Resources(Section):
    """What the container of a stage gets."""

    cpu: Quantity | None = Field(None, description="CPUs: requested, and the limit.")
    memory: Quantity | None = Field(None, description="Memory: requested, and the limit.")
    gpus: Annotated[int, Field(ge=0)] | None = Field(
        None, description="GPUs; absent: one per worker of `train` with `training.use_gpu`."
    )
    node_selector: dict[str, str] = Field({}, description="Labels that a node must have.")
    retries: Annotated[int, Field(ge=0, le=10)] = Field(0, description="Further attempts after a failure.")


class Volume(Section):
    """A claimed volume that the steps see."""

    claim: Name = Field(description="Name of the PersistentVolumeClaim.")
    path: AbsolutePath = Field(description="Where the containers see it.")


class Secret(Section):
    """A variable of the environment that is read from a Secret; the value itself is never written."""

    variable: Variable = Field(description="Name of the variable.")
    secret: Name = Field(description="Name of the Secret.")
    key: Annotated[str, Field(pattern=r"^[-._a-zA-Z0-9]+$")] = Field(description="Key in the Secret.")


class ClusterSection(Section):
    """What Kubernetes gives the steps of a run, for `lstmlm compile` and `lstmlm render`. No result depends on it."""

    image: str | None = Field(None, description="Container image; absent: what `deploy/docker` builds.")
    namespace: Name | None = Field(None, description="Namespace of rendered objects; absent: that of the client.")
    stages: dict[str, Resources] = Field({}, description="Resources of a stage; `default`: of those not named.")
    gpu: str = Field("nvidia.com/gpu", description="What the cluster calls a GPU.")
    volumes: tuple[Volume, ...] = Field((), description="Volumes that every step sees.")
    secrets: tuple[Secret, ...] = Field((), description="Variables that are read from Secrets.")
    schedule: str = Field("17 2 * * *", description="When a CronJob runs, as cron writes it.")
    keep_seconds: Positive = Field(86_400, description="How long a finished job is kept.")

    def resources(self, stage: str) -> Resources:
        """Returns what a stage gets: its own fields, and those of `default` that it leaves open."""
        general, own = self.stages.get(DEFAULT, Resources()), self.stages.get(stage, Resources())
        return general.model_copy(update={name: getattr(own, name) for name in own.model_fields_set})
