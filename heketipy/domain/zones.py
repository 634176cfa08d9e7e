"""Zone checking: whether the bricks of one set must lie in different zones (placement §4.6)."""

STRICT = "strict"


def zones_must_differ(option: str, server: str) -> bool:
    """Tell whether checking is strict. A volume's own option wins unless it is empty; any unknown word means
    no.
    """
    return (option or server) == STRICT
