"""Minimum IAM policies of the EBS CSI driver. Pure: without a Pulumi provider.

AWS managed policies allow all clusters and regions of an account. The policies of this module allow one cluster, region
and account, by tags that the driver sets. Each volume gets `ebs.csi.aws.com/cluster`. It also gets
`kubernetes.io/cluster/<name>`, because EKS starts the driver with the cluster's name. Volumes from another source do
not have these tags, so the driver cannot use them until you add the tags.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from eks_rocketmq.args.argument_path import ARGS, ArgumentPath
from eks_rocketmq.args.aws_identifiers import parse_kms_key_arn, validate_cluster_name
from eks_rocketmq.args.kubernetes_names import CLUSTER_NAME_TAG
from eks_rocketmq.eks.iam.policy_documents import Statement, build_policy

_DRIVER_TAG = "ebs.csi.aws.com/cluster"
_CLAIM_TAG = "kubernetes.io/created-for/pvc/name"


@dataclass(frozen=True)
class PolicyScope:
    """Partition, region, account and cluster of the driver."""

    partition: str
    region: str
    account: str
    cluster: str
    """Name of the cluster."""


def build_volume_policy(scope: PolicyScope, *, snapshots: bool) -> str:
    """Return the policy (JSON) for volumes, and for snapshots if requested.

    Raise ValueError if EKS does not accept the name of the cluster.
    """
    validate_cluster_name(scope.cluster)
    statements = [
        _build_read_statement(scope, snapshots=snapshots),
        *_build_volume_statements(scope),
        *_build_attach_statements(scope),
        _build_tag_statement(scope, "Volume"),
    ]
    return build_policy([*statements, *(_build_snapshot_statements(scope) if snapshots else ())])


def build_key_policy(key_arns: Iterable[str]) -> str:
    """Return the policy (JSON) for the KMS keys of encrypted volumes.

    It allows the use of the keys only through EC2, and grants only for AWS resources. The actions are those of
    https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption-requirements.html.

    Raise ValueError for a value that is not the ARN of a key.
    """
    paths = {key: (ARGS / "kms_key_arns").index(index) for index, key in enumerate(key_arns)}
    keys = sorted(paths)
    services = sorted({service for key, path in paths.items() for service in _list_via_services(key, path)})
    return build_policy(
        [
            _allow(
                "UseKeysThroughEc2",
                [
                    "kms:Decrypt",
                    "kms:DescribeKey",
                    "kms:GenerateDataKeyWithoutPlaintext",
                    "kms:ReEncryptFrom",
                    "kms:ReEncryptTo",
                ],
                keys,
                {"StringEquals": {"kms:ViaService": services}},
            ),
            _allow("GrantKeysToEc2", "kms:CreateGrant", keys, {"Bool": {"kms:GrantIsForAWSResource": "true"}}),
        ]
    )


def _allow(sid: str, action: str | list[str], resource: str | list[str], condition: Statement) -> Statement:
    return {"Sid": sid, "Effect": "Allow", "Action": action, "Resource": resource, "Condition": condition}


def _list_via_services(key: str, path: ArgumentPath) -> list[str]:
    """Return the names of EC2 in `kms:ViaService`. AWS documentation uses two forms for China."""
    arn = parse_kms_key_arn(key, path)
    service = f"ec2.{arn.region}.amazonaws.com"
    return [service, f"{service}.cn"] if arn.partition == "aws-cn" else [service]


def get_required_tags(permissions: str, cluster: str) -> dict[str, str]:
    """Return the tags that a volume must have so that the driver can attach it."""
    return {
        "v2": {_DRIVER_TAG: "true"},
        "cluster_scoped": {CLUSTER_NAME_TAG: cluster},
        "generated": _get_driver_tags(cluster),
    }.get(permissions, {})


def allows_volume(permissions: str, cluster: str, tags: Mapping[str, str]) -> bool:
    """Return whether the driver can attach a volume with these tags. Other arguments as for `get_required_tags`."""
    if permissions == "v2" and _CLAIM_TAG in tags:
        return True  # the tag of the in-tree driver, which the AWS managed policy accepts as well
    return get_required_tags(permissions, cluster).items() <= tags.items()


def _get_driver_tags(cluster: str) -> dict[str, str]:
    return {_DRIVER_TAG: "true", f"kubernetes.io/cluster/{cluster}": "owned"}


def _build_request_condition(scope: PolicyScope) -> dict[str, dict[str, str]]:
    return {"StringEquals": {f"aws:RequestTag/{key}": value for key, value in _get_driver_tags(scope.cluster).items()}}


def _build_resource_condition(scope: PolicyScope) -> dict[str, dict[str, str]]:
    return {"StringEquals": {f"aws:ResourceTag/{key}": value for key, value in _get_driver_tags(scope.cluster).items()}}


def _format_resource(scope: PolicyScope, kind: str) -> str:
    # ARNs of snapshots contain no account: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
    account = "" if kind == "snapshot" else scope.account
    return f"arn:{scope.partition}:ec2:{scope.region}:{account}:{kind}/*"


def _build_read_statement(scope: PolicyScope, *, snapshots: bool) -> Statement:
    return _allow(
        "Read",
        [
            "ec2:DescribeAvailabilityZones",
            "ec2:DescribeInstanceTypes",
            "ec2:DescribeInstances",
            *(["ec2:DescribeSnapshots"] if snapshots else []),
            "ec2:DescribeVolumeStatus",
            "ec2:DescribeVolumes",
            "ec2:DescribeVolumesModifications",
        ],
        "*",  # these actions do not support resource-level permissions
        {"StringEquals": {"aws:RequestedRegion": scope.region}},
    )


def _build_volume_statements(scope: PolicyScope) -> list[Statement]:
    volumes = _format_resource(scope, "volume")
    return [
        _allow("CreateVolumes", "ec2:CreateVolume", volumes, _build_request_condition(scope)),
        _allow(
            "ManageVolumes",
            ["ec2:AttachVolume", "ec2:DeleteVolume", "ec2:DetachVolume", "ec2:ModifyVolume"],
            volumes,
            _build_resource_condition(scope),
        ),
    ]


def _build_attach_statements(scope: PolicyScope) -> list[Statement]:
    """Return statements to attach volumes to the cluster's nodes.

    EKS sets both tags on nodes of managed groups. Self-managed nodes have the second tag only.
    """
    node_tags = (
        ("EksNodes", "eks:cluster-name", scope.cluster),
        ("Nodes", f"kubernetes.io/cluster/{scope.cluster}", "owned"),
    )
    return [
        _allow(
            f"AttachTo{sid}",
            ["ec2:AttachVolume", "ec2:DetachVolume"],
            _format_resource(scope, "instance"),
            {"StringEquals": {f"aws:ResourceTag/{key}": value}},
        )
        for sid, key, value in node_tags
    ]


def _build_tag_statement(scope: PolicyScope, kind: str) -> Statement:
    """Return a statement that allows tags only at the create. Tags on existing resources would give access to them."""
    return _allow(
        f"TagNew{kind}s",
        "ec2:CreateTags",
        _format_resource(scope, kind.lower()),
        {"StringEquals": {"ec2:CreateAction": f"Create{kind}"}},
    )


def _build_snapshot_statements(scope: PolicyScope) -> list[Statement]:
    snapshots, volumes = _format_resource(scope, "snapshot"), _format_resource(scope, "volume")
    return [
        _allow("CreateSnapshots", "ec2:CreateSnapshot", snapshots, _build_request_condition(scope)),
        _allow("SnapshotVolumes", "ec2:CreateSnapshot", volumes, _build_resource_condition(scope)),
        _allow("UseSnapshots", ["ec2:CreateVolume", "ec2:DeleteSnapshot"], snapshots, _build_resource_condition(scope)),
        _build_tag_statement(scope, "Snapshot"),
    ]
