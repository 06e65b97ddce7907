"""Runs the training worker under Ray Train: a group of processes, restarted from the last checkpoint on failure."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstmlm.processes import interrupts
from lstmlm.processes.environment import settle_worker
from lstmlm.processes.interrupts import keeping_handlers
from lstmlm.publish.cache import local_copy
from lstmlm.recipe.recipe import Recipe
from lstmlm.storage import StorePath, place
from lstmlm.training.checkpoints.keeper import HOLDER_FILE
from lstmlm.training.workers.cluster import ray_cluster

if TYPE_CHECKING:
    from lstmlm.recipe.sections.training import TrainingSection
    from lstmlm.training.workers.all_reduce import AllReduce

RESIZE_SECONDS = 60.0
"""How often a range of workers is held against the nodes there are: one that joined later gets its workers."""


def train_on_ray(recipe: Recipe, examples: Path, tokenizer: Path, work: Path, ray_address: str | None) -> None:
    """Runs `train_worker` on `recipe.training.workers` Ray Train workers: as many as there is room for within a range.

    Args:
        recipe: The run.
        examples: The examples folder, absolute, on a file system that all workers see, or in a store.
        tokenizer: The tokenizer folder, likewise.
        work: The folder for checkpoints, likewise.
        ray_address: An existing cluster; None: the one in RAY_ADDRESS, or a local one for this run.

    Raises:
        UserError: The cluster is not there or too small, or training stopped on a user's mistake.
    """
    training = recipe.training
    # How long a group waits for the place of a lost node before it is made anew with what there is; Ray would wait 60.
    os.environ.setdefault("RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S", "20")
    with keeping_handlers(), ray_cluster(recipe, ray_address):
        from ray.train import FailureConfig, RunConfig, ScalingConfig

        from lstmlm.training.workers.failures import RayTrainer, find_mistake, summary

        config = {
            "recipe": recipe.model_dump_json(),
            "examples": str(examples),
            "tokenizer": str(tokenizer),
            "work": str(work),
            "holder": _take_over(work),
        }
        resources = {"CPU": float(training.threads)} | ({"GPU": 1.0} if training.use_gpu else {})
        number = training.workers if isinstance(training.workers, int) else tuple(training.workers)
        trainer = RayTrainer(
            ray_worker,
            train_loop_config=config,
            scaling_config=ScalingConfig(
                num_workers=number,
                use_gpu=training.use_gpu,
                resources_per_worker=resources,
                elastic_resize_monitor_interval_s=RESIZE_SECONDS,
            ),
            run_config=RunConfig(
                name="group",
                **_storage(work / "ray"),
                failure_config=FailureConfig(max_failures=training.max_failures),
            ),
        )
        try:
            trainer.fit()
        except Exception as error:
            interrupts.check(error)
            mistake = find_mistake(error)
            if mistake is not None:
                raise mistake from None
            raise summary(error) from error


def _take_over(work: Path) -> str:
    """Writes down, in a store, that this training is the one at work; returns what it wrote."""
    if not isinstance(work, StorePath):
        return ""
    holder = secrets.token_hex(16)
    (work / HOLDER_FILE).write_bytes(holder.encode())
    return holder


def _storage(folder: Path) -> dict[str, Any]:
    """Returns where Ray keeps its own state, which every node must see."""
    if not isinstance(folder, StorePath):
        return {"storage_path": str(folder)}
    from lstmlm.storage.arrow import arrow_filesystem

    return {"storage_path": folder.address, "storage_filesystem": arrow_filesystem(folder.scheme)}


def ray_worker(config: dict[str, Any]) -> None:
    """Runs on every Ray Train worker. Exceptions propagate, so that Ray sees the failure."""
    settle_worker()
    import ray.train
    import ray.train.collective
    import tensorflow as tf

    from lstmlm.training.workers.worker import train_worker

    recipe = Recipe.model_validate_json(config["recipe"])
    training = recipe.training
    tf.config.threading.set_intra_op_parallelism_threads(training.threads)
    tf.config.threading.set_inter_op_parallelism_threads(2)
    context = ray.train.get_context()
    rank, world = context.get_world_rank(), context.get_world_size()
    # Whoever watches over a machine finds the process of a rank by this file.
    examples, work = place(config["examples"]), place(config["work"])
    (work / f"worker-{rank}.pid").write_text(str(os.getpid()), encoding="utf-8")
    # Importing takes some longer than others; who is late because of that is no lost peer.
    ray.train.collective.barrier()
    group = _group(rank, world, training, one_machine=context.get_local_world_size() == world)
    tokenizer = local_copy(config["tokenizer"])
    train_worker(recipe, examples, tokenizer, work, group, ray.train.report, config["holder"])


def _group(rank: int, world: int, training: TrainingSection, *, one_machine: bool) -> AllReduce:
    """Returns what sums over the workers of a group."""
    import ray.train.collective

    from lstmlm.training.workers.all_reduce import Ring, SingleWorker
    from lstmlm.training.workers.loopback import Loopback

    timeout = training.collective_timeout
    if world == 1:
        return SingleWorker()
    if one_machine and not training.use_gpu:
        return Loopback(rank, world, timeout=timeout, broadcast=ray.train.collective.broadcast_from_rank_zero)
    return Ring(rank, world, timeout=timeout, gpu=training.use_gpu)
