"""`heketi doctor`: a look at all nodes, printed. It only looks, and may run beside a server."""

import asyncio
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from heketipy.config import ConfigurationError, ExecutorName
from heketipy.domain.diagnosis import Finding, Verdict
from heketipy.domain.errors import HeketipyError, StorageFailure
from heketipy.server.options import ServerOptions
from heketipy.server.wiring import not_opened, put_together
from heketipy.services.doctor import Doctor
from heketipy.telemetry.logging import configure


def examine(options: ServerOptions, hosts: Sequence[str]) -> int:
    """Look at the nodes in the books and at hosts beside; print what was found. Returns 1 if something is wrong."""
    configure("error", form=options.settings.log_format, secrets=options.secrets, stream=sys.stderr)
    with ExitStack() as stack:
        try:
            findings = asyncio.run(_examined(_looking(options, stack), hosts))
        except StorageFailure as error:
            return _failed(not_opened(error))
        except (ConfigurationError, HeketipyError) as error:
            return _failed(str(error))
    for finding in findings:
        _write(sys.stdout, f"{_line(finding)}\n")
    count = Counter(finding.verdict for finding in findings)
    nodes = len({finding.host for finding in findings})
    failures, warnings = _counted(count[Verdict.FAIL], "failure"), _counted(count[Verdict.WARN], "warning")
    _write(sys.stdout, f"{_counted(nodes, 'node')}: {failures}, {warnings}\n")
    return 1 if count[Verdict.FAIL] else 0


def _line(finding: Finding) -> str:
    remedy = f" -> {finding.remedy}" if finding.remedy else ""
    return f"{finding.verdict:<4} {finding.host}: {finding.subject}: {finding.text}{remedy}"


async def _examined(options: ServerOptions, hosts: Sequence[str]) -> list[Finding]:
    sudo = options.executor is ExecutorName.SSH and options.settings.glusterfs.sshexec.sudo
    async with put_together(options) as parts:
        return await Doctor(parts.db, parts.nodes.storage, sudo=sudo, clock=time.time).examine(hosts)


def _looking(options: ServerOptions, stack: ExitStack) -> ServerOptions:
    """Only look at the books; where there are none yet, take empty ones that are thrown away afterwards."""
    gluster = options.settings.glusterfs
    if "://" in gluster.db or Path(gluster.db).exists():
        changes: dict[str, object] = {"db_read_only": True}
    else:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="heketi-doctor-"))
        changes = {"db": str(Path(folder) / "empty.db")}
    settings = options.settings.model_copy(update={"glusterfs": gluster.model_copy(update=changes)})
    return replace(options, settings=settings)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _failed(text: str) -> int:
    _write(sys.stderr, f"ERROR: {text}\n")
    return 1


def _write(stream: TextIO, text: str) -> None:
    stream.write(text)
    stream.flush()
