"""From settings to objects: the only place where they meet.

What is opened here is closed when the context is left, in reverse order.
"""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from starlette.types import ASGIApp

from heketipy.api.application import ApiOptions, create_api
from heketipy.api.auth import Authenticator, Keys
from heketipy.config import ExecutorName, GlusterSettings, Settings
from heketipy.db.backups import Backups
from heketipy.db.database import Database, JournalMode
from heketipy.db.rotation import Rotation
from heketipy.domain.admin import AdminMode
from heketipy.domain.errors import StorageFailure, explain
from heketipy.domain.placement import Limits
from heketipy.domain.units import KIB_PER_GIB
from heketipy.operations.reservation import VolumePolicy
from heketipy.server.loops import Loop
from heketipy.server.nodes import Reached, reach_nodes
from heketipy.server.options import ServerOptions
from heketipy.services import build as use_cases
from heketipy.services.build import Policy, Services
from heketipy.services.endpoints import Strictness
from heketipy.services.interchange.attributes import NEWER
from heketipy.telemetry.logging import Threshold

_PURGE_PERIOD = 600.0

_QUARANTINE_PERIOD = 300.0

_CLEAN_PERIOD = 10.0
"""So often it is looked whether anything unsettled is due. What is due, a back-off of its own decides."""
_WAIT_FOR_DATABASE = 3.0
_UNLIMITED = 2**31 - 1

_QUIET_FACTOR = 1.1
_QUIET_MARGIN = 700.0
"""After so much more than gluster's own limit, and than the 10 minutes of other commands, nothing runs on a node."""


@dataclass(frozen=True, slots=True)
class Parts:
    """A server put together: what serves requests, and what must be kept going beside it."""

    app: ASGIApp
    services: Services
    db: Database
    nodes: Reached
    loops: tuple[Loop, ...]
    backups: Backups | None


@asynccontextmanager
async def put_together(options: ServerOptions, *, log_level: Threshold | None = None) -> AsyncIterator[Parts]:
    """Open the database, reach for the nodes, build the use cases and the API. Raises StorageFailure."""
    settings = options.settings
    gluster = settings.glusterfs
    async with AsyncExitStack() as stack:
        rotation = _rotation(gluster)
        db = await asyncio.to_thread(_open, gluster, rotation)
        stack.callback(db.close)
        nodes = await reach_nodes(gluster, options.executor, db)
        stack.push_async_callback(nodes.close)
        services = await use_cases.build(
            db, nodes.storage, _policy(settings), ids=new_id, clock=time.time, log_level=log_level
        )
        stack.push_async_callback(services.runner.close)
        yield Parts(
            app=_api(services, options),
            services=services,
            db=db,
            nodes=nodes,
            loops=_loops(gluster, services),
            backups=_backups(gluster, db, rotation),
        )


def not_opened(error: StorageFailure) -> str:
    """Say in heketi's words that the books cannot be had."""
    reason = explain(error)
    cause = "" if reason.startswith(NEWER) else "Unable to open database: "
    return f"Unable to start application: {cause}{reason}"


def new_id() -> str:
    """Return a fresh random id."""
    return secrets.token_hex(16)


def _open(gluster: GlusterSettings, rotation: Rotation) -> Database:
    return Database.open(
        gluster.db,
        journal_mode=JournalMode(gluster.journal_mode),
        wait=_WAIT_FOR_DATABASE,
        backups=rotation,
        read_only=gluster.db_read_only,
    )


def _rotation(gluster: GlusterSettings) -> Rotation:
    if gluster.backup_directory:
        return Rotation(Path(gluster.backup_directory), keep=gluster.backup_count)
    return Rotation.beside(Path(gluster.db).absolute(), keep=gluster.backup_count)


def _backups(gluster: GlusterSettings, db: Database, rotation: Rotation) -> Backups | None:
    if not gluster.backup_interval or gluster.db_read_only:
        return None
    return Backups(db, rotation, every=timedelta(seconds=gluster.backup_interval))


def _policy(settings: Settings) -> Policy:
    gluster = settings.glusterfs
    refuses_beyond = gluster.refuses_beyond
    running = min(gluster.max_inflight_operations, _UNLIMITED)
    volumes = gluster.max_volumes_per_cluster
    return Policy(
        volumes=VolumePolicy(
            limits=Limits(
                brick_min_kib=gluster.brick_min_size_gb * KIB_PER_GIB,
                brick_max_kib=gluster.brick_max_size_gb * KIB_PER_GIB,
                max_bricks=gluster.max_bricks_per_volume,
                average_file_size_kib=gluster.average_file_size_kb,
                zone_checking=gluster.zone_checking,
            ),
            pre_options=gluster.pre_request_volume_options,
            post_options=gluster.post_request_volume_options,
            block_options=gluster.block_hosting_volume_options,
            volumes_per_cluster=volumes if volumes >= 0 else _UNLIMITED,
            make_hosting_volumes=gluster.auto_create_block_hosting_volume,
            hosting_volume_gib=gluster.block_hosting_volume_size if gluster.block_hosting_volume_size > 0 else 1024,
        ),
        running=running,
        accepted=running + gluster.max_queued_operations if refuses_beyond is None else running,
        retries=gluster.volume_create_retries,
        rebalance=gluster.sshexec.rebalance_on_expansion,
        quiet_after=_QUIET_FACTOR * gluster.sshexec.gluster_cli_timeout + _QUIET_MARGIN,
        endpoints=Strictness(gluster.storage_hostname_check),
        job_retention=gluster.job_retention,
        quarantine=gluster.quarantine_time,
        mode=AdminMode(settings.default_state or AdminMode.NORMAL),
    )


def _api(services: Services, options: ServerOptions) -> ASGIApp:
    settings = options.settings
    return create_api(
        services,
        authenticator=_authenticator(settings) if options.authenticate else None,
        options=ApiOptions(
            simulator=options.executor is ExecutorName.SIMULATOR,
            poll_hold=settings.glusterfs.poll_hold,
            max_held_polls=settings.glusterfs.max_held_polls,
        ),
    )


def _authenticator(settings: Settings) -> Authenticator:
    jwt = settings.jwt
    keys = Keys(admin=jwt.admin.key.get_secret_value().encode(), user=jwt.user.key.get_secret_value().encode())
    return Authenticator(keys, iat_leeway=jwt.iat_leeway)


def _loops(gluster: GlusterSettings, services: Services) -> tuple[Loop, ...]:
    loops = []
    if not gluster.db_read_only:
        loops.append(Loop("forget old jobs", services.jobs.purge, first=_PURGE_PERIOD, period=_PURGE_PERIOD))
    if not gluster.disable_monitor_gluster_nodes:
        loops.append(
            Loop(
                "look after the nodes",
                services.health.look,
                first=gluster.start_time_monitor_gluster_nodes,
                period=gluster.refresh_time_monitor_gluster_nodes,
            )
        )
    if not (gluster.disable_background_cleaner or gluster.db_read_only):
        loops.append(
            Loop(
                "clean up",
                services.cleaner.clean,
                first=gluster.start_time_background_cleaner,
                period=min(_CLEAN_PERIOD, gluster.refresh_time_background_cleaner),
            )
        )
        loops.append(
            Loop("end quarantines", services.drift.end_quarantines, first=_QUARANTINE_PERIOD, period=_QUARANTINE_PERIOD)
        )
    return tuple(loops)
