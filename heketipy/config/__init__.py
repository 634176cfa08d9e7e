"""Settings: heketi's `heketi.json` and environment, and our own keys beside them.

Every setting stands once, in `settings`, with its description; `load` reads a file and the environment, which
nobody else does; `table` writes the README's table from the model.
"""

from heketipy.config.load import ConfigurationError, Loaded, load
from heketipy.config.settings import (
    ExecutorName,
    GlusterSettings,
    InjectionSettings,
    KubernetesSettings,
    NodeSettings,
    ReactionSettings,
    Settings,
    SimulatorSettings,
    SshSettings,
)

__all__ = [
    "ConfigurationError",
    "ExecutorName",
    "GlusterSettings",
    "InjectionSettings",
    "KubernetesSettings",
    "Loaded",
    "NodeSettings",
    "ReactionSettings",
    "Settings",
    "SimulatorSettings",
    "SshSettings",
    "load",
]
