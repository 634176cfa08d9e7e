"""The listening socket."""

import socket

import pytest

from heketipy.server.listening import ListenError, listen, port_of


@pytest.mark.parametrize("address", ["", "127.0.0.1"])
def test_no_port_means_some_free_one(address: str) -> None:
    with listen(address, "") as listener, socket.create_connection(("127.0.0.1", port_of(listener)), timeout=5):
        pass


def test_all_interfaces_means_both_protocols() -> None:
    if not socket.has_dualstack_ipv6():
        pytest.skip("there is no IPv6 here")
    with listen("", "") as listener, socket.create_connection(("::1", port_of(listener)), timeout=5):
        pass


def test_a_port_in_use_is_told_in_heketis_words() -> None:
    with listen("", "") as first:
        port = port_of(first)
        with pytest.raises(ListenError) as caught:
            listen("", str(port))
    assert str(caught.value) == f"listen tcp :{port}: bind: address already in use"


@pytest.mark.parametrize(
    ("port", "text"),
    [
        ("no-such-service", "listen tcp: lookup tcp/no-such-service: unknown port"),
        ("99999", "listen tcp: address 99999: invalid port"),
    ],
)
def test_a_port_that_is_none_is_told_in_heketis_words(port: str, text: str) -> None:
    with pytest.raises(ListenError) as caught:
        listen("", port)
    assert str(caught.value) == text
