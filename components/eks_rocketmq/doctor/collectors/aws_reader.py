"""Reader of AWS APIs. It calls operations that change nothing, and AssumeRoleWithWebIdentity for the trial."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any, Protocol, TypeVar

from botocore import UNSIGNED, xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from eks_rocketmq.doctor.collectors import aws_parsers as parsers
from eks_rocketmq.doctor.collectors.aws_parsers import Reply
from eks_rocketmq.doctor.collectors.kubernetes_parsers import redact
from eks_rocketmq.doctor.facts.cluster_facts import (
    AccountFacts,
    AddonFacts,
    ClusterFacts,
    EncryptionFacts,
    KeyFacts,
    ModificationFacts,
    OidcProviderFacts,
    PodIdentityFacts,
    PolicyFacts,
    RoleFacts,
    SimulatedAction,
    TrialFacts,
    Unreadable,
)
from eks_rocketmq.doctor.facts.fact_queries import list_readable
from eks_rocketmq.doctor.facts.network_facts import NetworkFacts
from eks_rocketmq.doctor.policies.permissions import DriverScope
from eks_rocketmq.lookups.daemon_threads import DaemonExecutor

Item = TypeVar("Item")
_DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "NotAuthorized")
_MISSING = ("NoSuchEntity", "ResourceNotFoundException", "NotFoundException")
_SIMULATED = (
    "ec2:AttachVolume", "ec2:CreateTags", "ec2:CreateVolume", "ec2:DeleteVolume", "ec2:DetachVolume",
    "ec2:ModifyVolume",
)  # fmt: skip
_SESSION_NAME = "eks-rocketmq-doctor"
_SHORTEST_SESSION = 900
_WORKERS = 8
_CONFIG = Config(connect_timeout=3, read_timeout=15, retries={"total_max_attempts": 2})


class ConfigurableSession(Protocol):
    """Part of `boto3.Session` that the reader uses."""

    @property
    def region_name(self) -> str | None:
        """Region of the session."""

    def client(self, service_name: str, *, config: Config) -> Any:  # noqa: ANN401 - boto3 creates its classes at run time
        """Return a client of an AWS service."""


@dataclass(frozen=True)
class AwsReader:
    """AWS APIs of one account and region."""

    session: ConfigurableSession
    region: str
    _clients: dict[str, Any] = field(default_factory=dict, init=False, compare=False)
    _lock: Lock = field(default_factory=Lock, init=False, compare=False)
    _executor: Executor = field(default_factory=lambda: DaemonExecutor(_WORKERS), init=False, compare=False)
    """Executor of calls that do not wait for others in it."""

    def read_account(self) -> AccountFacts | Unreadable:
        """Return the account of the caller."""
        found = self._call("sts", "GetCallerIdentity")
        if not isinstance(found, Mapping):
            return found or Unreadable("sts:GetCallerIdentity", "", "no answer")
        return AccountFacts(found["Arn"].split(":")[1], found["Account"], self.region)

    def read_cluster(self, name: str) -> ClusterFacts | Unreadable:
        """Return a cluster."""
        found = self._call("eks", "DescribeCluster", name, name=name)
        if not isinstance(found, Mapping):
            return found or Unreadable("eks:DescribeCluster", "", f"no cluster {name} in region {self.region}")
        cluster = found["cluster"]
        storage = (cluster.get("storageConfig") or {}).get("blockStorage") or {}
        return ClusterFacts(
            cluster["name"],
            cluster["arn"],
            cluster["status"],
            cluster["version"],
            cluster.get("identity", {}).get("oidc", {}).get("issuer", ""),
            (cluster.get("accessConfig") or {}).get("authenticationMode", ""),
            bool(storage.get("enabled")),
            cluster.get("endpoint", ""),
        )

    def read_providers(self, issuer: str) -> tuple[OidcProviderFacts, ...] | Unreadable:
        """Return the OIDC providers. Client ids are read for those of the cluster."""
        found = self._call("iam", "ListOpenIDConnectProviders")
        if not isinstance(found, Mapping):
            return found or ()
        arns = [each["Arn"] for each in found["OpenIDConnectProviderList"]]
        identifier = f"/id/{issuer.rpartition('/')[2]}"
        return tuple(self._read_provider(arn) if arn.endswith(identifier) else OidcProviderFacts(arn) for arn in arns)

    def _read_provider(self, arn: str) -> OidcProviderFacts:
        found = self._call("iam", "GetOpenIDConnectProvider", arn, OpenIDConnectProviderArn=arn)
        if not isinstance(found, Mapping):
            return OidcProviderFacts(arn, found or ())
        return OidcProviderFacts(arn, tuple(found.get("ClientIDList") or []))

    def read_pod_identities(self, cluster: str) -> tuple[PodIdentityFacts, ...] | Unreadable:
        """Return the Pod Identity associations of a cluster with their roles."""
        found = self._list("eks", "ListPodIdentityAssociations", "associations", clusterName=cluster)
        if isinstance(found, Unreadable):
            return found

        def read(each: Reply) -> PodIdentityFacts | Unreadable:
            id_ = each["associationId"]
            detail = self._call(
                "eks",
                "DescribePodIdentityAssociation",
                each["associationArn"],
                clusterName=cluster,
                associationId=id_,
            )
            if isinstance(detail, Unreadable):
                return detail
            role = detail["association"]["roleArn"] if detail else ""
            return PodIdentityFacts(each["namespace"], each["serviceAccount"], role, id_)

        return _join(self._executor.map(read, found))

    def read_addons(self, cluster: str) -> tuple[AddonFacts, ...] | Unreadable:
        """Return the addons of a cluster."""
        names = self._list("eks", "ListAddons", "addons", clusterName=cluster)
        if isinstance(names, Unreadable):
            return names

        def read(name: str) -> AddonFacts | Unreadable | None:
            found = self._call("eks", "DescribeAddon", name, clusterName=cluster, addonName=name)
            return parsers.parse_addon(found["addon"]) if isinstance(found, Mapping) else found

        return _join(self._executor.map(read, names))

    def read_role(self, arn: str, scope: DriverScope | None) -> RoleFacts | Unreadable:
        """Return a role of the account.

        `scope` is that of the driver, to read the permissions of its role too; None for another role.
        """
        name = arn.rpartition("/")[2]
        found = self._call("iam", "GetRole", arn, RoleName=name)
        if not isinstance(found, Mapping):
            return found or RoleFacts(arn, exists=False)
        document = json.dumps(found["Role"]["AssumeRolePolicyDocument"])
        role = RoleFacts(found["Role"]["Arn"], trust_policy=document)
        # The annotation may contain another path or account. STS compares the whole ARN.
        if role.arn != arn:
            is_own = role.arn.partition("/")[0] == arn.partition("/")[0]
            return RoleFacts(arn, exists=False, found_arn=role.arn if is_own else "")
        if scope is None:
            return role
        boundary = found["Role"].get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
        simulated = self._executor.submit(self._simulate, arn, scope)
        limit = self._executor.submit(self._read_policy, boundary) if boundary else None
        return replace(
            role,
            policies=self._read_policies(name),
            boundary=limit.result() if limit else None,
            simulated=simulated.result(),
        )

    def _read_policies(self, role: str) -> tuple[PolicyFacts, ...] | Unreadable:
        names = self._executor.submit(self._list, "iam", "ListRolePolicies", "PolicyNames", RoleName=role)
        attached = self._list("iam", "ListAttachedRolePolicies", "AttachedPolicies", RoleName=role)
        inline = names.result()
        if isinstance(attached, Unreadable):
            return attached
        if isinstance(inline, Unreadable):
            return inline

        def read_inline(name: str) -> PolicyFacts | Unreadable:
            found = self._call("iam", "GetRolePolicy", role, RoleName=role, PolicyName=name)
            if isinstance(found, Unreadable):
                return found
            return PolicyFacts(name, json.dumps(found["PolicyDocument"] if found else {}))

        managed = self._executor.map(self._read_policy, [each["PolicyArn"] for each in attached])
        return _join([*managed, *self._executor.map(read_inline, inline)])

    def _read_policy(self, arn: str) -> PolicyFacts | Unreadable:
        found = self._call("iam", "GetPolicy", arn, PolicyArn=arn)
        if not isinstance(found, Mapping):
            return found or PolicyFacts(arn, "{}")
        version = found["Policy"]["DefaultVersionId"]
        document = self._call("iam", "GetPolicyVersion", arn, PolicyArn=arn, VersionId=version)
        if not isinstance(document, Mapping):
            return document or PolicyFacts(arn, "{}")
        return PolicyFacts(arn, json.dumps(document["PolicyVersion"]["Document"]))

    def _simulate(self, role: str, scope: DriverScope) -> tuple[SimulatedAction, ...] | Unreadable:
        prefixes = ("aws:RequestTag", "aws:ResourceTag", "ec2:ResourceTag")
        tags = {f"{prefix}/{key}": value for prefix in prefixes for key, value in scope.tags.items()}
        entries = [
            {"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": "string"}
            for key, value in {
                **tags,
                "ec2:CreateAction": "CreateVolume",
                "aws:RequestedRegion": scope.account.region,
            }.items()
        ]
        found = self._call(
            "iam",
            "SimulatePrincipalPolicy",
            role,
            PolicySourceArn=role,
            ActionNames=list(_SIMULATED),
            ResourceArns=[scope.build_resource("volume")],
            ContextEntries=entries,
        )
        if not isinstance(found, Mapping):
            return found or ()
        return tuple(parsers.parse_simulation(each) for each in found["EvaluationResults"])

    def read_key(self, id_: str) -> KeyFacts | Unreadable:
        """Return a KMS key by the value of the class's parameter."""
        found = self._call("kms", "DescribeKey", id_, KeyId=id_)
        if not isinstance(found, Mapping):
            return found or KeyFacts(id_, exists=False)
        metadata = found["KeyMetadata"]
        policy = self._call("kms", "GetKeyPolicy", id_, KeyId=metadata["KeyId"], PolicyName="default")
        text = policy["Policy"] if isinstance(policy, Mapping) else policy or ""
        return KeyFacts(id_, True, metadata["Arn"], metadata["KeyState"], text)

    def read_encryption(self) -> EncryptionFacts:
        """Return whether the account encrypts all new volumes, and its default key for EBS."""
        found = self._call("ec2", "GetEbsEncryptionByDefault")
        default = self._call("ec2", "GetEbsDefaultKmsKeyId")
        by_default = bool(found["EbsEncryptionByDefault"]) if isinstance(found, Mapping) else found or False
        key = self.read_key(default["KmsKeyId"]) if isinstance(default, Mapping) else default
        return EncryptionFacts(by_default, key or Unreadable("ec2:GetEbsDefaultKmsKeyId", "", "no answer"))

    def read_modifications(self, volumes: Sequence[str]) -> tuple[ModificationFacts, ...] | Unreadable:
        """Return the latest modification of each volume that has one."""
        # A filter accepts a volume without a modification. The parameter VolumeIds does not.
        filters = [{"Name": "volume-id", "Values": list(volumes)}]
        found = self._list("ec2", "DescribeVolumesModifications", "VolumesModifications", Filters=filters)
        return found if isinstance(found, Unreadable) else tuple(map(parsers.parse_modification, found))

    def read_hop_limits(self, instances: Sequence[str]) -> dict[str, int] | Unreadable:
        """Return the hop limit of the metadata service by instance id."""
        found = self._call("ec2", "DescribeInstances", ",".join(instances), InstanceIds=list(instances))
        if not isinstance(found, Mapping):
            return found or {}
        return {
            instance["InstanceId"]: instance.get("MetadataOptions", {}).get("HttpPutResponseHopLimit", 1)
            for reservation in found["Reservations"]
            for instance in reservation["Instances"]
        }

    def read_network(self, instances: Mapping[str, str], services: Sequence[str]) -> NetworkFacts | Unreadable:
        """Return what decides whether instances reach services of AWS.

        `instances` has the name of the node by instance id. `services` are names such as `sts`.
        """
        found = self._list("ec2", "DescribeInstances", "Reservations", InstanceIds=list(instances))
        if isinstance(found, Unreadable):
            return found
        nodes = tuple(
            parsers.parse_node_network(instances[each["InstanceId"]], each)
            for reservation in found
            for each in reservation["Instances"]
            if each["InstanceId"] in instances
        )
        if not nodes:
            return NetworkFacts()
        vpcs = {"Name": "vpc-id", "Values": sorted({each.vpc_id for each in nodes})}
        # In China most services have the prefix, but not all.
        names = [f"{prefix}com.amazonaws.{self.region}.{each}" for each in services for prefix in ("", "cn.")]
        wanted = {"Name": "service-name", "Values": names}
        tables = self._list("ec2", "DescribeRouteTables", "RouteTables", Filters=[vpcs])
        endpoints = self._list("ec2", "DescribeVpcEndpoints", "VpcEndpoints", Filters=[vpcs, wanted])
        ids = sorted({group["GroupId"] for each in list_readable(endpoints) for group in each.get("Groups") or []})
        groups = self._list("ec2", "DescribeSecurityGroups", "SecurityGroups", GroupIds=ids) if ids else []
        return NetworkFacts(
            nodes,
            _parse(tables, parsers.parse_route_table),
            _parse(endpoints, parsers.parse_endpoint),
            _parse(groups, parsers.parse_security_group),
        )

    def read_quotas(self) -> tuple[str, ...] | Unreadable:
        """Return the quotas of EBS for storage and IOPS as text."""
        found = self._list("service-quotas", "ListServiceQuotas", "Quotas", ServiceCode="ebs")
        if isinstance(found, Unreadable):
            return found
        return tuple(f"quota {each['QuotaName']} ({each['QuotaCode']}): {each['Value']:g}" for each in found)[:40]

    def try_role(self, service_account: str, role_arn: str, token: str) -> TrialFacts | Unreadable:
        """Assume a role with a token of a service account. Token and credentials are discarded."""
        claims = parsers.decode_claims(token)
        audiences = claims.get("aud") or []
        facts = TrialFacts(
            service_account,
            role_arn,
            True,
            str(claims.get("iss", "")),
            str(claims.get("sub", "")),
            (audiences,) if isinstance(audiences, str) else tuple(audiences),
        )
        config = _CONFIG.merge(Config(signature_version=UNSIGNED))
        try:
            with self._lock:
                client = self.session.client("sts", config=config)
            client.assume_role_with_web_identity(
                RoleArn=role_arn,
                RoleSessionName=_SESSION_NAME,
                WebIdentityToken=token,
                DurationSeconds=_SHORTEST_SESSION,
            )
        except ClientError as error:
            detail = error.response["Error"]
            return replace(facts, succeeded=False, error=redact(f"{detail['Code']}: {detail['Message']}"))
        except BotoCoreError as error:
            return Unreadable(f"sts:AssumeRoleWithWebIdentity for {service_account}", "", redact(str(error)))
        return facts

    def _get_client(self, service: str) -> Any:  # noqa: ANN401 - boto3 creates its client classes at run time
        # Clients may be shared by threads. Their creation may not run in two threads at once.
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self.session.client(service, config=_CONFIG)
            return self._clients[service]

    def _list(self, service: str, operation: str, key: str, **request: Any) -> list[Any] | Unreadable:  # noqa: ANN401
        found = self._call(service, operation, "", key, **request)
        return found if isinstance(found, Unreadable) else list((found or {}).get(key) or [])

    def _call(
        self,
        service: str,
        operation: str,
        resource: str = "",
        list_key: str = "",
        **request: Any,  # noqa: ANN401 - parameters of the operation
    ) -> Reply | Unreadable | None:
        """Return the reply, or None if the resource does not exist."""
        prefix = {"service-quotas": "servicequotas"}.get(service, service)
        name, call = xform_name(operation), f"{prefix}:{operation}" + (f" for {resource}" if resource else "")
        try:
            client = self._get_client(service)
            if list_key and client.can_paginate(name):
                pages = client.get_paginator(name).paginate(**request)
                return {list_key: [each for page in pages for each in page.get(list_key) or []]}
            return getattr(client, name)(**request)
        except ClientError as error:
            detail = error.response["Error"]
            if detail["Code"] in _MISSING:
                return None
            permission = f"{prefix}:{operation}" + (f" on {resource}" if resource else "")
            denied = detail["Code"] in _DENIED
            return Unreadable(call, permission if denied else "", redact(f"{detail['Code']}: {detail['Message']}"))
        except BotoCoreError as error:
            return Unreadable(call, "", redact(str(error)))


def _join(facts: Iterable[Item | Unreadable | None]) -> tuple[Item, ...] | Unreadable:
    """Return the facts, or the first one that could not be read. What does not exist any more is left out."""
    found = list(facts)
    unreadable = (each for each in found if isinstance(each, Unreadable))
    return next(unreadable, None) or tuple(
        each for each in found if each is not None and not isinstance(each, Unreadable)
    )


def _parse(replies: Sequence[Reply] | Unreadable, parse: Callable[[Reply], Item]) -> tuple[Item, ...] | Unreadable:
    return replies if isinstance(replies, Unreadable) else tuple(map(parse, replies))
