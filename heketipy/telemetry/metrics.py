"""Our own counters and histograms. heketi's gauges, which are computed when somebody asks, are not here.

Labels have few values each: a tool, a kind, an outcome; never an id.
"""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

REGISTRY: Final = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

_COMMAND_BUCKETS: Final = (0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 15, 60, 300)
_OPERATION_BUCKETS: Final = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 180, 600)

OPERATIONS: Final = Counter(
    "heketipy_operations",
    "Operations that ended, by kind and outcome (done, failed, taken back).",
    ["kind", "outcome"],
    registry=REGISTRY,
)
OPERATION_SECONDS: Final = Histogram(
    "heketipy_operation_seconds",
    "Time from the reservation of an operation to its end.",
    ["kind"],
    buckets=_OPERATION_BUCKETS,
    registry=REGISTRY,
)
OPERATIONS_RUNNING: Final = Gauge(
    "heketipy_operations_running", "Operations that are being worked on.", registry=REGISTRY
)
COMMANDS: Final = Counter(
    "heketipy_commands",
    "Commands that ran on nodes, by tool and status (ok, failed).",
    ["tool", "status"],
    registry=REGISTRY,
)
BATCHES: Final = Counter(
    "heketipy_batches",
    "Round trips to nodes, by outcome (ok, refused, unreachable, fenced).",
    ["outcome"],
    registry=REGISTRY,
)
BATCH_SECONDS: Final = Histogram(
    "heketipy_batch_seconds",
    "Time of a round trip to a node, by lane, without waiting for the lane.",
    ["lane"],
    buckets=_COMMAND_BUCKETS,
    registry=REGISTRY,
)
LANE_WAIT_SECONDS: Final = Histogram(
    "heketipy_lane_wait_seconds",
    "Time that work for a node waited in line, by lane.",
    ["lane"],
    buckets=_COMMAND_BUCKETS,
    registry=REGISTRY,
)
REQUESTS: Final = Counter(
    "heketipy_http_requests",
    "Requests answered, by method and status class.",
    ["method", "status"],
    registry=REGISTRY,
)


def exposition() -> bytes:
    """Return all of them in Prometheus' text format, those of the process included."""
    return generate_latest(REGISTRY)


def operation_ended(kind: str, outcome: str, *, seconds: float) -> None:
    """Count an operation that ended. `seconds` is the time since its reservation."""
    OPERATIONS.labels(kind, outcome).inc()
    OPERATION_SECONDS.labels(kind).observe(seconds)


def command_ran(tool: str, *, ok: bool) -> None:
    """Count a command that ran on a node. `tool` is the program's name without folders."""
    COMMANDS.labels(tool.rpartition("/")[2], "ok" if ok else "failed").inc()


def batch_ended(lane: str, *, outcome: str, seconds: float) -> None:
    """Count a round trip to a node."""
    BATCHES.labels(outcome).inc()
    BATCH_SECONDS.labels(lane).observe(seconds)


def lane_waited(lane: str, *, seconds: float) -> None:
    """Note how long work for a node waited in line."""
    LANE_WAIT_SECONDS.labels(lane).observe(seconds)


def request_answered(method: str, status: int) -> None:
    """Count an answered request."""
    REQUESTS.labels(method, f"{status // 100}xx").inc()
