"""A server behind `https://`: the plug-in trusts what its system trusts, and nothing can be set in a class."""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Callable
from pathlib import Path

import pytest
from claims import claim, delete, expand, provision, storage_class
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from heketi_process import ADMIN_KEY, HeketiProcess, configuration
from in_tree_plugin import Plugin

pytestmark = pytest.mark.timeout(1800)


def self_signed(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "heketi")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, no_passphrase = serialization.Encoding.PEM, serialization.NoEncryption()
    (folder / "tls.crt").write_bytes(certificate.public_bytes(pem))
    (folder / "tls.key").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, no_passphrase))
    return folder / "tls.crt", folder / "tls.key"


def test_a_trusted_certificate_is_all_that_https_needs(
    start_server: Callable[..., HeketiProcess], plugin: Plugin, tmp_path: Path
) -> None:
    certificate, key = self_signed(tmp_path)
    config = configuration(tmp_path, enable_tls=True, cert_file=str(certificate), key_file=str(key))
    server = start_server(config, certificate=certificate)
    server.add_cluster(["192.0.2.11", "192.0.2.12", "192.0.2.13"])
    wanted = claim()
    objects = [storage_class({"resturl": server.url, "restuser": "admin", "restuserkey": ADMIN_KEY}), wanted]

    refused = plugin.run(objects, [provision(wanted)])
    assert "certificate signed by unknown authority" in refused.log
    assert server.rest.volumes() == []

    steps = [provision(wanted), expand(wanted, "3Gi"), delete(wanted)]
    result = plugin.run(objects, steps, environment={"SSL_CERT_FILE": str(certificate)})
    assert result.errors == []
    assert server.rest.volumes() == []
