"""Rights that the doctor needs: an IAM policy and a ClusterRole as data, both read-only. Pure."""

from typing import Any

AWS_ACTIONS = (
    "ec2:DescribeInstances",
    "ec2:DescribeRouteTables",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeVolumesModifications",
    "ec2:DescribeVpcEndpoints",
    "ec2:GetEbsDefaultKmsKeyId",
    "ec2:GetEbsEncryptionByDefault",
    "eks:DescribeAddon",
    "eks:DescribeCluster",
    "eks:DescribePodIdentityAssociation",
    "eks:ListAddons",
    "eks:ListPodIdentityAssociations",
    "iam:GetOpenIDConnectProvider",
    "iam:GetPolicy",
    "iam:GetPolicyVersion",
    "iam:GetRole",
    "iam:GetRolePolicy",
    "iam:ListAttachedRolePolicies",
    "iam:ListOpenIDConnectProviders",
    "iam:ListRolePolicies",
    "iam:SimulatePrincipalPolicy",
    "kms:DescribeKey",
    "kms:GetKeyPolicy",
    "servicequotas:ListServiceQuotas",
)
"""Actions that the caller needs.

`sts:GetCallerIdentity` needs no permission. The trial calls AssumeRoleWithWebIdentity without the caller's credentials.
"""
TRIAL_RULE = {"apiGroups": [""], "resources": ["serviceaccounts/token"], "verbs": ["create"]}
"""Rule for the trial. Without it the trial is skipped."""
_RULES = (
    ("", ("events", "nodes", "persistentvolumeclaims", "persistentvolumes", "pods", "serviceaccounts"), "list"),
    ("", ("pods/log",), "get"),
    ("apps", ("daemonsets", "deployments"), "list"),
    ("storage.k8s.io", ("csidrivers", "csinodes", "storageclasses", "volumeattachments"), "list"),
    ("admissionregistration.k8s.io", ("mutatingwebhookconfigurations",), "get"),
)


def build_iam_policy() -> dict[str, Any]:
    """Return the IAM policy."""
    statement = {"Sid": "Doctor", "Effect": "Allow", "Action": list(AWS_ACTIONS), "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def build_cluster_role(*, trial: bool = True) -> dict[str, Any]:
    """Return the ClusterRole, with or without the rule for the trial."""
    rules = [{"apiGroups": [group], "resources": list(names), "verbs": [verb]} for group, names, verb in _RULES]
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "eks-rocketmq-doctor"},
        "rules": [*rules, *([TRIAL_RULE] if trial else [])],
    }
