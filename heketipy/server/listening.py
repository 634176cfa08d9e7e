"""The listening socket, and heketi's words when it cannot be had."""

import socket

BACKLOG = 2048
_LARGEST_PORT = 65535


class ListenError(Exception):
    """The port cannot be had. `str()` is the cause as heketi gives it."""


def listen(address: str, port: str) -> socket.socket:
    """Listen on a port, given as heketi's configuration gives it: a number or a service's name; empty: some free one.

    An empty address means all interfaces, IPv4 and IPv6. Raises ListenError.
    """
    try:
        listener = _bind(address, _number(port))
    except OSError as error:
        cause = (error.strerror or str(error)).partition(" (while")[0].lower()
        raise ListenError(f"listen tcp {address}:{port}: bind: {cause}") from error
    # Connections inherit it. asyncio would set it only where it made the socket itself, and without it an answer on a
    # connection that is kept waits for the client's delayed acknowledgement of the one before.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _bind(address: str, number: int) -> socket.socket:
    if address:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return socket.create_server((address, number), family=family, backlog=BACKLOG)
    if socket.has_dualstack_ipv6():
        return socket.create_server(("", number), family=socket.AF_INET6, backlog=BACKLOG, dualstack_ipv6=True)
    return socket.create_server(("", number), backlog=BACKLOG)


def port_of(listener: socket.socket) -> int:
    """Return the port that a socket listens on."""
    port: int = listener.getsockname()[1]
    return port


def _number(port: str) -> int:
    if not port:
        return 0
    if port.isascii() and port.isdigit():
        if int(port) > _LARGEST_PORT:
            raise ListenError(f"listen tcp: address {port}: invalid port")
        return int(port)
    try:
        return socket.getservbyname(port, "tcp")
    except OSError:
        raise ListenError(f"listen tcp: lookup tcp/{port}: unknown port") from None
