"""Putting the use cases together. What they are made of is decided by the server's wiring, or by a test."""

from collections.abc import Callable
from dataclasses import dataclass, field

from heketipy.db.database import Database
from heketipy.domain.admin import AdminMode
from heketipy.domain.ids import IdSource
from heketipy.executors.nodes import StorageNodes
from heketipy.operations.reservation import Reservations, VolumePolicy
from heketipy.operations.runner import Runner
from heketipy.services.admin import Admin
from heketipy.services.admission import Admission
from heketipy.services.block_volumes import BlockVolumes, repair_hosting_volumes
from heketipy.services.bricks import Bricks
from heketipy.services.cleaner import Cleaner
from heketipy.services.clusters import Clusters
from heketipy.services.devices import Devices
from heketipy.services.drift import DriftWatch
from heketipy.services.dump import Dump
from heketipy.services.endpoints import EndpointCheck, Strictness
from heketipy.services.examination import Examiner
from heketipy.services.explanations import Explanations
from heketipy.services.health import Health
from heketipy.services.interchange.opening import open_books
from heketipy.services.jobs import Jobs
from heketipy.services.logging import Logging
from heketipy.services.metrics import Metrics
from heketipy.services.nodes import Nodes
from heketipy.services.operations import Operations
from heketipy.services.starter import Starter
from heketipy.services.tags import Tags
from heketipy.services.topology import Topology
from heketipy.services.volumes import Volumes
from heketipy.telemetry.logging import Threshold


@dataclass(frozen=True, slots=True)
class Policy:
    """What the use cases are set to.

    `running` operations are worked on at a time, `accepted` are taken on at all. `retries` is how often a create is
    tried elsewhere. `job_retention` is in seconds, and so are `quarantine`, for which orphans are kept, and
    `quiet_after`: longer than any command may take on a node.
    """

    volumes: VolumePolicy = field(default_factory=VolumePolicy)
    running: int = 8
    accepted: int = 1000
    retries: int = 4
    rebalance: bool = True
    quiet_after: float = 1000.0
    endpoints: Strictness = Strictness.WARN
    job_retention: float = 86400.0
    quarantine: float = 7 * 86400.0
    mode: AdminMode = AdminMode.NORMAL


@dataclass(frozen=True, slots=True)
class Services:
    """All use cases, and what keeps them going."""

    clusters: Clusters
    nodes: Nodes
    devices: Devices
    bricks: Bricks
    volumes: Volumes
    block_volumes: BlockVolumes
    jobs: Jobs
    tags: Tags
    operations: Operations
    metrics: Metrics
    dump: Dump
    topology: Topology
    examiner: Examiner
    drift: DriftWatch
    admin: Admin
    logging: Logging
    admission: Admission
    runner: Runner
    health: Health
    cleaner: Cleaner


async def _begin(db: Database, ids: IdSource) -> int:
    """Open the books for a new server, and return its epoch. Where nothing may be written, there is no new one."""
    if db.read_only:
        return await db.read(lambda tx: tx.meta.epoch())
    epoch = await db.write(lambda tx: tx.meta.raise_epoch())
    await db.write(open_books, ids())
    await db.write(repair_hosting_volumes)
    return epoch


async def build(
    db: Database,
    storage_nodes: StorageNodes,
    policy: Policy,
    *,
    ids: IdSource,
    clock: Callable[[], float],
    log_level: Threshold | None = None,
) -> Services:
    """Make the use cases for a server that starts now: it gets an epoch of its own, which fences all before it.

    The books of hosting volumes are put right. Nothing is taken up yet: that is `services.cleaner.take_over()`.
    `log_level` is the log's own handle on its level.
    """
    epoch = await _begin(db, ids)
    health = Health(db, storage_nodes, back=lambda: cleaner.hurry())
    jobs = Jobs(db, ids=ids, clock=clock, retention=policy.job_retention)
    admission = Admission(policy.accepted)
    reservations = Reservations(policy=policy.volumes, ids=ids, down=lambda: health.down)
    runner = Runner(
        db,
        storage_nodes,
        reservations,
        epoch=epoch,
        ids=ids,
        clock=clock,
        running=policy.running,
        retries=policy.retries,
        rebalance=policy.rebalance,
        quiet_after=policy.quiet_after,
        ended=jobs.ended,
    )
    starter = Starter(runner, jobs, admission, epoch=epoch, ids=ids, clock=clock)
    cleaner = Cleaner(db, storage_nodes, runner, epoch=epoch, clock=clock, down=lambda: health.down)
    endpoints = EndpointCheck(policy.endpoints)
    explanations = Explanations(db, reservations)
    operations = Operations(db, runner, cleaner, jobs, clock=clock)
    return Services(
        clusters=Clusters(db, admission, ids=ids),
        nodes=Nodes(db, storage_nodes, starter, endpoints),
        devices=Devices(db, starter),
        bricks=Bricks(db, starter),
        volumes=Volumes(db, reservations, starter, explanations, endpoints),
        block_volumes=BlockVolumes(db, reservations, starter, explanations),
        jobs=jobs,
        tags=Tags(db, admission),
        admin=Admin(policy.mode),
        logging=Logging(log_level or Threshold("info")),
        operations=operations,
        metrics=Metrics(db, operations),
        dump=Dump(db),
        topology=Topology(db),
        examiner=Examiner(db, storage_nodes, operations),
        drift=DriftWatch(db, storage_nodes, starter, clock=clock, keep=policy.quarantine),
        admission=admission,
        runner=runner,
        health=health,
        cleaner=cleaner,
    )
