"""An IAM role for service accounts of a cluster."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi_aws as aws
from pulumi import Alias, ComponentResource, Input, Output, Resource, ResourceHookBinding, ResourceOptions

from eks_rocketmq.args.arg_schema import validate_args
from eks_rocketmq.args.aws_identifiers import parse_policy_arn
from eks_rocketmq.eks.account.aws_create_checks import reject_existing_resource
from eks_rocketmq.eks.iam import role_checks
from eks_rocketmq.eks.iam.irsa_role_args import IrsaRoleArgs
from eks_rocketmq.eks.iam.policy_documents import (
    SHORTEST_CLUSTER_ARN,
    STS_AUDIENCE,
    Statement,
    build_pod_identity_statements,
    build_trust_policy,
    build_web_identity_statements,
    check_customer_policy,
    check_inline_policies,
    fill_unknown_cluster,
    format_subject,
    normalize_permission_policy,
)
from eks_rocketmq.eks.iam.role_preflight import warn_about_unmanaged_policies
from eks_rocketmq.eks.iam.service_role import attach_policies
from eks_rocketmq.lookups.create_checks import get_ownership_tags
from eks_rocketmq.pulumi_sdk.component import (
    apply_redacted,
    child_options,
    defer,
    type_token,
    validate_input,
)
from eks_rocketmq.pulumi_sdk.documentation import documented


@documented
class IrsaRole(ComponentResource):
    """An IAM role that only the named service accounts can assume, with the audience `sts.amazonaws.com`.

    Creates the role, its customer and inline policies, an attachment for each managed policy, and the associations of
    EKS Pod Identity. Values that are unknown at preview are checked at the update. At preview, a ValueError rejects:

    - a role without a service account or without a cluster
    - a name that Kubernetes or IAM does not accept
    - a wildcard in a namespace or in the audience
    - a malformed issuer, or an issuer of another cluster than that of the provider
    - documents that are too long
    """

    _existing_hint = "give the ARN of that role to what uses it, and leave this one out"

    arn: Output[str]
    """ARN of the role, for the service account's annotation or the addon. Resources that use it depend on the
    policies."""
    name: Output[str]
    """Name of the role."""
    attachments: list[aws.iam.RolePolicyAttachment]
    """Attachments of the AWS managed and customer managed policies; see `policies`."""
    inline_policies: list[aws.iam.RolePolicy]
    """Inline policies of the role; see `policies`."""

    def __init__(self, name: str, args: IrsaRoleArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__(type_token("IrsaRole"), name, {}, opts)
        _reject_output_policies(args)
        validate_args(args, IrsaRoleArgs)
        accounts = list(dict.fromkeys(role_checks.parse_service_account({**each}) for each in args["service_accounts"]))
        _check_names(args, accounts)
        customer = {key: _normalize_document(key, value) for key, value in args.get("customer_policies", {}).items()}
        inline = {key: _normalize_document(key, value) for key, value in args.get("inline_policies", {}).items()}
        tags = {**args.get("tags", {}), **get_ownership_tags()}
        role = aws.iam.Role(
            f"{name}-role",
            name=role_checks.validate_role_name(args["role_name"]),
            assume_role_policy=_build_trust_policy(args, accounts),
            path=role_checks.validate_path(args["path"]) if "path" in args else None,
            permissions_boundary=validate_input(args["permissions_boundary"], parse_policy_arn, "permissions_boundary")
            if "permissions_boundary" in args
            else None,
            max_session_duration=_get_session_duration(args),
            description=role_checks.validate_description(args["description"]) if "description" in args else None,
            force_detach_policies=args.get("force_detach_policies"),
            tags=tags,
            opts=child_options(
                self,
                hooks=ResourceHookBinding.merge(
                    reject_existing_resource(f"{name}-role", self._existing_hint, self),
                    self._warn_about_unmanaged_policies(name, args),
                ),
            ),
        )
        self.attachments = [
            *attach_policies(self, name, role, args.get("managed_policies", [])),
            *self._attach_by_arn(name, role, _validate_policy_arns(args)),
            *self._create_customer_policies(name, role, customer, args, tags),
        ]
        self.inline_policies = self._create_inline_policies(name, role, inline)
        if args.get("exclusive_policies", False):
            self._create_exclusive_lists(name, role)
        associations = self._create_associations(name, role, args, accounts, tags)
        # A pod that assumes the role needs its policies.
        dependencies = [*self.policies, *associations]
        self.arn, self.name = defer(role.arn, dependencies), defer(role.name, dependencies)
        self.register_outputs({"arn": self.arn, "name": self.name})

    @property
    def policies(self) -> list[Resource]:
        """Attachments and inline policies of the role; `arn` and `name` depend on them."""
        return [*self.attachments, *self.inline_policies]

    def _warn_about_unmanaged_policies(self, name: str, args: IrsaRoleArgs) -> ResourceHookBinding:
        if args.get("exclusive_policies", False):
            return ResourceHookBinding()
        path = args.get("path", "/").strip("/")
        customer = [f"{path}/{key}" if path else key for key in args.get("customer_policies", {})]
        return warn_about_unmanaged_policies(
            f"{name}-role",
            self,
            policies=[*args.get("managed_policies", []), *customer],
            arns=[*args.get("policy_arns", {}).values()],
            inline=[*args.get("inline_policies", {})],
        )

    def _create_exclusive_lists(self, name: str, role: aws.iam.Role) -> None:
        aws.iam.RolePolicyAttachmentsExclusive(
            f"{name}-only-attachments",
            role_name=role.name,
            policy_arns=[each.policy_arn for each in self.attachments],
            opts=child_options(self),
        )
        aws.iam.RolePoliciesExclusive(
            f"{name}-only-inline-policies",
            role_name=role.name,
            policy_names=[each.name for each in self.inline_policies],
            opts=child_options(self),
        )

    def _attach_by_arn(
        self, name: str, role: aws.iam.Role, arns: dict[str, Input[str]]
    ) -> list[aws.iam.RolePolicyAttachment]:
        return [
            aws.iam.RolePolicyAttachment(f"{name}-{key}", role=role.name, policy_arn=arn, opts=child_options(self))
            for key, arn in arns.items()
        ]

    def _create_customer_policies(
        self,
        name: str,
        role: aws.iam.Role,
        documents: dict[str, Output[str]],
        args: IrsaRoleArgs,
        tags: dict[str, Input[str]],
    ) -> list[aws.iam.RolePolicyAttachment]:
        attachments: list[aws.iam.RolePolicyAttachment] = []
        for key, document in documents.items():
            policy = aws.iam.Policy(
                f"{name}-{key}",
                name=key,
                path=args.get("path"),
                policy=document.apply(lambda known, key=key: _validate_customer_policy(key, known)),
                tags=tags,
                opts=child_options(
                    self,
                    hooks=reject_existing_resource(
                        f"{name}-{key}-policy", "IrsaRole with its ARN in managed_policies", self
                    ),
                ),
            )
            attachments += self._attach_by_arn(name, role, {key: policy.arn})
        return attachments

    def _create_inline_policies(
        self, name: str, role: aws.iam.Role, documents: dict[str, Output[str]]
    ) -> list[aws.iam.RolePolicy]:
        # IAM limits their total length, so each one waits until all are known.
        checked: Output[dict[str, str]] = Output.all(Output.from_input(documents)).apply(_validate_inline_policies)
        return [
            aws.iam.RolePolicy(
                f"{name}-{key}",
                name=key,
                role=role.name,
                policy=checked.apply(lambda known, key=key: known[key]),
                opts=child_options(self),
            )
            for key in documents
        ]

    def _create_associations(
        self,
        name: str,
        role: aws.iam.Role,
        args: IrsaRoleArgs,
        accounts: Sequence[tuple[str, str]],
        tags: dict[str, Input[str]],
    ) -> list[aws.eks.PodIdentityAssociation]:
        associations: list[aws.eks.PodIdentityAssociation] = []
        if not args.get("associate", True):
            return associations
        aliased: set[str] = set()
        for label, cluster_arn in args.get("pod_identity_clusters", {}).items():
            for namespace, account in accounts:
                # Names with slashes are unique, because neither part contains one. Earlier names with dashes were not:
                # the first association with such a name gets the alias.
                key, old_name = f"{name}-{label}/{namespace}/{account}", f"{name}-{label}-{namespace}-{account}"
                aliases = [] if old_name in aliased else [Alias(name=old_name)]
                aliased.add(old_name)
                association = aws.eks.PodIdentityAssociation(
                    key,
                    cluster_name=Output.from_input(cluster_arn).apply(lambda arn: arn.rsplit("/", 1)[-1]),
                    namespace=namespace,
                    service_account=account,
                    role_arn=role.arn,
                    tags=tags,
                    opts=child_options(
                        self,
                        aliases=aliases,
                        # Pods use the role's policies as soon as the association exists. The ARN alone does not make
                        # the association wait for them.
                        depends_on=self.policies,
                        hooks=reject_existing_resource(key, "IrsaRole with associate=False", self),
                    ),
                )
                associations.append(association)
        return associations


def _reject_output_policies(args: object) -> None:
    """Raise ValueError for an Output in `managed_policies`, and propose `policy_arns`."""
    policies = args.get("managed_policies") if isinstance(args, Mapping) else None
    if isinstance(policies, list) and any(isinstance(policy, Output) for policy in policies):
        msg = (
            "managed_policies has an output of another resource, and the name of an attachment must be known at "
            "preview: name it yourself in policy_arns, as in {'policy_arns': {'orders': policy.arn}}"
        )
        raise ValueError(msg)


def _check_names(args: IrsaRoleArgs, accounts: Sequence[tuple[str, str]]) -> None:
    arns = args.get("policy_arns", {})
    role_checks.validate_policy_names(
        args.get("managed_policies", []),
        [*args.get("customer_policies", {}), *arns],
        args.get("inline_policies", {}),
    )
    boundary = {"permissions_boundary": args["permissions_boundary"]} if "permissions_boundary" in args else {}
    for label, arn in {**boundary, **{f"policy_arns[{key!r}]": arn for key, arn in arns.items()}}.items():
        if isinstance(arn, str):
            parse_policy_arn(arn, label)
    if args.get("pod_identity_clusters") and args.get("associate", True):
        role_checks.reject_wildcard_names(accounts)


def _get_session_duration(args: IrsaRoleArgs) -> int | None:
    return (
        role_checks.validate_session_duration(args["max_session_duration"]) if "max_session_duration" in args else None
    )


def _normalize_document(key: str, document: Any) -> Output[str]:  # noqa: ANN401 - an object, JSON text, or an Output of either
    what = f"policy {key}"
    return apply_redacted(Output.from_input(document), lambda known: normalize_permission_policy(known, what), what)


def _validate_policy_arns(args: IrsaRoleArgs) -> dict[str, Input[str]]:
    return {
        key: validate_input(arn, parse_policy_arn, f"policy_arns[{key!r}]")
        for key, arn in args.get("policy_arns", {}).items()
    }


def _validate_customer_policy(name: str, document: str) -> str:
    check_customer_policy(name, document)
    return document


def _validate_inline_policies(known: list[dict[str, str]]) -> dict[str, str]:
    (documents,) = known
    check_inline_policies(documents)
    return documents


def _build_trust_policy(args: IrsaRoleArgs, accounts: Sequence[tuple[str, str]]) -> Output[str]:
    """Return the trust policy as an Output that waits for issuers, providers and cluster ARNs."""
    pod_identity_arns = args.get("pod_identity_clusters", {})
    clusters = [*args.get("clusters", [])]
    if role_checks.has_issuer_and_provider({**args}, pod_identity=bool(pod_identity_arns)):
        clusters.insert(0, {"issuer": args["issuer"], "provider_arn": args["provider_arn"]})
    audience = role_checks.validate_audience(args.get("audience", STS_AUDIENCE))
    subjects = [format_subject(namespace, account) for namespace, account in accounts]

    def build_document(known: Sequence[Any], *, complete: bool = True) -> str:
        trusted, arns = known
        statements: list[Statement] = []
        for cluster in trusted:
            statements += build_web_identity_statements(cluster["provider_arn"], cluster["issuer"], subjects, audience)
        for arn in arns:
            statements += build_pod_identity_statements(arn, accounts)
        return build_trust_policy(statements, complete=complete)

    # The issuer of a new cluster is known only at the update. All other values are checked now, at preview.
    shortest = [fill_unknown_cluster(cluster["issuer"], cluster["provider_arn"]) for cluster in clusters]
    arns = [arn if isinstance(arn, str) else SHORTEST_CLUSTER_ARN for arn in pod_identity_arns.values()]
    build_document([shortest, arns], complete=[*shortest, *arns] == [*clusters, *pod_identity_arns.values()])
    return apply_redacted(
        Output.all(clusters, list(pod_identity_arns.values())), build_document, "a cluster that the role trusts"
    )
