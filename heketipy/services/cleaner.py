"""The cleaner: takes up what was left unsettled, by a dead server or by nodes that refused or did not answer."""

from collections.abc import Callable, Sequence

import structlog

from heketipy.db.database import Database, Tx
from heketipy.domain.operation import Debt, Operation, Status
from heketipy.executors.nodes import StorageNodes
from heketipy.operations import debts
from heketipy.operations.runner import Backoff, Runner
from heketipy.operations.saga import all_of

CLEAN_UP = "clean-up"
"""What a job is of that belongs to no single operation but to the cleaning up of many."""

log = structlog.get_logger(__name__)


class Cleaner:
    """Retries, with back-off, operations that are stuck and debts that are open."""

    def __init__(
        self,
        db: Database,
        nodes: StorageNodes,
        runner: Runner,
        *,
        epoch: int,
        clock: Callable[[], float],
        down: Callable[[], frozenset[str]],
    ) -> None:
        self._db = db
        self._nodes = nodes
        self._runner = runner
        self._epoch = epoch
        self._down = down
        self._clock = clock
        self._backoff = Backoff(clock)

    async def take_over(self) -> int:
        """At start: mark everything that a former server left as stale, and take it up. Returns how many there are.

        Where nothing may be written, nothing is taken up.
        """
        if self._db.read_only:
            return 0
        operations = await self._db.write(_take_up, self._clock())
        for operation in _on_their_own(operations):
            self._runner.recover(operation.id)
        if operations:
            log.warning("operations were left unsettled; they are being taken back or finished", count=len(operations))
        return len(operations)

    def hurry(self) -> None:
        """Forget about back-off: a node is back, and what it owes may be done at the next clean."""
        self._backoff.clear()

    def next_payment(self, debt: Debt) -> float | None:
        """Tell from when on a debt is tried to be paid again, in seconds since 1970; None while its node is away."""
        return self._backoff.next_try(debt.id) if _payable(debt, self._down()) else None

    async def clean(self) -> None:
        """Take up what is due: operations that nobody works on, and debts of nodes that are not known to be down."""
        operations, open_debts = await self._db.read(_unsettled)
        for operation in _on_their_own(operations):
            if operation.id not in self._runner.at_work and self._runner.backoff.due(operation.id):
                self._runner.recover(operation.id)
        await self._pay_all([debt for debt in open_debts if self._backoff.due(debt.id)])

    async def pay_now(self) -> None:
        """Have all open debts paid, due or not, by the nodes that are not known to be down."""
        await self._pay_all(await self._db.read(lambda tx: tx.debts.all()))

    async def _pay_all(self, open_debts: Sequence[Debt]) -> None:
        down = self._down()
        await all_of(self._pay(debt, down) for debt in open_debts if _payable(debt, down))

    async def _pay(self, debt: Debt, down: frozenset[str]) -> None:
        if await debts.pay(self._db, self._nodes, debt, epoch=self._epoch, down=down):
            self._backoff.succeeded(debt.id)
            log.info("a node's debt is paid", node=debt.node, operation=debt.operation)
        else:
            self._backoff.failed(debt.id)


def _payable(debt: Debt, down: frozenset[str]) -> bool:
    return debt.node not in down or not debts.tied_to_its_node(debt)


def _on_their_own(operations: Sequence[Operation]) -> list[Operation]:
    """Leave out what is a part of another operation, which sees to it."""
    pending = {operation.id for operation in operations}
    return [operation for operation in operations if operation.plan.get("parent") not in pending]


def _take_up(tx: Tx, now: float) -> list[Operation]:
    """Mark everything as stale, and end the jobs of clean-ups that were under way: it is all being cleaned up now."""
    for job in tx.jobs.unfinished_of(CLEAN_UP):
        tx.jobs.finish(job.id, ended=now)
    operations = tx.operations.all()
    for operation in operations:
        if operation.status is not Status.STALE:
            tx.operations.set_status(operation.id, Status.STALE, error=operation.error)
    return operations


def _unsettled(tx: Tx) -> tuple[list[Operation], list[Debt]]:
    return tx.operations.all(), tx.debts.all()
