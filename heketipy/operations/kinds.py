"""All kinds of operations. Whatever is registered here is run by the engine, and failed and crashed by its tests."""

from collections.abc import Mapping
from typing import Any

from heketipy.operations import (
    block_volume_create,
    block_volume_delete,
    block_volume_expand,
    brick_evict,
    device_add,
    device_remove,
    device_resync,
    evacuation,
    node_add,
    node_remove,
    tidy,
    volume_clone,
    volume_create,
    volume_delete,
    volume_expand,
)
from heketipy.operations.kind import Kind

KINDS: Mapping[str, Kind[Any]] = {
    kind.name: kind
    for kind in (
        brick_evict.KIND,
        evacuation.DEVICE_KIND,
        evacuation.NODE_KIND,
        node_add.KIND,
        node_remove.KIND,
        device_add.KIND,
        device_remove.KIND,
        device_resync.KIND,
        tidy.KIND,
        volume_create.KIND,
        volume_clone.KIND,
        volume_expand.KIND,
        volume_delete.KIND,
        block_volume_create.KIND,
        block_volume_expand.KIND,
        block_volume_delete.KIND,
    )
}
