"""What makes a kind of operation: its plan, its steps, and its two ends in the books."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from heketipy.db.database import Tx
from heketipy.operations.context import Context
from heketipy.operations.reservation import Reservations
from heketipy.operations.saga import Step

P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an operation ended for the one who asked: the path of what was made, or what went wrong (rarely, for work
    that is done in part). `code` is the stable word for what went wrong."""

    result: str = ""
    error: str = ""
    code: str = "incomplete"


@dataclass(frozen=True, slots=True)
class Kind(Generic[P]):
    """A kind of operation. Registering one (in `kinds`) is all that the engine and its failure tests need.

    `publish` makes the work visible, `release` makes it as if never asked; each is called inside one transaction,
    together with the end of the operation's row and of its job. `finishes`: what heketi had begun of it is carried out
    to its end rather than taken back. `again` reserves anew after a release in the same
    transaction, without the nodes named, for another attempt; None where one attempt is all.
    """

    name: str
    plan: type[P]
    steps: Callable[[P, Context], Sequence[Step]]
    publish: Callable[[Tx, P, Context], Outcome]
    release: Callable[[Tx, P, Context], None]
    finishes: bool = False
    again: Callable[[Reservations, Tx, P, str, frozenset[str]], P] | None = None
