"""Simulated nodes behind real ssh and a real shell.

Each node is an ssh server in this process, at a loopback address of its own, which hands every exec to /bin/sh. The
PATH of that shell begins with a folder of shims, one for each tool that the simulator knows; a shim passes its argv and
stdin to the simulator and ends with its answer. So quoting, batching, locks, limits and the report of statuses are
executed by what executes them on real nodes, and faults strike below all of it.

The executors call lvm and udevadm by absolute paths: `SshNodes.options` names the shims in their place. What the script
of a batch needs for itself (timeout, flock, mktemp, …) it looks up on the system's default path, and so gets the real
ones. Where a fault lets a connection die, the node's ssh server drops its connections; a server that dies cannot be
told apart from that, save that the fault's `kill` is called.
"""

from tests.support.sshnode.nodes import SshNodes, ssh_nodes

__all__ = ["SshNodes", "ssh_nodes"]
