"""Certificates for parts that serve people: one authority per platform, made here, trusted by file and not by the system.

A deployment that has certificates of its own puts them in the same places, and nothing here is asked any more.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from headrace.lake.files import write_private

_YEARS = timedelta(days=3 * 365)
_RENEW = timedelta(days=30)


def ensure_certificate(folder: Path, name: str, hosts: Iterable[str]) -> tuple[Path, Path]:
    """(authority, key with certificate) as PEM files; made when missing, about to expire, or for other hosts."""
    authority, server = folder / "ca.pem", folder / f"{name}.pem"
    wanted = sorted({"localhost", "127.0.0.1", "::1", *hosts})
    if authority.is_file() and server.is_file() and _usable(server, wanted):
        return authority, server
    folder.mkdir(parents=True, exist_ok=True)
    ca_key, ca_certificate = _authority(folder)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _issue(name, key, wanted, ca_key, ca_certificate)
    write_private(server, _key_pem(key) + _pem(certificate) + _pem(ca_certificate))
    return authority, server


def _usable(path: Path, wanted: list[str]) -> bool:
    certificate = x509.load_pem_x509_certificates(path.read_bytes())[0]
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    have = {str(n.value) for n in names}
    return have == set(wanted) and certificate.not_valid_after_utc - datetime.now(UTC) > _RENEW


def _lasts(certificate: x509.Certificate) -> bool:
    """An authority is renewed before a certificate that it signs now would outlive it."""
    return certificate.not_valid_after_utc - datetime.now(UTC) > _YEARS


def _authority(folder: Path) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    path, key_path = folder / "ca.pem", folder / "ca.key"
    if path.is_file() and key_path.is_file():
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        stored = serialization.load_pem_private_key(key_path.read_bytes(), None)
        if isinstance(stored, ec.EllipticCurvePrivateKey) and _lasts(certificate):
            return stored, certificate
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("Headrace authority of this platform")
    certificate = (
        _builder(name, name, key, timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    write_private(key_path, _key_pem(key))
    path.write_text(_pem(certificate))
    return key, certificate


def _issue(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    hosts: list[str],
    ca_key: ec.EllipticCurvePrivateKey,
    ca: x509.Certificate,
) -> x509.Certificate:
    return (
        _builder(_name(name), ca.subject, key, _YEARS)
        .add_extension(x509.SubjectAlternativeName([_alternative(host) for host in hosts]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(ca_key, hashes.SHA256())
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, valid: timedelta
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + valid)
    )


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
