"""Control plane: etcd, API server, controller manager and scheduler, as processes in the control namespace."""

import functools
import ssl
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from sandbox import processes
from sandbox.cache.toolchain import Toolchain
from sandbox.cluster import kubeconfig_file, netns, templates
from sandbox.layout import (
    API_PORT,
    AUTHENTICATOR_PORT,
    CLUSTER,
    CONTROL_ADDRESS,
    ISSUER,
    POD_CIDR,
    PRINCIPAL_EXTRA,
    SERVICE_CIDR,
    SandboxInstance,
)
from sandbox.processes import Process

ETCD_PORT = 2379
AUDIENCES = (ISSUER, "https://kubernetes.default.svc", "sts.amazonaws.com")
CONTROLLER_MANAGER_PORT = 10257
SCHEDULER_PORT = 10259
# In starting order.
NAMES = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
PROBE_SECONDS = 2.0


def start(instance: SandboxInstance, toolchain: Toolchain) -> None:
    """Start the processes that do not run, and wait until they are healthy.

    Raises ProcessError with the log of a process that does not become healthy.
    """
    folder, pki = instance.root / "control-plane", instance.pki
    folder.mkdir(parents=True, exist_ok=True)
    kubeconfig_file.write(instance, "admin", instance.admin_kubeconfig)
    for subject in ("controller-manager", "scheduler"):
        kubeconfig_file.write(instance, subject, folder / f"{subject}.kubeconfig")
    authenticator, authorizer = folder / "authenticator.kubeconfig", folder / "authorizer.kubeconfig"
    authenticator.write_text(webhook_kubeconfig(instance, "authenticate"))
    authorizer.write_text(webhook_kubeconfig(instance, "authorize"))
    authorization = folder / "authorization.yaml"
    authorization.write_text(authorization_configuration(authorizer))
    audit = folder / "audit.yaml"
    audit.write_text(templates.render("audit.yaml"))
    programs = [toolchain.bin / name for name in NAMES]
    commands = (
        etcd(programs[0], folder / "etcd"),
        api_server(programs[1], pki, authenticator, authorization, audit_options(audit, audit_log(instance))),
        controller_manager(programs[2], pki, folder / "controller-manager.kubeconfig"),
        scheduler(programs[3], folder / "scheduler.kubeconfig"),
    )
    probes = (
        f"http://127.0.0.1:{ETCD_PORT}/health",
        f"{instance.api_endpoint}/readyz",
        f"https://127.0.0.1:{CONTROLLER_MANAGER_PORT}/healthz",
        f"https://127.0.0.1:{SCHEDULER_PORT}/healthz",
    )
    for name, argv, probe in zip(NAMES, commands, probes, strict=True):
        ready = functools.partial(_healthy, instance, probe)
        processes.start(instance, Process(name, argv, netns=instance.control_netns, ready=ready))


def etcd(binary: Path, data: Path) -> list[str]:
    """Return the command line of etcd. Without fsync: only a power cut loses data, and a busy disk delays no write."""
    address = f"http://127.0.0.1:{ETCD_PORT}"
    return [
        str(binary),
        f"--data-dir={data}",
        f"--listen-client-urls={address}",
        f"--advertise-client-urls={address}",
        "--listen-peer-urls=http://127.0.0.1:2380",
        "--unsafe-no-fsync",
        # With the default timeouts two busy cores cause needless elections of the only member.
        "--heartbeat-interval=500",
        "--election-timeout=5000",
        "--log-level=warn",
    ]


def api_server(binary: Path, pki: Path, webhook: Path, authorization: Path, audit: Sequence[str] = ()) -> list[str]:
    """Return the command line of the API server.

    `webhook` is the kubeconfig of the token authenticator. Client certificates work without it. `authorization` is the
    file with the AuthorizationConfiguration.
    """
    return [
        str(binary),
        f"--advertise-address={CONTROL_ADDRESS}",
        f"--secure-port={API_PORT}",
        f"--etcd-servers=http://127.0.0.1:{ETCD_PORT}",
        f"--service-cluster-ip-range={SERVICE_CIDR}",
        f"--client-ca-file={pki / 'ca.crt'}",
        f"--tls-cert-file={pki / 'apiserver.crt'}",
        f"--tls-private-key-file={pki / 'apiserver.key'}",
        # The EKS issuer: IAM accepts the tokens of this server as those of the cluster's OIDC provider.
        f"--service-account-issuer={ISSUER}",
        f"--service-account-jwks-uri={ISSUER}/keys",
        f"--service-account-key-file={pki / 'service-account.pub'}",
        f"--service-account-signing-key-file={pki / 'service-account.key'}",
        f"--api-audiences={','.join(AUDIENCES)}",
        f"--authentication-token-webhook-config-file={webhook}",
        "--authentication-token-webhook-version=v1",
        "--authentication-token-webhook-cache-ttl=5s",
        f"--authorization-config={authorization}",
        "--enable-admission-plugins=NodeRestriction",
        f"--kubelet-client-certificate={pki / 'apiserver-kubelet-client.crt'}",
        f"--kubelet-client-key={pki / 'apiserver-kubelet-client.key'}",
        f"--kubelet-certificate-authority={pki / 'ca.crt'}",
        # Node names do not resolve.
        "--kubelet-preferred-address-types=InternalIP",
        f"--requestheader-client-ca-file={pki / 'ca.crt'}",
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        *audit,
        f"--proxy-client-cert-file={pki / 'front-proxy-client.crt'}",
        f"--proxy-client-key-file={pki / 'front-proxy-client.key'}",
        "--profiling=false",
    ]


def audit_log(instance: SandboxInstance) -> Path:
    """Return the file with the requests of AWS principals, one JSON event a line."""
    return instance.logs / "audit.jsonl"


def audit_options(policy: Path, log: Path) -> list[str]:
    """Return the options of the API server for its audit log."""
    return [
        f"--audit-policy-file={policy}",
        f"--audit-log-path={log}",
        "--audit-log-maxsize=50",
        "--audit-log-maxbackup=1",
    ]


def controller_manager(binary: Path, pki: Path, own_kubeconfig: Path) -> list[str]:
    """Return the command line. It allocates no pod ranges: `layout.NODES` fixes them."""
    return [
        str(binary),
        f"--kubeconfig={own_kubeconfig}",
        "--bind-address=127.0.0.1",
        f"--secure-port={CONTROLLER_MANAGER_PORT}",
        "--leader-elect=false",
        f"--cluster-name={CLUSTER}",
        f"--cluster-cidr={POD_CIDR}",
        "--allocate-node-cidrs=false",
        f"--service-account-private-key-file={pki / 'service-account.key'}",
        f"--root-ca-file={pki / 'ca.crt'}",
        "--use-service-account-credentials=true",
        "--profiling=false",
    ]


def scheduler(binary: Path, own_kubeconfig: Path) -> list[str]:
    return [
        str(binary),
        f"--kubeconfig={own_kubeconfig}",
        "--bind-address=127.0.0.1",
        f"--secure-port={SCHEDULER_PORT}",
        "--leader-elect=false",
        "--profiling=false",
    ]


def webhook_kubeconfig(instance: SandboxInstance, path: str) -> str:
    """Return the kubeconfig of a webhook of the API server: `authenticate` a token, or `authorize` a request."""
    return kubeconfig_file.render(instance, "kube-apiserver", f"https://127.0.0.1:{AUTHENTICATOR_PORT}/{path}", {})


def authorization_configuration(webhook: Path) -> str:
    """Return the AuthorizationConfiguration as YAML. `webhook` is the kubeconfig of the authorizer."""
    return templates.render("authorization.yaml", kubeconfig=webhook, extra=PRINCIPAL_EXTRA)


def _healthy(instance: SandboxInstance, address: str) -> bool:
    """Return whether `address` answers 200 in the control namespace, with the administrator's certificate."""
    context = ssl.create_default_context()
    # Controller manager and scheduler have self-signed certificates; this is a health check only.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.load_cert_chain(instance.pki / "admin.crt", instance.pki / "admin.key")
    opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context), urllib.request.ProxyHandler({}))
    try:
        with netns.inside(instance.control_netns), opener.open(address, timeout=PROBE_SECONDS) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False
