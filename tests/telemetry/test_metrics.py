"""Our own metrics."""

from prometheus_client import generate_latest

from heketipy.telemetry import metrics


def test_what_is_noted_can_be_scraped() -> None:
    metrics.operation_ended("volume_create", "done", seconds=0.3)
    metrics.command_ran("/usr/sbin/lvm", ok=False)
    metrics.batch_ended("bricks", outcome="ok", seconds=0.1)
    metrics.lane_waited("bricks", seconds=0.2)
    metrics.request_answered("GET", 204)
    text = generate_latest(metrics.REGISTRY).decode()
    for line in (
        'heketipy_operations_total{kind="volume_create",outcome="done"}',
        'heketipy_commands_total{status="failed",tool="lvm"}',
        'heketipy_batches_total{outcome="ok"}',
        'heketipy_lane_wait_seconds_count{lane="bricks"}',
        'heketipy_http_requests_total{method="GET",status="2xx"}',
    ):
        assert line in text
