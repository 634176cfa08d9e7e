"""The table of settings is complete, and the README has it."""

from pathlib import Path

import pytest

from heketipy.config.keys import keys
from heketipy.config.settings import Settings
from heketipy.config.table import BEGIN, END, settings_table, with_table

README = Path(__file__).parents[2] / "README.md"
ALL = list(keys(Settings))


@pytest.mark.parametrize("key", ALL, ids=[key.name for key in ALL])
def test_every_setting_is_described_and_stands_in_the_table(key: object) -> None:
    assert key.field.description, key.name  # type: ignore[attr-defined]
    assert f"`{key.name}`" in settings_table()  # type: ignore[attr-defined]


def test_no_two_settings_have_the_same_variable_but_those_of_both_executors() -> None:
    named: dict[str, set[str]] = {}
    for key in ALL:
        if key.variable is not None:
            named.setdefault(key.variable.name, set()).add(key.path[-1])
    assert [name for name, used in named.items() if len(used) > 1] == []


def test_the_readme_has_the_table_as_it_is_now() -> None:
    text = README.read_text(encoding="utf-8")
    assert with_table(text) == text, "run `make settings-table`"


def test_only_what_stands_between_the_markers_is_renewed() -> None:
    renewed = with_table(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    assert renewed == f"before\n{BEGIN}\n{settings_table()}{END}\nafter\n"
    with pytest.raises(ValueError, match="markers"):
        with_table("nothing")
