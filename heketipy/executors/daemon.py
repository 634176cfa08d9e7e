"""The daemons of a node."""


def status(unit: str = "glusterd") -> tuple[str, ...]:
    """Ask whether one runs, by default gluster's: status 0 means that it does."""
    return ("systemctl", "status", unit)
