"""Faults of the identity chain in AWS: provider, role, trust policy, permissions, Pod Identity."""

import json
from collections.abc import Mapping

from sandbox.aws.seed import EBS_CSI_POLICY, HOST, PROVIDER_ARN, ROLE
from sandbox.doctor_faults import probe_claim
from sandbox.doctor_faults.fault_context import NAMESPACE, SERVICE_ACCOUNT, FaultContext, permissions, trust_policy
from sandbox.doctor_faults.saved_resources import CONTROL_POLICY
from sandbox.layout import ACCOUNT, CLUSTER, ISSUER, REGION

NEW_ROLE = f"{ROLE}-new"
BOUNDARY_ARN = f"arn:aws:iam::{ACCOUNT}:policy/sandbox-fault-boundary"
DUAL_STACK_URL = ISSUER.replace(f"oidc.eks.{REGION}.amazonaws.com", f"oidc-eks.{REGION}.api.aws")
_POLICY_V2 = "arn:aws:iam::aws:policy/AmazonEBSCSIDriverPolicyV2"
_POD_IDENTITY = {
    "Effect": "Allow",
    "Principal": {"Service": "pods.eks.amazonaws.com"},
    "Action": ["sts:AssumeRole", "sts:TagSession"],
}


def delete_provider(context: FaultContext) -> None:
    """Delete the OIDC provider of the cluster."""
    context.aws("iam").delete_open_id_connect_provider(OpenIDConnectProviderArn=PROVIDER_ARN)


def move_provider(context: FaultContext, url: str) -> None:
    """Create the provider for another URL instead."""
    delete_provider(context)
    context.aws("iam").create_open_id_connect_provider(Url=url, ClientIDList=["sts.amazonaws.com"])


def change_client_id(context: FaultContext) -> None:
    """Write the service name of STS in China as the client id. Its tokens too have `sts.amazonaws.com`."""
    iam, arn = context.aws("iam"), PROVIDER_ARN
    iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="sts.amazonaws.com.cn")
    iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="sts.amazonaws.com")


def write_trust(context: FaultContext, document: str) -> None:
    """Replace the trust policy of the driver's role."""
    context.aws("iam").update_assume_role_policy(RoleName=ROLE, PolicyDocument=document)


def with_deny(document: str) -> str:
    """Return the trust policy with a Deny statement for all service accounts of kube-system."""
    policy = json.loads(document)
    deny = {
        "Effect": "Deny",
        "Principal": {"Federated": PROVIDER_ARN},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringLike": {f"{HOST}:sub": f"system:serviceaccount:{NAMESPACE}:*"}},
    }
    return json.dumps({**policy, "Statement": [*policy["Statement"], deny]})


def _create_role(context: FaultContext, trust: str) -> str:
    """Create another role with the permissions of the driver, and return its ARN."""
    iam = context.aws("iam")
    arn = iam.create_role(RoleName=NEW_ROLE, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    iam.attach_role_policy(RoleName=NEW_ROLE, PolicyArn=EBS_CSI_POLICY)
    return arn


def annotate_new_role(context: FaultContext) -> None:
    """Annotate the service account with another role. The running pods keep the old one."""
    context.annotate_role(_create_role(context, trust_policy()))


def associate(context: FaultContext, role_arn: str) -> None:
    """Create a Pod Identity association of the driver's service account. It takes precedence over the annotation."""
    context.aws("eks").create_pod_identity_association(
        clusterName=CLUSTER, namespace=NAMESPACE, serviceAccount=SERVICE_ACCOUNT, roleArn=role_arn
    )


def associate_new_role(context: FaultContext) -> None:
    """Create an association with a role that trusts Pod Identity. The cluster has no agent."""
    trust = json.dumps({"Version": "2012-10-17", "Statement": [_POD_IDENTITY]})
    associate(context, _create_role(context, trust))


def detach_policies(context: FaultContext) -> None:
    """Remove all permissions of the driver's role."""
    iam = context.aws("iam")
    _replace_managed_policies(context, {})
    for name in iam.list_role_policies(RoleName=ROLE)["PolicyNames"]:
        iam.delete_role_policy(RoleName=ROLE, PolicyName=name)
    probe_claim.show(context)


def shrink_permissions(context: FaultContext) -> None:
    """Give the driver's role a policy that allows reading only."""
    _replace_managed_policies(context, {"read-only": permissions("ec2:Describe*")})
    probe_claim.show(context)


def forbid_snapshots(context: FaultContext) -> None:
    """Give the driver's role policies that allow new volumes, but none from a snapshot."""
    actions = ("Describe*", "CreateTags", "AttachVolume", "DetachVolume", "DeleteVolume", "ModifyVolume")
    others = permissions(*(f"ec2:{each}" for each in actions))
    create = permissions("ec2:CreateVolume", resource="arn:aws:ec2:*:*:volume/*")
    _replace_managed_policies(context, {"volumes": others, "new-volumes": create})


def require_snapshot_tags(context: FaultContext) -> None:
    """Give the driver's role the managed policy that allows only snapshots with the tag of the driver."""
    _replace_managed_policies(context, {})
    context.aws("iam").attach_role_policy(RoleName=ROLE, PolicyArn=_POLICY_V2)


def _replace_managed_policies(context: FaultContext, documents: Mapping[str, str]) -> None:
    iam = context.aws("iam")
    for name, document in documents.items():
        iam.put_role_policy(RoleName=ROLE, PolicyName=name, PolicyDocument=document)
    for each in iam.list_attached_role_policies(RoleName=ROLE)["AttachedPolicies"]:
        iam.detach_role_policy(RoleName=ROLE, PolicyArn=each["PolicyArn"])


def set_boundary(context: FaultContext) -> None:
    """Give the driver's role a permissions boundary that allows reading only."""
    iam, name = context.aws("iam"), BOUNDARY_ARN.rpartition("/")[2]
    iam.create_policy(PolicyName=name, PolicyDocument=permissions("ec2:Describe*", "s3:*"))
    iam.put_role_permissions_boundary(RoleName=ROLE, PermissionsBoundary=BOUNDARY_ARN)
    probe_claim.show(context)


def attach_control_policy(context: FaultContext) -> None:
    """Deny new volumes to the account by a service control policy of its organization."""
    organizations = context.aws("organizations")
    policy = organizations.create_policy(
        Name="sandbox-fault",
        Description="",
        Type=CONTROL_POLICY,
        Content=permissions("ec2:CreateVolume", effect="Deny"),
    )
    organizations.attach_policy(PolicyId=policy["Policy"]["PolicySummary"]["Id"], TargetId=ACCOUNT)
    probe_claim.show(context)
    probe_claim.await_event(context, "service control policy")
