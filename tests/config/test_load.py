"""heketi.json and the environment, read by heketi's rules."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from heketipy.config import ConfigurationError, Loaded, Settings, load
from heketipy.config.keys import keys
from tests.support.secrets import secret

MINIMAL = {"glusterfs": {"executor": "mock"}}


@pytest.fixture
def config(tmp_path: Path) -> Any:
    """Write a configuration and load it, in an environment that is given by keywords alone."""

    def read(content: object, **environment: str) -> Loaded:
        file = tmp_path / "heketi.json"
        file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return load(str(file), environment)

    return read


def refusal(config: Any, content: object, **environment: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        config(content, **environment)
    return str(caught.value)


def value_of(settings: Settings, path: str) -> object:
    value: Any = settings
    for name in path.split("."):
        value = getattr(value, name)
    return value.get_secret_value() if hasattr(value, "get_secret_value") else value


def test_what_is_not_set_has_heketis_defaults(config: Any) -> None:
    gluster = config(MINIMAL).settings.glusterfs
    assert (gluster.db, gluster.brick_min_size_gb, gluster.brick_max_size_gb) == ("heketi.db", 1, 4096)
    assert (gluster.max_bricks_per_volume, gluster.max_volumes_per_cluster) == (32, 1000)
    assert gluster.sshexec.user == "heketi"
    assert gluster.sshexec.gluster_cli_timeout == 600


def test_keys_are_found_in_any_case_and_a_later_one_wins(config: Any) -> None:
    loaded = config('{"PORT": "1", "Port": "2", "GlusterFS": {"DB": "a.db", "dB": "b.db"}}')
    assert loaded.settings.port == "2"
    assert loaded.settings.glusterfs.db == "b.db"
    assert loaded.warnings == ()


def test_objects_that_stand_twice_are_merged(config: Any) -> None:
    gluster = config('{"glusterfs": {"db": "a.db"}, "glusterfs": {"executor": "mock"}}').settings.glusterfs
    assert (gluster.db, gluster.executor) == ("a.db", "mock")


@pytest.mark.parametrize("unset", [0, "", None])
def test_what_go_programs_write_for_unset_means_the_default(config: Any, unset: object) -> None:
    settings = config({"glusterfs": {"brick_max_size_gb": unset, "db": unset, "sshexec": {"fstab": unset}}}).settings
    assert settings.glusterfs.brick_max_size_gb == 4096
    assert settings.glusterfs.db == "heketi.db"
    assert settings.glusterfs.sshexec.fstab == "/etc/fstab"


def test_a_file_in_which_a_go_program_wrote_everything_unset_is_one_that_sets_nothing(config: Any) -> None:
    zeros: dict[type, object] = {str: "", SecretStr: "", bool: False, int: 0, float: 0, list: None}
    written: dict[str, Any] = {"_comment": "unset", "glusterfs": {}}
    for key in keys(Settings):
        if not key.ours:
            group = written
            for name in key.path[:-1]:
                group = group.setdefault(name, {})
            group[key.path[-1]] = zeros[type(key.default)]
    assert config(written).settings.model_dump() == config({"glusterfs": {}}).settings.model_dump()


def test_a_limit_on_operations_refuses_only_where_somebody_set_it(config: Any) -> None:
    assert config(MINIMAL).settings.glusterfs.refuses_beyond is None
    assert config({"glusterfs": {"max_inflight_operations": 0}}).settings.glusterfs.refuses_beyond is None
    assert config({"glusterfs": {"max_inflight_operations": 3}}).settings.glusterfs.refuses_beyond == 3
    by_variable = config(MINIMAL, HEKETI_MAX_INFLIGHT_OPERATIONS="5").settings.glusterfs
    assert by_variable.refuses_beyond == 5


def test_a_zero_of_our_own_keys_is_a_zero(config: Any) -> None:
    assert config({"glusterfs": {"poll_hold": 0, "backup_interval": 0}}).settings.glusterfs.poll_hold == 0


def test_comments_are_silent_and_unknown_keys_are_named_with_the_nearest_known_one(config: Any) -> None:
    loaded = config({"_comment": "x", "prot": "1", "glusterfs": {"_port_comment": 1, "sshexec": {"keyflie": "k"}}})
    assert loaded.warnings == (
        "unknown setting prot is ignored; did you mean port?",
        "unknown setting glusterfs.sshexec.keyflie is ignored; did you mean glusterfs.sshexec.keyfile?",
    )


def test_what_follows_the_object_is_ignored(config: Any) -> None:
    assert config(json.dumps(MINIMAL) + " and so on {").settings.glusterfs.executor == "mock"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("", "Unable to parse configuration: EOF"),
        (" \n", "Unable to parse configuration: EOF"),
        ('{"glusterfs": {', "Unable to parse configuration: unexpected EOF"),
        ("[]", "Unable to parse configuration: expected an object { … }, found a list"),
        ('{"a": NaN, "glusterfs": {}}', "Unable to parse configuration: NaN is no number in JSON"),
        ('{"glusterfs": {"db": "x",}}', "Unable to parse configuration: line 1, column"),
        ("null", "Unable to start application: "),
        ("{}", "Unable to start application: "),
        ('{"glusterfs": null}', "Unable to start application: "),
    ],
)
def test_what_is_no_configuration_is_refused_with_the_place(config: Any, content: str, text: str) -> None:
    assert refusal(config, content).startswith(text)


@pytest.mark.parametrize(
    ("content", "where", "right"),
    [
        ({"port": 8080, "glusterfs": {}}, "port", 'write "8080"'),
        ({"glusterfs": {"brick_max_size_gb": "12"}}, "glusterfs.brick_max_size_gb", "write 12 without quotes"),
        ({"glusterfs": {"brick_max_size_gb": 1.0}}, "glusterfs.brick_max_size_gb", "a whole number"),
        ({"glusterfs": {"max_inflight_operations": -1}}, "glusterfs.max_inflight_operations", "0 or more"),
        ({"glusterfs": {"refresh_time_background_cleaner": 2**32}}, "refresh_time", "a smaller number"),
        ({"glusterfs": {"db_read_only": "true"}}, "glusterfs.db_read_only", "write true without quotes"),
        ({"glusterfs": {"sshexec": []}}, "glusterfs.sshexec", "an object"),
        ({"glusterfs": "x"}, "glusterfs", "an object"),
        (
            {"glusterfs": {"injectexec": {"command_injection": {"commands": {}}}}},
            "command_injection.commands",
            "a list",
        ),
        (
            {"glusterfs": {"injectexec": {"command_injection": {"results": [{}, {"Reaction": {"Pause": "2"}}]}}}},
            "glusterfs.injectexec.command_injection.results.1.reaction.pause",
            "write 2 without quotes",
        ),
        ({"glusterfs": {"journal_mode": "fast"}}, "glusterfs.journal_mode", "'auto', 'wal' or 'delete'"),
    ],
)
def test_a_wrong_value_is_refused_with_place_and_remedy(config: Any, content: Any, where: str, right: str) -> None:
    text = refusal(config, content)
    assert text.startswith("Unable to parse configuration: ")
    assert where in text
    assert right in text


def test_a_wrong_key_of_a_principal_is_refused_without_being_shown(config: Any) -> None:
    text = refusal(config, {"jwt": {"admin": {"key": 73519}}, "glusterfs": {}})
    assert "jwt.admin.key" in text
    assert "73519" not in text


def test_files_that_cannot_be_read_are_refused_in_heketis_words(tmp_path: Path) -> None:
    absent = tmp_path / "absent.json"
    with pytest.raises(ConfigurationError) as caught:
        load(str(absent), {})
    assert str(caught.value) == f"Unable to open config file {absent}: open {absent}: no such file or directory"
    with pytest.raises(ConfigurationError) as caught:
        load(str(tmp_path), {})
    assert str(caught.value) == f"Unable to parse configuration: read {tmp_path}: is a directory"


@pytest.mark.parametrize(
    ("variable", "text", "path", "value"),
    [
        ("HEKETI_HTTP_PORT", "9", "port", "9"),
        ("HEKETI_ADMIN_KEY", "k", "jwt.admin.key", "k"),
        ("HEKETI_USER_KEY", "k", "jwt.user.key", "k"),
        ("HEKETI_BACKUP_DB_TO_KUBE_SECRET", "false", "backup_db_to_kube_secret", True),
        ("HEKETI_PROFILING", "0", "profiling", True),
        ("HEKETI_DEFAULT_STATE", "read-only", "default_state", "read-only"),
        ("HEKETI_DB_PATH", "/x", "glusterfs.db", "/x"),
        ("HEKETI_EXECUTOR", "ssh", "glusterfs.executor", "ssh"),
        ("HEKETI_DISABLE_HEALTH_MONITOR", "true", "glusterfs.disable_monitor_gluster_nodes", True),
        ("HEKETI_DISABLE_HEALTH_MONITOR", "1", "glusterfs.disable_monitor_gluster_nodes", False),
        ("HEKETI_DISABLE_BACKGROUND_CLEANER", "true", "glusterfs.disable_background_cleaner", True),
        ("HEKETI_GLUSTER_MAX_VOLUMES_PER_CLUSTER", "-1", "glusterfs.max_volumes_per_cluster", -1),
        ("HEKETI_GLUSTER_MAX_VOLUMES_PER_CLUSTER", "0", "glusterfs.max_volumes_per_cluster", 1000),
        ("HEKETI_MAX_INFLIGHT_OPERATIONS", "-1", "glusterfs.max_inflight_operations", 2**63 - 1),
        ("HEKETI_SSH_KEYFILE", "k", "glusterfs.sshexec.keyfile", "k"),
        ("HEKETI_FSTAB", "/f", "glusterfs.kubeexec.fstab", "/f"),
        ("HEKETI_FSTAB", "/f", "glusterfs.sshexec.fstab", "/f"),
        ("HEKETI_SNAPSHOT_LIMIT", "14", "glusterfs.sshexec.snapshot_limit", 14),
        ("HEKETI_GLUSTERAPP_REBALANCE_ON_EXPANSION", "F", "glusterfs.sshexec.rebalance_on_expansion", False),
        ("HEKETI_GLUSTER_CLI_TIMEOUT", "900", "glusterfs.sshexec.gluster_cli_timeout", 900),
        ("HEKETI_KUBE_GLUSTER_DAEMONSET", "Yes", "glusterfs.kubeexec.gluster_daemonset", True),
        ("HEKETI_KUBE_USE_POD_NAMES", "n", "glusterfs.kubeexec.use_pod_names", False),
        ("HEKETI_MOCK_DEVICE_SIZE_GB", "10", "glusterfs.simulator.device_size_gb", 10),
        ("HEKETI_JWT_IAT_LEEWAY_SECONDS", "5", "jwt.iat_leeway", 5),
        ("SSH_KNOWN_HOSTS", "/a:/b", "glusterfs.sshexec.known_hosts", "/a:/b"),
        ("HEKETIPY_POLL_HOLD", "0.5", "glusterfs.poll_hold", 0.5),
    ],
)
def test_a_variable_is_read_by_its_own_rule(config: Any, variable: str, text: str, path: str, value: object) -> None:
    assert value_of(config(MINIMAL, **{variable: text}).settings, path) == value


def test_the_environment_beats_the_file_unless_it_is_empty(config: Any) -> None:
    content = {"port": "1", "glusterfs": {"executor": "mock", "sshexec": {"snapshot_limit": 14}}}
    assert config(content, HEKETI_HTTP_PORT="2").settings.port == "2"
    assert config(content, HEKETI_HTTP_PORT="").settings.port == "1"
    assert config(content, HEKETI_SNAPSHOT_LIMIT="0").settings.glusterfs.sshexec.snapshot_limit == 0


@pytest.mark.parametrize(
    ("variable", "text", "path", "value"),
    [
        ("HEKETI_SNAPSHOT_LIMIT", "many", "glusterfs.sshexec.snapshot_limit", 0),
        ("HEKETI_GLUSTER_CLI_TIMEOUT", "-5", "glusterfs.sshexec.gluster_cli_timeout", 600),
        ("HEKETI_GLUSTERAPP_REBALANCE_ON_EXPANSION", "no", "glusterfs.sshexec.rebalance_on_expansion", True),
        ("HEKETI_AUTO_CREATE_BLOCK_HOSTING_VOLUME", "yes", "glusterfs.auto_create_block_hosting_volume", False),
        ("HEKETI_BLOCK_HOSTING_VOLUME_SIZE", "big", "glusterfs.block_hosting_volume_size", 1024),
        ("HEKETI_KUBE_USE_POD_NAMES", "maybe", "glusterfs.kubeexec.use_pod_names", False),
        ("HEKETI_MOCK_DEVICE_SIZE_GB", "0", "glusterfs.simulator.device_size_gb", 500),
        ("HEKETI_JWT_IAT_LEEWAY_SECONDS", "-1", "jwt.iat_leeway", 120),
    ],
)
def test_a_variable_that_cannot_be_read_is_told_and_no_obstacle(
    config: Any, variable: str, text: str, path: str, value: object
) -> None:
    loaded = config(MINIMAL, **{variable: text})
    assert value_of(loaded.settings, path) == value
    assert [warning for warning in loaded.warnings if variable in warning]


def test_a_variable_with_a_wrong_value_is_named_in_the_refusal(config: Any) -> None:
    assert "(from HEKETIPY_JOURNAL_MODE)" in refusal(config, MINIMAL, HEKETIPY_JOURNAL_MODE="fast")


def test_the_file_cannot_switch_rebalancing_off_and_hears_so(config: Any) -> None:
    loaded = config({"glusterfs": {"sshexec": {"rebalance_on_expansion": False}}})
    assert loaded.settings.glusterfs.sshexec.rebalance_on_expansion is True
    assert "HEKETI_GLUSTERAPP_REBALANCE_ON_EXPANSION=false" in loaded.warnings[0]


def test_settings_without_effect_are_told(config: Any) -> None:
    content = {"use_auth": False, "profiling": True, "glusterfs": {"executor": "mock"}}
    assert [text.split()[0] for text in config(content).warnings] == ["use_auth", "profiling"]


def test_hooks_of_injection_are_read_as_heketis_are(config: Any) -> None:
    hook = {
        "Cmd": "lvcreate",
        "CondFile": None,
        "Reaction": {"Err": "fooey", "Pause": 2, "FORCEERR": True, "Panic": ""},
    }
    injection = {"Command_Injection": {"commands": [hook, None], "Results": [{"cmd": "x", "result": ".*", "Bogus": 1}]}}
    loaded = config({"glusterfs": {"executor": "inject/mock", "InjectExec": injection}})
    given = loaded.settings.glusterfs.injectexec.command_injection
    assert [(hook.cmd, hook.condfile) for hook in given.commands] == [("lvcreate", ""), ("", "")]
    reaction = given.commands[0].reaction
    assert (reaction.err, reaction.pause, reaction.forceerr, reaction.panic) == ("fooey", 2, True, "")
    assert [(hook.cmd, hook.result) for hook in given.results] == [("x", ".*")]
    where = "glusterfs.injectexec.command_injection.results[0].Bogus"
    assert loaded.warnings == (f"unknown setting {where} is ignored",)


def test_injection_without_its_executor_has_no_effect_and_that_is_told(config: Any) -> None:
    injection = {"command_injection": {"commands": [{"Cmd": "lvcreate"}]}}
    (warning,) = config({"glusterfs": {"executor": "mock", "injectexec": injection}}).warnings
    assert warning.startswith("glusterfs.injectexec has no effect")


def test_a_secret_is_not_shown_by_the_settings(config: Any) -> None:
    given = secret("admin-key")
    settings = config({"jwt": {"admin": {"key": given}}, "glusterfs": {}}).settings
    assert given not in repr(settings)
