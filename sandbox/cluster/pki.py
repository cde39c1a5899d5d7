"""Certificates and keys: a certificate authority, and a pair for each subject, such as those of the cluster."""

import datetime
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sandbox.layout import API_SERVICE_ADDRESS, CONTROL_ADDRESS, NODES

VALID_DAYS = 3650
RSA_BITS = 2048
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True)
class CertificateSubject:
    """Subject of a certificate: Kubernetes user and group. `hosts` make it a server certificate."""

    file: str
    common_name: str
    group: str | None = None
    hosts: tuple[str, ...] = ()
    days: int = VALID_DAYS


def certificate_subjects() -> list[CertificateSubject]:
    """Return the subjects of all certificates of the cluster."""
    api_server = (
        CONTROL_ADDRESS,
        API_SERVICE_ADDRESS,
        "127.0.0.1",
        "localhost",
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "kubernetes.default.svc.cluster.local",
    )
    nodes = [
        CertificateSubject(
            f"kubelet-{node.letter}", f"system:node:{node.name}", "system:nodes", (node.name, node.address)
        )
        for node in NODES
    ]
    return [
        CertificateSubject("apiserver", "kube-apiserver", hosts=api_server),
        CertificateSubject("authenticator", "authenticator", hosts=("127.0.0.1", "localhost")),
        CertificateSubject("admin", "sandbox-admin", "system:masters"),
        CertificateSubject("apiserver-kubelet-client", "kube-apiserver-kubelet-client", "system:masters"),
        CertificateSubject("front-proxy-client", "front-proxy-client"),
        CertificateSubject("controller-manager", "system:kube-controller-manager"),
        CertificateSubject("scheduler", "system:kube-scheduler"),
        CertificateSubject("kube-proxy", "system:kube-proxy"),
        *nodes,
    ]


def ensure(folder: Path, subjects: Iterable[CertificateSubject]) -> None:
    """Create missing pairs `NAME.crt` and `NAME.key` in a folder, in PEM. Keys are readable by root only."""
    folder.mkdir(parents=True, exist_ok=True)
    _ensure_authority(folder)
    _ensure_service_account_key(folder)
    authority = x509.load_pem_x509_certificate((folder / "ca.crt").read_bytes())
    key = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)  # noqa: S101 (created by _ensure_authority)
    for subject in subjects:
        if not (folder / f"{subject.file}.crt").exists():
            _issue(folder, subject, authority, key)


def _ensure_authority(folder: Path) -> None:
    if (folder / "ca.crt").exists():
        return
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kubernetes")])
    usage = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    builder = (
        _builder(name, name, key, VALID_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    _write_pair(folder, "ca", builder.sign(key, hashes.SHA256()), key)


def _ensure_service_account_key(folder: Path) -> None:
    """Create the issuer's signing key. RSA, as EKS signs service-account tokens with RS256."""
    if (folder / "service-account.pub").exists():
        return
    key = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    _write(folder / "service-account.key", _key_pem(key))
    _write(folder / "service-account.pub", public)


def _issue(folder: Path, identity: CertificateSubject, authority: x509.Certificate, authority_key: PrivateKey) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, identity.common_name)]
    if identity.group:
        attributes.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, identity.group))
    usages = [ExtendedKeyUsageOID.CLIENT_AUTH, *([ExtendedKeyUsageOID.SERVER_AUTH] if identity.hosts else [])]
    builder = (
        _builder(x509.Name(attributes), authority.subject, key, identity.days)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        # Python 3.13 requires this extension.
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
    )
    if identity.hosts:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([_general_name(host) for host in identity.hosts]), critical=False
        )
    _write_pair(folder, identity.file, builder.sign(authority_key, hashes.SHA256()), key)


def _builder(subject: x509.Name, issuer: x509.Name, key: PrivateKey, days: int) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # One hour back, as clocks of virtual machines jump.
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=days))
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _key_pem(key: PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write_pair(folder: Path, name: str, certificate: x509.Certificate, key: PrivateKey) -> None:
    """Write the certificate last: where it exists, the pair is complete."""
    _write(folder / f"{name}.key", _key_pem(key))
    _write(folder / f"{name}.crt", certificate.public_bytes(serialization.Encoding.PEM))


def _write(path: Path, content: bytes) -> None:
    draft = path.with_name(f"{path.name}.new")
    draft.touch(mode=0o600 if path.suffix == ".key" else 0o644)
    draft.write_bytes(content)
    draft.rename(path)
