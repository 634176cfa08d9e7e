"""The program behind every shim: `NAME ARGS…`. It is started often, so it imports next to nothing.

The answer of the simulator is a line with the status and the length of stdout, then stdout, then stderr.
"""

import _socket
import os
import sys


def main() -> None:
    """Pass argv and stdin to the simulator; end as the command did."""
    name = os.path.basename(sys.argv[0])  # noqa: PTH119 - pathlib takes longer than all the rest
    stdin = b""
    while chunk := os.read(0, 65536):
        stdin += chunk
    words = [os.environ["SSHNODE_HOST"].encode(), *(os.fsencode(word) for word in (name, *sys.argv[1:]))]
    body = b"\0".join([stdin.replace(b"\0", b""), *words])
    link = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    link.connect(os.environ["SSHNODE_SOCKET"])
    link.sendall(b"%d\n" % len(body) + body)
    answer = b""
    while data := link.recv(65536):
        answer += data
    head, newline, rest = answer.partition(b"\n")
    if not newline:
        os._exit(255)
    status, length = map(int, head.split())
    write(1, rest[:length])
    write(2, rest[length:])
    os._exit(status)


def write(descriptor: int, data: bytes) -> None:
    """Write all of some data."""
    while data:
        data = data[os.write(descriptor, data) :]


main()
