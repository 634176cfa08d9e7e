"""From a file and the environment to settings, with an error that says where, what, and what would be right.

This is the only place of heketipy's server that reads environment variables.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from heketipy.config.file import FileTree, NotJsonError, kind_of, read_file
from heketipy.config.keys import Key, keys
from heketipy.config.settings import InjectionSettings, Settings
from heketipy.config.variables import IGNORED


class ConfigurationError(Exception):
    """The server cannot start with this configuration. `str()` is what the programs print after `ERROR: `."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings, and what the operator should hear about how they came about."""

    settings: Settings
    warnings: tuple[str, ...]


def load(path: str, environment: Mapping[str, str] | None = None) -> Loaded:
    """Read a file and the environment (the process's own unless given). Raises ConfigurationError."""
    tree = _read(path)
    if "glusterfs" not in tree.values:
        raise ConfigurationError(
            f'Unable to start application: {path} has no section "glusterfs": it says how nodes are reached'
        )
    _drop_ignored(tree)
    overridden = _apply_environment(tree, os.environ if environment is None else environment)
    try:
        settings = Settings(**tree.values)
    except ValidationError as error:
        texts = [_explain(detail, overridden) for detail in error.errors()]
        raise ConfigurationError(f"Unable to parse configuration: {'; '.join(texts)}") from None
    return Loaded(settings, (*tree.warnings, *_without_effect(settings)))


def _read(path: str) -> FileTree:
    try:
        content = Path(path).read_bytes()
    except IsADirectoryError:
        raise ConfigurationError(f"Unable to parse configuration: read {path}: is a directory") from None
    except OSError as error:
        cause = (error.strerror or str(error)).lower()
        raise ConfigurationError(f"Unable to open config file {path}: open {path}: {cause}") from None
    except ValueError as error:
        raise ConfigurationError(f"Unable to open config file {path!r}: {error}") from None
    try:
        return read_file(content.decode("utf-8", errors="replace"), Settings)
    except NotJsonError as error:
        raise ConfigurationError(f"Unable to parse configuration: {error}") from None


def _drop_ignored(tree: FileTree) -> None:
    for section in ("sshexec", "kubeexec"):
        group = _section(tree.values, ("glusterfs", section))
        if group.pop("rebalance_on_expansion", None) is False:
            tree.warnings.append(
                f"glusterfs.{section}.rebalance_on_expansion is not looked at in the file, as in heketi: "
                "set HEKETI_GLUSTERAPP_REBALANCE_ON_EXPANSION=false"
            )


def _section(values: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    """Return the group at a path, or an empty one that is no part of the tree when it is not there."""
    for name in path:
        below = values.get(name)
        if not isinstance(below, dict):
            return {}
        values = below
    return values


def _apply_environment(tree: FileTree, environment: Mapping[str, str]) -> dict[str, str]:
    """Put the values of variables over those of the file; return which variable set which key."""
    overridden: dict[str, str] = {}
    told: set[str] = set()
    for key in keys(Settings):
        variable = key.variable
        if variable is None or not (text := environment.get(variable.name, "")):
            continue
        try:
            value = variable.parse(text)
        except ValueError as error:
            value = variable.otherwise
            if variable.name not in told:
                told.add(variable.name)
                outcome = "it is ignored" if value is IGNORED else f"it counts as {str(value).lower()}"
                tree.warnings.append(f"environment variable {variable.name} should be {error}: {outcome}")
            if value is IGNORED:
                continue
        if value == 0 and value is not False and not key.ours:
            value = key.default
        if _put(tree.values, key, value):
            overridden[key.name] = variable.name
    return overridden


def _put(values: dict[str, Any], key: Key, value: object) -> bool:
    """Set a value, unless something that is no object stands in the way (validation will tell)."""
    for name in key.path[:-1]:
        values = values.setdefault(name, {})
        if not isinstance(values, dict):
            return False
    values[key.path[-1]] = value
    return True


_EXPECTED = {
    "string_type": "a text in quotes",
    "bool_type": "true or false, without quotes",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a number",
    "model_type": "an object { … }",
    "list_type": "a list [ … ]",
}


def _explain(detail: ErrorDetails, overridden: Mapping[str, str]) -> str:
    where = ".".join(str(part) for part in detail["loc"])
    origin = f" (from {overridden[where]})" if where in overridden else ""
    found = detail["input"]
    context = detail.get("ctx", {})
    match detail["type"]:
        case "greater_than_equal":
            expected = f"a number of {context['ge']} or more"
        case "less_than" | "less_than_equal":
            expected = "a smaller number"
        case "literal_error":
            expected = str(context["expected"])
        case kind:
            expected = _EXPECTED.get(kind, detail["msg"])
    if where.startswith("jwt."):
        return f"{where}{origin}: expected {expected}, found {kind_of(found)}"
    shown = f" {found!r}" if isinstance(found, (int, float, str)) and not isinstance(found, bool) else ""
    return f"{where}{origin}: expected {expected}, found {kind_of(found)}{shown}{_hint(detail['type'], found)}"


def _hint(kind: str, found: object) -> str:
    match kind, found:
        case "string_type", int() if not isinstance(found, bool):
            return f'; write "{found}"'
        case "int_type" | "float_type", str() if found.lstrip("-").isdigit():
            return f"; write {found} without quotes"
        case "bool_type", str() if found.lower() in ("true", "false"):
            return f"; write {found.lower()} without quotes"
        case _:
            return ""


def _without_effect(settings: Settings) -> list[str]:
    """Tell of settings that an operator may count on and that do nothing here."""
    gluster = settings.glusterfs
    told = []
    if settings.use_auth is False and "use_auth" in settings.model_fields_set:
        told.append("use_auth is not looked at, as in heketi: only --disable-auth switches authentication off")
    if settings.backup_db_to_kube_secret:
        told.append("backup_db_to_kube_secret has no effect yet: backups go to glusterfs.backup_directory")
    if settings.profiling:
        told.append("profiling has no effect: Go's profiles do not exist here")
    if gluster.injectexec != InjectionSettings() and not gluster.injects:
        told.append("glusterfs.injectexec has no effect but with the executors inject/ssh and inject/mock")
    return told
