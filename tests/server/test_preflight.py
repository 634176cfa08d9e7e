"""What makes a start pointless is found before anything is opened."""

from pathlib import Path
from typing import Any

import pytest

from heketipy.config import ConfigurationError, ExecutorName, Settings
from heketipy.server import preflight

KEYS = {"admin": {"key": "a"}, "user": {"key": "u"}}


def settings(**gluster: Any) -> Settings:
    return Settings.model_validate({"jwt": KEYS, "glusterfs": gluster})


def refusal(given: Settings, executor: ExecutorName = ExecutorName.SIMULATOR, *, authenticate: bool = True) -> str:
    with pytest.raises(ConfigurationError) as caught:
        preflight.check(given, executor, authenticate=authenticate)
    return str(caught.value)


def test_without_an_executor_serve_refuses_and_says_what_to_set() -> None:
    with pytest.raises(ConfigurationError) as caught:
        preflight.executor_of(settings(), default=None)
    assert '"executor": "ssh"' in str(caught.value)
    assert "HEKETI_EXECUTOR" in str(caught.value)


def test_without_an_executor_heketi_means_ssh_and_wants_its_key() -> None:
    assert preflight.executor_of(settings(), default=ExecutorName.SSH) is ExecutorName.SSH
    assert "Missing ssh private key file in configuration" in refusal(settings(), ExecutorName.SSH)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("zzz", "Unable to start application: invalid executor: zzz"),
        ("inject/kube", "Unable to start application: invalid executor: inject/kube"),
        ("kube", "Unable to start application: executor kube is not supported yet"),
    ],
)
def test_an_executor_that_is_not_there_is_refused(name: str, text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        preflight.executor_of(settings(executor=name), default=None)
    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("name", "executor"), [("inject/ssh", ExecutorName.SSH), ("inject/mock", ExecutorName.SIMULATOR)]
)
def test_faults_are_injected_by_executors_of_their_own(name: str, executor: ExecutorName) -> None:
    given = settings(executor=name)
    assert preflight.executor_of(given, default=None) is executor
    assert given.glusterfs.injects
    assert not settings(executor=executor.value).glusterfs.injects


def test_a_key_that_cannot_be_read_is_refused_by_name(tmp_path: Path) -> None:
    key = tmp_path / "absent"
    text = refusal(settings(sshexec={"keyfile": str(key)}), ExecutorName.SSH)
    assert text.endswith(f"Unable to read private key file: open {key}: no such file or directory")


@pytest.mark.parametrize("keys", [{}, {"admin": {"key": "a"}}, {"user": {"key": "u"}}])
def test_authentication_without_both_keys_is_refused(keys: Any) -> None:
    given = Settings.model_validate({"jwt": keys, "glusterfs": {}})
    assert refusal(given).startswith("Missing JWT information in config file")
    preflight.check(given, ExecutorName.SIMULATOR, authenticate=False)


@pytest.mark.parametrize(
    ("state", "text"),
    [
        ("weird", "unable to set admin state: unknown admin state name: weird"),
        ("Normal", "unable to set admin state: unknown admin state name: Normal"),
    ],
)
def test_a_server_does_not_start_in_a_mode_that_there_is_not(state: str, text: str) -> None:
    assert refusal(Settings.model_validate({"jwt": KEYS, "default_state": state, "glusterfs": {}})) == text
