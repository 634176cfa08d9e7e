"""Tokens, addresses and certificates, as flags and environment give them."""

import asyncio
import datetime
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.cli.command_line import CommandLine, Outcome
from tests.support.signed import KEYS

ANSWER = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n{"volumes":[]}'
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def test_without_user_and_key_a_token_is_sent_all_the_same(guarded: CommandLine) -> None:
    assert await guarded.error("volume", "list") == "Error: Invalid JWT token: Token missing iss claim\n"


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        (
            ["--user=admin"],
            "Invalid JWT token: signature is invalid (client and server secrets may not match)",
        ),
        (
            ["--user=admin", "--secret=wrong"],
            "Invalid JWT token: signature is invalid (client and server secrets may not match)",
        ),
        (["--user=root", f"--secret={KEYS['admin']}"], "Invalid JWT token: Unknown user"),
        (["--user=user", f"--secret={KEYS['user']}"], "Administrator access required"),
    ],
)
async def test_a_wrong_key_or_user_is_told(guarded: CommandLine, flags: list[str], text: str) -> None:
    assert await guarded.error("cluster", "list", *flags) == f"Error: {text}\n"
    assert await guarded.error(*flags, "topology", "info") == f"Error: {text}\n"


async def test_flags_win_over_the_environment_unless_they_are_empty(guarded: CommandLine) -> None:
    guarded.environment |= {"HEKETI_CLI_USER": "admin", "HEKETI_CLI_KEY": KEYS["admin"]}
    assert await guarded.ok("cluster", "list") == "Clusters:\n"
    assert await guarded.ok("cluster", "list", "--user=", "--secret", "") == "Clusters:\n"
    assert (await guarded.error("cluster", "list", "--user=user")).startswith("Error: Invalid JWT token: signature")
    assert await guarded.ok("volume", "list", "--user=user", f"--secret={KEYS['user']}") == ""


async def test_an_empty_variable_counts_as_unset(guarded: CommandLine) -> None:
    guarded.environment |= {"HEKETI_CLI_SERVER": "", "HEKETI_CLI_USER": ""}
    text = await guarded.error("cluster", "list", f"--secret={KEYS['admin']}")
    assert text == "Error: Invalid JWT token: Token missing iss claim\n"


@asynccontextmanager
async def listening(handle: Handler, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Listen on a free port of this machine."""
    tasks: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.create_task(_serve(handle, reader, writer)))

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]
        await asyncio.gather(*tasks)


async def _serve(handle: Handler, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(asyncio.IncompleteReadError, OSError):
        await handle(reader, writer)
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(ANSWER)
    await writer.drain()


async def hang_up(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")


async def refuse_tls(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.0 400 Bad Request\r\n\r\n")
    await writer.drain()


async def test_a_server_that_cannot_be_reached_is_told_with_the_reason(alone: CommandLine) -> None:
    async with listening(answer) as port:
        pass
    refused = f"dial tcp 127.0.0.1:{port}: connect: connection refused"
    outcome = await alone("volume", "list", f"--server=http://127.0.0.1:{port}/")
    assert outcome == Outcome("", f'Error: Get "http://127.0.0.1:{port}/volumes": {refused}\n', 255)
    outcome = await alone("volume", "create", "--size=1", "-s", f"http://127.0.0.1:{port}")
    assert outcome.err == f'Error: Post "http://127.0.0.1:{port}/volumes": {refused}\n'
    outcome = await alone("volume", "list", "-shttp://nowhere.invalid:1")
    assert outcome.err.startswith('Error: Get "http://nowhere.invalid:1/volumes": dial tcp: lookup nowhere.invalid: ')


async def test_a_server_that_hangs_up_is_told(alone: CommandLine) -> None:
    async with listening(hang_up) as port:
        outcome = await alone("volume", "list", f"--server=http://127.0.0.1:{port}")
    assert outcome.err == f'Error: Get "http://127.0.0.1:{port}/volumes": EOF\n'


async def test_proxies_of_the_environment_are_not_used(alone: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with listening(answer) as port:
        assert (await alone("volume", "list", f"--server=http://127.0.0.1:{port}")).out == ""


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A file with a certificate of 127.0.0.1 that nobody knows, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, no_passphrase = serialization.Encoding.PEM, serialization.NoEncryption()
    file = tmp_path / "tls.pem"
    file.write_bytes(made.public_bytes(pem) + key.private_bytes(pem, serialization.PrivateFormat.PKCS8, no_passphrase))
    return file


async def test_certificates_are_verified_by_the_systems_or_the_given_ones(
    alone: CommandLine, certificate: Path
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    async with listening(answer, context) as port:
        server = f"--server=https://localhost:{port}"
        unknown = await alone("volume", "list", server)
        assert unknown.err.startswith(
            f'Error: Get "https://localhost:{port}/volumes": tls: failed to verify certificate: x509: '
        )
        assert (await alone("volume", "list", server, f"--tls-cert={certificate}")).out == ""
        assert (await alone("volume", "list", server, "-I")).out == ""
        other_name = await alone("volume", "list", f"--server=https://127.0.0.1:{port}", "-C", str(certificate))
        assert "tls: failed to verify certificate" in other_name.err
        plain = await alone("volume", "list", f"--server=http://localhost:{port}")
        assert plain.status == 255


async def test_https_to_a_plain_server_is_told(alone: CommandLine) -> None:
    async with listening(refuse_tls) as port:
        outcome = await alone("volume", "list", f"--server=https://127.0.0.1:{port}")
    wrong = "http: server gave HTTP response to HTTPS client"
    assert outcome == Outcome("", f'Error: Get "https://127.0.0.1:{port}/volumes": {wrong}\n', 255)


async def test_files_of_certificates_are_read_after_the_arguments_were_checked(
    alone: CommandLine, tmp_path: Path
) -> None:
    missing = tmp_path / "none.pem"
    assert (await alone("volume", "list", "-C", str(missing))).err == (
        f"Error: failed to read cert file {missing}: open {missing}: no such file or directory\n"
    )
    (tmp_path / "bad.pem").write_text("no certificate")
    assert (await alone("volume", "list", "-C", str(tmp_path / "bad.pem"))).err == (
        f"Error: failed to load PEM encoded cert from {tmp_path / 'bad.pem'}\n"
    )
    outcome = await alone("volume", "info", "-C", str(missing))
    assert outcome.err == "Error: Volume id missing\n"
