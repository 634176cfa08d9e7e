"""Names of what heketipy makes on nodes. They are heketi's own, so that either can go on with what the other
made.

Databases of heketi hold other thin pool names for some bricks (the pool of a set's first brick is named after
a throw-away id): these functions name what is new, stored names are what counts afterwards.
"""

MOUNT_ROOT = "/var/lib/heketi/mounts"


def volume_group(device: str) -> str:
    """Name the LVM volume group of a device, by the device's id."""
    return f"vg_{device}"


def thin_pool(brick: str) -> str:
    """Name the thin pool of a new brick, by the brick's id."""
    return f"tp_{brick}"


def lv(brick: str) -> str:
    """Name the thin logical volume of a new brick, by the brick's id."""
    return f"brick_{brick}"


def mount_point(device: str, brick: str) -> str:
    """Say where a brick's file system is mounted."""
    return f"{MOUNT_ROOT}/{volume_group(device)}/{lv(brick)}"


def brick_path(device: str, brick: str) -> str:
    """Say which directory gluster is given: one level below the mount, so that a missing mount is noticed."""
    return f"{mount_point(device, brick)}/brick"


def default_volume_name(volume: str) -> str:
    """Name a volume for which no name was asked, by its id."""
    return f"vol_{volume}"


def default_block_volume_name(block_volume: str) -> str:
    """Name a block volume for which no name was asked, by its id."""
    return f"blockvol_{block_volume}"
