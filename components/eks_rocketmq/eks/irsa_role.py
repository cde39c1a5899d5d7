"""An IAM role for service accounts of a cluster."""

from typing import NotRequired, TypedDict

import pulumi_aws as aws
from pulumi import ComponentResource, Input, InvokeOutputOptions, Output, ResourceOptions

from eks_rocketmq.component import child_options, type_token
from eks_rocketmq.eks.policy_documents import (
    managed_policy_arn,
    service_account_subject,
    web_identity_trust_policy,
)
from eks_rocketmq.eks.preflight import ownership_tags, refuse_existing
from eks_rocketmq.validation import dns_label


class ServiceAccountArgs(TypedDict):
    """A Kubernetes service account; it need not exist yet."""

    namespace: str
    """Its namespace, such as `kube-system`."""
    name: str
    """Its name, such as `ebs-csi-controller-sa`."""


class IrsaRoleArgs(TypedDict):
    """Who may take the role, and what it may do."""

    role_name: str
    """Name of the role in IAM. Changing it replaces the role."""
    provider_arn: Input[str]
    """ARN of the cluster's IAM OIDC provider."""
    issuer: Input[str]
    """Issuer of the cluster, with `https://`."""
    service_accounts: list[ServiceAccountArgs]
    """The service accounts that may take the role, at least one; each is matched exactly."""
    managed_policies: NotRequired[list[str]]
    """Policies that AWS manages, as path and name (`service-role/AmazonEBSCSIDriverPolicy`); default: none."""
    tags: NotRequired[dict[str, str]]
    """Tags of the role; default: only the stack's own mark."""


class IrsaRole(ComponentResource):
    """A role whose trust policy lets in exactly the named service accounts, with the audience `sts.amazonaws.com`.

    Creates the role and one attachment for each managed policy. A role for nobody, a name that Kubernetes does not
    accept, a malformed issuer and a trust policy that is too long are refused with a ValueError at preview.
    """

    arn: Output[str]
    """ARN of the role, for the service account's annotation or the addon."""
    name: Output[str]
    """Name of the role."""
    attachments: list[aws.iam.RolePolicyAttachment]
    """The role's policies: what uses the role should depend on them, its ARN alone does not say that they are there."""

    def __init__(self, name: str, args: IrsaRoleArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__(type_token("IrsaRole"), name, {}, opts)
        subjects = [
            service_account_subject(
                dns_label(account["namespace"], "namespace of a service account"),
                dns_label(account["name"], "name of a service account"),
            )
            for account in args["service_accounts"]
        ]
        trust: Output[str] = Output.all(args["provider_arn"], args["issuer"]).apply(
            lambda known: web_identity_trust_policy(known[0], known[1], subjects)
        )
        role = aws.iam.Role(
            f"{name}-role",
            name=args["role_name"],
            assume_role_policy=trust,
            tags={**args.get("tags", {}), **ownership_tags()},
            opts=child_options(
                self,
                hooks=refuse_existing(
                    f"{name}-role",
                    "give its ARN to what uses it, or EbsCsiAddon existing=True (`ebsCsiDriver: existing`)",
                ),
            ),
        )
        self.attachments = self._attach(name, role, args.get("managed_policies", []))
        self.arn = role.arn
        self.name = role.name
        self.register_outputs({"arn": self.arn, "name": self.name})

    def _attach(self, name: str, role: aws.iam.Role, policies: list[str]) -> list[aws.iam.RolePolicyAttachment]:
        if not policies:
            return []
        partition = aws.get_partition_output(opts=InvokeOutputOptions(parent=self)).partition
        return [
            aws.iam.RolePolicyAttachment(
                f"{name}-{policy.rsplit('/', 1)[-1]}",
                role=role.name,
                policy_arn=partition.apply(lambda known, policy=policy: managed_policy_arn(known, policy)),
                opts=child_options(self),
            )
            for policy in policies
        ]
