"""Bodies of the tag routes of nodes and devices."""

from pydantic import BaseModel, Field, RootModel

from heketipy.domain.model import Tags
from heketipy.domain.tags import TagsChange
from heketipy.wire import checks
from heketipy.wire.encode import Json


class TagsChangeRequest(BaseModel):
    """A change of tags."""

    tags: dict[str, str] = Field(
        default_factory=dict,
        json_schema_extra=checks.TAGS,
        description="At most 32; names of 1 to 32 letters, digits, `_`, `.`, `-`.",
    )
    change_type: str = Field(
        default="",
        json_schema_extra={"enum": [*TagsChange]},
        description="`set` (all of them), `update` or `delete`. Required.",
    )

    def check(self) -> None:
        """Raise InvalidRequest where the form is wrong."""
        checks.refuse(
            {"change_type": checks.one_of(self.change_type, tuple(TagsChange)), "tags": checks.tags(self.tags)}
        )

    def change(self) -> TagsChange:
        """Return what is to be done with them."""
        return TagsChange(self.change_type)


class TagsResponse(RootModel[dict[str, str]]):
    """All tags after a change, ascending by name."""


def tags_info(tags: Tags) -> Json:
    """Return the members of a TagsResponse."""
    return dict(sorted(tags.items()))
