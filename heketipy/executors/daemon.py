"""The gluster daemon of a node."""


def status() -> tuple[str, ...]:
    """Ask whether it runs: status 0 means that it does."""
    return ("systemctl", "status", "glusterd")
