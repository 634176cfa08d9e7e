"""A storage cluster in memory, which interprets argv and answers as the real tools do.

Statuses, messages and side effects follow LVM 2.03, xfsprogs 6.1, util-linux 2.38, GNU coreutils and GlusterFS 10: the
golden cases in the tests are recordings of them. It is no shell: it takes argv. Everything above it, builders and
parsers included, is the code that runs against real nodes.

    Simulator           the nodes, what happened on them, and what is left of it
    SimulatorTransport  batches, locks, epochs, limits, latency and faults on top of it
    Fault               what goes wrong, at which command
"""

from heketipy.executors.simulator.faults import Effect, Fault, Faults, Killed, on
from heketipy.executors.simulator.simulator import Ran, Simulator
from heketipy.executors.simulator.transport import SimulatorTransport

__all__ = ["Effect", "Fault", "Faults", "Killed", "Ran", "Simulator", "SimulatorTransport", "on"]
