"""Shell commands that ask the processes of a pod, and parsers of their answers. Pure.

One command asks everything, so each pod needs one `exec`. Independent questions run at the same time, and the output of
some waits in a pipe. The command runs `ask.sh`, which every pod has. It signs and encrypts by the environment of the
pod. Passwords stay in the pod: the users are counted there.
"""

import json
import re
import shlex
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eks_rocketmq.rocketmq.naming import labels, ports
from eks_rocketmq.status.status_facts import (
    BrokerAnswer,
    ControllerAnswer,
    DeclarationsAnswer,
    DiskUsage,
    GroupStatus,
    NameServerAnswer,
    PodAnswers,
    ReplicaConnection,
    ReplicaStatus,
)

_CONFIG, _RUNTIME, _HA_STATUS, _ALL_BROKERS, _METADATA, _GROUPS = 26, 28, 907, 106, 1005, 1006
_TLS_PORTS = {
    labels.BROKER: ports.BROKER,
    labels.CONTROLLER: ports.CONTROLLER,
    labels.NAME_SERVER: ports.NAME_SERVER,
    labels.PROXY: ports.PROXY_GRPC,
}

# The end of a certificate is read without the system's certificate authorities, which take four times as long to load
# as the rest. `openssl x509` is as slow, and is needed before OpenSSL 3 only.
# `answer NAME COMMAND…` prints a line `@@@ NAME STATUS` before the output of the command, and keeps its status.
_PRELUDE = """\
ask() { timeout 3 bash /etc/rocketmq/ask.sh "$@" 2>/dev/null; }
answer() {
  local name=$1 status
  shift
  out=$("$@" 2>/dev/null)
  status=$?
  printf '@@@ %s %s\\n%s\\n' "$name" "$status" "$out"
  return "$status"
}
disk() { df -Pk /data; }
ends() {
  local chain
  chain=$(timeout 3 openssl s_client -no-CAfile -no-CApath -connect "127.0.0.1:$1" </dev/null)
  if [[ $chain =~ NotAfter:\\ ([^$'\\n']*) ]]; then
    echo "notAfter=${BASH_REMATCH[1]}"
  else
    openssl x509 -noout -enddate <<<"$chain"
  fi
}
readiness() {
  exec 3<>"/dev/tcp/127.0.0.1/$1" && printf 'GET /ready HTTP/1.0\r\n\r\n' >&3 && timeout 3 cat <&3
}
"""
_BROKER = f"""\
permission() {{ ask 127.0.0.1:{ports.BROKER} {_CONFIG} | grep -aoE '^brokerPermission=[0-9]+'; }}
if answer ha ask 127.0.0.1:{ports.BROKER} {_HA_STATUS}; then
  exec 9< <([[ $out != *'"master":true'* ]] || answer permission permission)
  answer runtime ask 127.0.0.1:{ports.BROKER} {_RUNTIME}
  cat <&9
fi
"""
_DECLARATIONS = f"""\
age() {{ echo $(($(date +%s) - $(stat -c %Y "$STATUS"))); }}
topics() {{ cat "$DECLARED"/topics.* | cut -d' ' -f1 | sort -u | wc -l; }}
groups() {{ wc -l <"$DECLARED/groups"; }}
users() {{ grep -vc '^{labels.INTERNAL_USER_PREFIX}' "$ACCESS/users"; }}
answer state cat "$STATUS"
answer age age
answer topics topics
answer groups groups
[[ -z ${{ACCESS:-}} ]] || answer users users
"""


def build_question(
    role: str,
    groups: Sequence[str] = (),
    *,
    has_tls: bool = False,
    has_claim: bool = False,
    readiness_port: int = 0,
) -> str:
    """Return the bash command that asks a pod; empty if there is nothing to ask.

    `groups` are the names of the broker groups, for the leader of the controllers. `readiness_port` is the port on
    which to ask why the process is not ready; 0 not to ask.
    """
    parts, beside = [], []
    if has_claim:
        beside.append("answer disk disk")
    if has_tls and role in _TLS_PORTS:
        beside.append(f"answer certificate ends {_TLS_PORTS[role]}")
    if readiness_port:
        beside.append(f"answer readiness readiness {readiness_port}")
    if role == labels.BROKER:
        parts.append(_BROKER)
    elif role == labels.CONTROLLER:
        body = shlex.quote(json.dumps(list(groups), separators=(",", ":")))
        address = f"127.0.0.1:{ports.CONTROLLER}"
        parts.append(
            f"answer metadata ask {address} {_METADATA}\n"
            f'[[ $out != *\'"isLeader":"true"\'* ]] || answer groups ask {address} {_GROUPS} {{}} {body}\n'
        )
    elif role == labels.NAME_SERVER:
        parts.append(f"answer routes ask 127.0.0.1:{ports.NAME_SERVER} {_ALL_BROKERS}\n")
    elif role == labels.DECLARATIONS:
        parts.append(_DECLARATIONS)
    if beside:
        parts = [f"exec 8< <({'; '.join(beside)})\n", *parts, "cat <&8\n"]
    return "".join([_PRELUDE, *parts, "exit 0\n"]) if parts else ""


@dataclass(frozen=True)
class _Section:
    """Status and output of one command."""

    status: int
    text: str

    @property
    def header(self) -> Mapping[str, Any]:
        """Return the header of a response of RocketMQ."""
        return _parse_json(self.text.partition("\n")[0])

    @property
    def body(self) -> str:
        """Return the body of a response of RocketMQ."""
        return self.text.partition("\n")[2]


_MARK = re.compile(r"^@@@ (\w+) (\d+)\n", re.MULTILINE)
_NO_SECTION = _Section(1, "")


def parse_answers(role: str, output: str) -> PodAnswers:
    """Return the answers of a pod from the output of its command."""
    _, *found = _MARK.split(output)
    sections = {
        name: _Section(int(status), text.rstrip("\n"))
        for name, status, text in zip(found[::3], found[1::3], found[2::3], strict=True)
    }
    disk, certificate = sections.get("disk", _NO_SECTION), sections.get("certificate", _NO_SECTION)
    return PodAnswers(
        broker=_parse_broker(sections) if role == labels.BROKER else None,
        controller=_parse_controller(sections) if role == labels.CONTROLLER else None,
        groups=_parse_groups(sections.get("groups", _NO_SECTION)) if role == labels.CONTROLLER else None,
        name_server=_parse_name_server(sections.get("routes", _NO_SECTION)) if role == labels.NAME_SERVER else None,
        declarations=_parse_declarations(sections) if role == labels.DECLARATIONS else None,
        disk=_parse_disk(disk.text) if disk.status == 0 else None,
        certificate_end=_parse_certificate(certificate.text) if certificate.status == 0 else None,
        readiness=_parse_readiness(sections.get("readiness", _NO_SECTION).text),
    )


def _parse_json(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _parse_broker(sections: Mapping[str, _Section]) -> BrokerAnswer:
    ha = sections.get("ha", _NO_SECTION)
    if ha.status:
        return BrokerAnswer(responds=False)
    status = _parse_json(ha.body)
    table = _parse_json(sections.get("runtime", _NO_SECTION).body).get("table") or {}
    client = status.get("haClientRuntimeInfo") or {}
    offset = table.get("commitLogMaxOffset")
    permission = sections.get("permission", _NO_SECTION).text.partition("=")[2]
    return BrokerAnswer(
        responds=True,
        master=bool(status.get("master")),
        replicas=tuple(
            # The port is that of the connection, so only the host identifies the member.
            ReplicaConnection(str(each["addr"]).lstrip("/").rpartition(":")[0], int(each["diff"]), bool(each["inSync"]))
            for each in status.get("haConnectionInfo") or []
        ),
        master_address=client.get("masterAddr") or "",
        max_offset=None if offset is None else int(offset),
        version=str(table.get("brokerVersionDesc") or "").removeprefix("V").replace("_", "."),
        permission=int(permission) if permission.isdigit() else None,
    )


def _parse_controller(sections: Mapping[str, _Section]) -> ControllerAnswer:
    metadata = sections.get("metadata", _NO_SECTION)
    if metadata.status:
        return ControllerAnswer(responds=False)
    fields = metadata.header.get("extFields") or {}
    return ControllerAnswer(
        responds=True, leader=fields.get("controllerLeaderAddress") or "", is_leader=fields.get("isLeader") == "true"
    )


def _parse_groups(section: _Section) -> tuple[GroupStatus, ...] | None:
    if section.status:
        return None
    table = _parse_json(section.body).get("replicasInfoTable") or {}
    return tuple(
        GroupStatus(
            name,
            group.get("masterAddress") or "",
            int(group.get("masterEpoch") or 0),
            int(group.get("syncStateSetEpoch") or 0),
            tuple(
                ReplicaStatus(int(each["brokerId"]), each["brokerAddress"], bool(each.get("alive")), in_sync)
                for key, in_sync in (("inSyncReplicas", True), ("notInSyncReplicas", False))
                for each in group.get(key) or []
            ),
        )
        for name, group in sorted(table.items())
    )


_UNQUOTED_KEY = re.compile(r"([{,])(\d+):")
_MASTER_ID = "0"


def _parse_name_server(section: _Section) -> NameServerAnswer:
    if section.status:
        return NameServerAnswer(responds=False)
    # RocketMQ writes the IDs of the brokers without quotes.
    table = _parse_json(_UNQUOTED_KEY.sub(r'\1"\2":', section.body)).get("brokerAddrTable") or {}
    masters = ((name, (each.get("brokerAddrs") or {}).get(_MASTER_ID)) for name, each in sorted(table.items()))
    return NameServerAnswer(responds=True, masters=tuple((name, address) for name, address in masters if address))


def _parse_declarations(sections: Mapping[str, _Section]) -> DeclarationsAnswer:
    def count(name: str) -> int:
        text = sections.get(name, _NO_SECTION).text.strip()
        return int(text) if text.isdigit() else 0

    return DeclarationsAnswer(
        state=sections.get("state", _NO_SECTION).text.strip(),
        age=count("age"),
        topics=count("topics"),
        groups=count("groups"),
        users=count("users") if "users" in sections else None,
    )


def _parse_disk(text: str) -> DiskUsage | None:
    """Return the usage from the output of `df -Pk`."""
    fields = text.splitlines()[-1].split() if text else []
    if len(fields) < 4 or not all(each.isdigit() for each in fields[1:4]):
        return None
    used, available = int(fields[2]), int(fields[3])
    # The file system keeps a reserve, which counts neither as used nor as available.
    return DiskUsage(used * 1024, (used + available) * 1024)


def _parse_readiness(response: str) -> str:
    """Return the body of an HTTP response that is not a success."""
    head, _, body = response.replace("\r\n", "\n").partition("\n\n")
    return "" if " 200 " in head.partition("\n")[0] else body.strip()


def _parse_certificate(text: str) -> float | None:
    """Return the end of a certificate from the output of `openssl x509 -enddate`."""
    try:
        return float(ssl.cert_time_to_seconds(text.strip().partition("=")[2]))
    except ValueError:
        return None
