"""Bodies of the brick routes."""

from pydantic import BaseModel, Field

from heketipy.domain.states import HealCheck
from heketipy.wire import checks


class BrickEvictOptions(BaseModel):
    """How a brick is evicted."""

    healcheck: str = Field(
        default="",
        json_schema_extra={"enum": ["", *HealCheck]},
        description="`enable` (also if empty) or `disable`: look at heal information before the brick is moved.",
    )

    def check(self) -> None:
        """Raise InvalidRequest where the form is wrong."""
        checks.refuse({"healcheck": checks.heal_check(self.healcheck)})

    def heal_check(self) -> HealCheck:
        """Return whether heal information counts."""
        return HealCheck(self.healcheck or HealCheck.ENABLE)
