"""The least that the EBS CSI driver needs, as IAM documents. Pure: no Pulumi provider.

The managed policies are for every cluster of an account and every region. What is generated here names one cluster,
one region and one account. The driver's own tags carry it: each volume gets `ebs.csi.aws.com/cluster` and, since EKS
starts the driver with the cluster's name, `kubernetes.io/cluster/<name>`. Volumes that were made another way carry
neither, and are out of its reach until somebody tags them.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from eks_rocketmq.args.aws_identifiers import cluster_name, key_arn
from eks_rocketmq.eks.iam.policy_documents import Statement, build_policy

_DRIVER_TAG = "ebs.csi.aws.com/cluster"


@dataclass(frozen=True)
class PolicyScope:
    """Where the driver works."""

    partition: str
    region: str
    account: str
    cluster: str
    """Name of the cluster."""


def build_volume_policy(scope: PolicyScope, *, snapshots: bool) -> str:
    """What the driver may do with volumes, and with their snapshots if asked.

    Raises:
        ValueError: when EKS would not accept the name of the cluster.
    """
    cluster_name(scope.cluster)
    statements = [
        _build_read_statement(scope, snapshots=snapshots),
        *_build_volume_statements(scope),
        *_build_attach_statements(scope),
        _build_tag_statement(scope, "Volume"),
    ]
    return build_policy([*statements, *(_build_snapshot_statements(scope) if snapshots else ())])


def build_key_policy(key_arns: Iterable[str]) -> str:
    """What the driver may do with the keys of encrypted volumes: only through EC2, and grants only for EC2 itself.

    https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption-requirements.html lists the actions.

    Raises:
        ValueError: for what is not the ARN of a key.
    """
    keys = sorted(set(key_arns))
    services = sorted({service for key in keys for service in _list_via_services(key)})
    return build_policy(
        [
            {
                "Sid": "UseKeysThroughEc2",
                "Effect": "Allow",
                "Action": [
                    "kms:Decrypt",
                    "kms:DescribeKey",
                    "kms:GenerateDataKeyWithoutPlaintext",
                    "kms:ReEncryptFrom",
                    "kms:ReEncryptTo",
                ],
                "Resource": keys,
                "Condition": {"StringEquals": {"kms:ViaService": services}},
            },
            {
                "Sid": "GrantKeysToEc2",
                "Effect": "Allow",
                "Action": "kms:CreateGrant",
                "Resource": keys,
                "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}},
            },
        ]
    )


def _list_via_services(key: str) -> list[str]:
    """EC2's names in `kms:ViaService`; in China AWS writes both forms."""
    arn = key_arn(key, "a key of kms_key_arns")
    service = f"ec2.{arn.region}.amazonaws.com"
    return [service, f"{service}.cn"] if arn.partition == "aws-cn" else [service]


def _get_driver_tags(scope: PolicyScope) -> dict[str, str]:
    return {_DRIVER_TAG: "true", f"kubernetes.io/cluster/{scope.cluster}": "owned"}


def _build_request_condition(scope: PolicyScope) -> dict[str, dict[str, str]]:
    return {"StringEquals": {f"aws:RequestTag/{key}": value for key, value in _get_driver_tags(scope).items()}}


def _build_resource_condition(scope: PolicyScope) -> dict[str, dict[str, str]]:
    return {"StringEquals": {f"aws:ResourceTag/{key}": value for key, value in _get_driver_tags(scope).items()}}


def _format_resource(scope: PolicyScope, kind: str) -> str:
    # Snapshots belong to no account in their ARN: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
    account = "" if kind == "snapshot" else scope.account
    return f"arn:{scope.partition}:ec2:{scope.region}:{account}:{kind}/*"


def _build_read_statement(scope: PolicyScope, *, snapshots: bool) -> Statement:
    return {
        "Sid": "Read",
        "Effect": "Allow",
        "Action": [
            "ec2:DescribeAvailabilityZones",
            "ec2:DescribeInstanceTypes",
            "ec2:DescribeInstances",
            *(["ec2:DescribeSnapshots"] if snapshots else []),
            "ec2:DescribeVolumeStatus",
            "ec2:DescribeVolumes",
            "ec2:DescribeVolumesModifications",
        ],
        # EC2 has no resource-level permission for these.
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:RequestedRegion": scope.region}},
    }


def _build_volume_statements(scope: PolicyScope) -> list[Statement]:
    volumes = _format_resource(scope, "volume")
    return [
        {
            "Sid": "CreateVolumes",
            "Effect": "Allow",
            "Action": "ec2:CreateVolume",
            "Resource": volumes,
            "Condition": _build_request_condition(scope),
        },
        {
            "Sid": "ManageVolumes",
            "Effect": "Allow",
            "Action": ["ec2:AttachVolume", "ec2:DeleteVolume", "ec2:DetachVolume", "ec2:ModifyVolume"],
            "Resource": volumes,
            "Condition": _build_resource_condition(scope),
        },
    ]


def _build_attach_statements(scope: PolicyScope) -> list[Statement]:
    """To the cluster's nodes: EKS tags those of managed groups in both ways, self-managed ones carry the second tag."""
    marks = (
        ("EksNodes", "eks:cluster-name", scope.cluster),
        ("Nodes", f"kubernetes.io/cluster/{scope.cluster}", "owned"),
    )
    return [
        {
            "Sid": f"AttachTo{sid}",
            "Effect": "Allow",
            "Action": ["ec2:AttachVolume", "ec2:DetachVolume"],
            "Resource": _format_resource(scope, "instance"),
            "Condition": {"StringEquals": {f"aws:ResourceTag/{key}": value}},
        }
        for sid, key, value in marks
    ]


def _build_tag_statement(scope: PolicyScope, kind: str) -> Statement:
    """Only together with the creation: who may tag what exists may make it his own."""
    return {
        "Sid": f"TagNew{kind}s",
        "Effect": "Allow",
        "Action": "ec2:CreateTags",
        "Resource": _format_resource(scope, kind.lower()),
        "Condition": {"StringEquals": {"ec2:CreateAction": f"Create{kind}"}},
    }


def _build_snapshot_statements(scope: PolicyScope) -> list[Statement]:
    snapshots, volumes = _format_resource(scope, "snapshot"), _format_resource(scope, "volume")
    return [
        {
            "Sid": "CreateSnapshots",
            "Effect": "Allow",
            "Action": "ec2:CreateSnapshot",
            "Resource": snapshots,
            "Condition": _build_request_condition(scope),
        },
        {
            "Sid": "SnapshotVolumes",
            "Effect": "Allow",
            "Action": "ec2:CreateSnapshot",
            "Resource": volumes,
            "Condition": _build_resource_condition(scope),
        },
        {
            "Sid": "UseSnapshots",
            "Effect": "Allow",
            "Action": ["ec2:CreateVolume", "ec2:DeleteSnapshot"],
            "Resource": snapshots,
            "Condition": _build_resource_condition(scope),
        },
        _build_tag_statement(scope, "Snapshot"),
    ]
