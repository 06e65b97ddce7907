"""Ingest on Flink: a session cluster of the Flink operator, Beam's job server, and a Job that submits the stage."""

from __future__ import annotations

from collections.abc import Mapping

from lstmlm.recipe.recipe import Recipe
from lstmlm.recipe.sections.cluster import Resources, amount
from pipelines.kubernetes.jobs import job
from pipelines.kubernetes.pods import (
    DEFAULT_CPU,
    DEFAULT_MEMORY,
    RECIPE_FILE,
    SCRATCH,
    Container,
    Object,
    metadata,
    object_name,
    pod,
)

FLINK_IMAGE, FLINK_VERSION, FLINK_USER = "flink:1.19-java17", "v1_19", 9999
JOB_SERVER_IMAGE = "apache/beam_flink1.19_job_server:2.62.0"
"""The versions of `deploy/flink/pom.xml`."""
REST_PORT, JOB_PORT, ARTIFACT_PORT, POOL_PORT = 8081, 8099, 8098, 50000
MAIN = "flink-main-container"
"""The container of this name gets Flink's command from the operator."""
CONFIGURATION = {
    "taskmanager.numberOfTaskSlots": "1",
    "restart-strategy.type": "fixed-delay",
    "restart-strategy.fixed-delay.attempts": "3",
    "restart-strategy.fixed-delay.delay": "1 s",
    "classloader.resolve-order": "parent-first",
}


def flink_objects(recipe: Recipe, image: str) -> list[Object]:
    """Returns the objects that run `lstmlm ingest` on Flink.

    Args:
        recipe: The run. Each TaskManager, its Python worker and the Job get the resources of `ingest`; there are as
            many TaskManagers as workers of training.
        image: The image of the Python workers and of the Job.
    """
    return [_session(recipe, image), _service(recipe), _job_server(recipe), _job(recipe, image)]


def _session(recipe: Recipe, image: str) -> Object:
    given = recipe.resources("ingest")
    megabytes = int(amount(given.memory or DEFAULT_MEMORY) / 2**20)
    asked = {"cpu": amount(given.cpu or DEFAULT_CPU), "memory": f"{megabytes}m"}
    manager, worker = (_flink(given, port) for port in (REST_PORT, 0))
    manager_pods = {"podTemplate": {"spec": pod(recipe, [manager])}}
    worker_pods = {"podTemplate": {"spec": pod(recipe, [worker, _worker_pool(given, image)])}}
    return {
        "apiVersion": "flink.apache.org/v1beta1",
        "kind": "FlinkDeployment",
        "metadata": metadata(recipe, "flink"),
        "spec": {
            "image": FLINK_IMAGE,
            "flinkVersion": FLINK_VERSION,
            "serviceAccount": "flink",
            "mode": "standalone",  # the operator makes the pods, so they need no access to Kubernetes
            "flinkConfiguration": CONFIGURATION,
            "jobManager": {"replicas": 1, "resource": asked} | manager_pods,
            "taskManager": {"replicas": recipe.training.most_workers, "resource": asked} | worker_pods,
        },
    }


def _flink(given: Resources, port: int) -> Container:
    probe = {"httpGet": {"path": "/config", "port": port}, "periodSeconds": 10, "failureThreshold": 12}
    probes: Mapping[str, Object] = {"readinessProbe": probe, "livenessProbe": probe} if port else {}
    writable = ("/opt/flink/log",)
    return Container(MAIN, FLINK_IMAGE, given, probes=probes, user=FLINK_USER, writable=writable)


def _worker_pool(given: Resources, image: str) -> Container:
    """Serves the TaskManager in its pod, which reaches it as `localhost`, as on any machine (`deploy/flink`)."""
    code = f"import socket; socket.create_connection(('127.0.0.1', {POOL_PORT}), 3)"
    probe = {"exec": {"command": ["python", "-c", code]}, "periodSeconds": 30, "timeoutSeconds": 10}
    command = ("python", "-m", "lstmlm.runners.worker_pool", "--host", "127.0.0.1", "--port", str(POOL_PORT))
    return Container("worker-pool", image, given, command, probes={"livenessProbe": probe, "readinessProbe": probe})


def _service(recipe: Recipe) -> Object:
    ports = [{"name": name, "port": port} for name, port in _server_ports().items()]
    selector = {"app.kubernetes.io/component": _server(recipe)}
    specification = {"selector": selector, "ports": ports}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata(recipe, "job-server"), "spec": specification}


def _job_server(recipe: Recipe) -> Object:
    labels = {"app.kubernetes.io/component": _server(recipe)}
    arguments = (
        f"--flink-master={object_name(recipe, 'flink')}-rest:{REST_PORT}",
        f"--job-host={_server(recipe)}",
        f"--artifacts-dir={SCRATCH}/artifacts",
    )
    probe = {"tcpSocket": {"port": JOB_PORT}, "periodSeconds": 10, "failureThreshold": 12}
    container = Container(
        "job-server",
        JOB_SERVER_IMAGE,
        Resources(cpu="500m", memory="1Gi"),
        arguments=arguments,
        ports=_server_ports(),
        probes={"readinessProbe": probe, "livenessProbe": probe},
    )
    specification = {
        "replicas": 1,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": pod(recipe, [container])},
    }
    named = metadata(recipe, "job-server")
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": named, "spec": specification}


def _job(recipe: Recipe, image: str) -> Object:
    given = recipe.resources("ingest")
    arguments = ["ingest", RECIPE_FILE, "-o", str(recipe.run_folder / "flink" / "records"), "--runner", "flink"]
    arguments += ["--workers", str(recipe.training.most_workers)]
    arguments += ["--beam-option", f"job_endpoint={_server(recipe)}:{JOB_PORT}"]
    arguments += ["--beam-option", f"environment_config=localhost:{POOL_PORT}"]
    container = Container("lstmlm", image, given, ("lstmlm",), arguments)
    named = metadata(recipe, "ingest")
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": named, "spec": job(recipe, container, given.retries)}


def _server(recipe: Recipe) -> str:
    return object_name(recipe, "job-server")


def _server_ports() -> dict[str, int]:
    return {"job": JOB_PORT, "artifacts": ARTIFACT_PORT}
