"""An IAM role for service accounts of a cluster."""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, ClassVar

import pulumi_aws as aws
from pulumi import Alias, ComponentResource, Input, Output, Resource, ResourceHookBinding, ResourceOptions

from eks_rocketmq.args.arg_schema import validate_args
from eks_rocketmq.args.argument_path import ARGS, ArgumentPath
from eks_rocketmq.args.aws_identifiers import (
    STS_AUDIENCE,
    format_subject,
    parse_issuer_host,
    parse_oidc_provider_arn,
    parse_policy_arn,
)
from eks_rocketmq.args.aws_tags import validate_tags
from eks_rocketmq.args.errors import ArgumentError
from eks_rocketmq.eks.account.aws_create_checks import reject_existing_resource
from eks_rocketmq.eks.iam import role_checks
from eks_rocketmq.eks.iam.irsa_role_args import IrsaRoleArgs
from eks_rocketmq.eks.iam.policy_documents import (
    SHORTEST_CLUSTER_ARN,
    Statement,
    build_pod_identity_statements,
    build_secret_mismatch_error,
    build_secret_size_error,
    build_trust_policy,
    build_web_identity_statements,
    fill_unknown_cluster,
    normalize_permission_policy,
    validate_customer_policy,
    validate_inline_policies,
)
from eks_rocketmq.eks.iam.role_preflight import warn_about_unmanaged_policies
from eks_rocketmq.eks.iam.service_role import attach_policies
from eks_rocketmq.lookups.create_checks import get_ownership_tags
from eks_rocketmq.pulumi_sdk.component import (
    apply_redacted,
    child_options,
    defer,
    spell_argument,
    type_token,
    validate_input,
    validate_optional_input,
)
from eks_rocketmq.pulumi_sdk.documentation import documented


@documented
class IrsaRole(ComponentResource):
    """An IAM role that only the named service accounts can assume, with the audience `sts.amazonaws.com`.

    Creates the role, its customer and inline policies, an attachment for each managed policy, and the associations of
    EKS Pod Identity. An invalid value raises a ValueError at preview, or a RunError as soon as it is known if it is an
    output. Rejected are:

    - a role without a service account or without a cluster
    - a name that Kubernetes or IAM does not accept
    - a wildcard in a namespace or in the audience
    - a malformed issuer, or an issuer of another cluster than that of the provider
    - documents that are too long
    """

    _exclusive_policies: ClassVar[ArgumentPath | None] = ARGS / "exclusive_policies"
    """Argument of the caller. None: the component that creates this role has no such argument."""
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
        validate_tags(args.get("tags", {}), ARGS / "tags", added=1)
        accounts = _parse_service_accounts(args)
        _validate_names(args, accounts)
        arns = _validate_policy_arns(args)
        customer = _normalize_documents(args.get("customer_policies", {}), ARGS / "customer_policies")
        inline = _normalize_documents(args.get("inline_policies", {}), ARGS / "inline_policies")
        tags = {**args.get("tags", {}), **get_ownership_tags()}
        role = aws.iam.Role(
            f"{name}-role",
            name=role_checks.validate_role_name(args["role_name"]),
            assume_role_policy=_build_trust_policy(args, accounts),
            path=role_checks.validate_path(args["path"]) if "path" in args else None,
            permissions_boundary=validate_optional_input(args, "permissions_boundary", parse_policy_arn),
            max_session_duration=role_checks.validate_session_duration(args["max_session_duration"])
            if "max_session_duration" in args
            else None,
            description=role_checks.validate_description(args["description"]) if "description" in args else None,
            force_detach_policies=args.get("force_detach_policies"),
            tags=tags,
            opts=child_options(
                self,
                hooks=ResourceHookBinding.merge(
                    reject_existing_resource(f"{name}-role", self._describe_existing(), self),
                    self._warn_about_unmanaged_policies(name, args),
                ),
            ),
        )
        self.attachments = [
            *attach_policies(self, name, role, args.get("managed_policies", []), self._create_policy_hooks),
            *self._attach_by_arn(name, role, arns),
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

    def _create_policy_hooks(self, key: str, name: str) -> ResourceHookBinding | None:  # noqa: ARG002 - for subclasses
        """Return the hooks of an inline policy or of the attachment of an AWS managed policy.

        `key` is the key of the inline policy, or the name of the managed policy without its path.
        """
        return None

    def _describe_existing(self) -> str:
        """Return how to use an existing role without managing it, as an instruction."""
        return "use its ARN, and leave this component out"

    def _warn_about_unmanaged_policies(self, name: str, args: IrsaRoleArgs) -> ResourceHookBinding:
        if args.get("exclusive_policies", False):
            return ResourceHookBinding()
        path = args.get("path", "/").strip("/")
        customer = [f"{path}/{key}" if path else key for key in args.get("customer_policies", {})]
        return warn_about_unmanaged_policies(
            f"{name}-role",
            self,
            policies=[*args.get("managed_policies", []), *customer, *args.get("policy_arns", {}).values()],
            inline=[*args.get("inline_policies", {})],
            exclusive=self._exclusive_policies,
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
            path = (ARGS / "customer_policies").key(key)
            policy = aws.iam.Policy(
                f"{name}-{key}",
                name=key,
                path=args.get("path"),
                policy=apply_redacted(
                    document, lambda known, path=path: validate_customer_policy(known, path), path, str
                ),
                tags=tags,
                opts=child_options(
                    self,
                    hooks=reject_existing_resource(
                        f"{name}-{key}-policy", f"add its ARN to {spell_argument(ARGS / 'managed_policies')}", self
                    ),
                ),
            )
            attachments += self._attach_by_arn(name, role, {key: policy.arn})
        return attachments

    def _create_inline_policies(
        self, name: str, role: aws.iam.Role, documents: dict[str, Output[str]]
    ) -> list[aws.iam.RolePolicy]:
        # IAM limits their total length, so each one waits until all are known.
        known_documents: Output[Any] = Output.from_input(documents)
        checked = apply_redacted(known_documents, validate_inline_policies, ARGS / "inline_policies", Any)
        return [
            aws.iam.RolePolicy(
                f"{name}-{key}",
                name=key,
                role=role.name,
                policy=checked.apply(lambda known, key=key: known[key]),
                opts=child_options(self, hooks=self._create_policy_hooks(key, f"{name}-{key}")),
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
            for namespace, account in dict.fromkeys(accounts):
                # Names with slashes are unique, because neither part contains one. Earlier names with dashes were not:
                # the first association with such a name gets the alias.
                key, old_name = f"{name}-{label}/{namespace}/{account}", f"{name}-{label}-{namespace}-{account}"
                aliases = [] if old_name in aliased else [Alias(name=old_name)]
                aliased.add(old_name)
                association = aws.eks.PodIdentityAssociation(
                    key,
                    cluster_name=apply_redacted(
                        Output.from_input(cluster_arn),
                        lambda arn: arn.rsplit("/", 1)[-1],
                        (ARGS / "pod_identity_clusters").key(label),
                        str,
                    ),
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
                        hooks=reject_existing_resource(key, f"set {spell_argument(ARGS / 'associate')} to false", self),
                    ),
                )
                associations.append(association)
        return associations


def _reject_output_policies(args: object) -> None:
    """Raise ValueError for an Output in `managed_policies`, and propose `policy_arns`."""
    policies = args.get("managed_policies") if isinstance(args, Mapping) else None
    if isinstance(policies, list) and any(isinstance(policy, Output) for policy in policies):
        raise ArgumentError(
            ARGS / "managed_policies",
            "managed-policy-output",
            "the list has an output of another resource, but the names of attachments must be known at preview",
            remedy="Give the ARN in {other}, with a name of your choice as its key",
            other=ARGS / "policy_arns",
        )


def _parse_service_accounts(args: IrsaRoleArgs) -> list[tuple[str, str]]:
    path = ARGS / "service_accounts"
    return [
        role_checks.parse_service_account({**account}, path.index(index, account))
        for index, account in enumerate(args["service_accounts"])
    ]


def _validate_names(args: IrsaRoleArgs, accounts: Sequence[tuple[str, str]]) -> None:
    role_checks.validate_policy_names(
        args.get("managed_policies", []),
        [
            *((key, ARGS / "customer_policies") for key in args.get("customer_policies", {})),
            *((key, ARGS / "policy_arns") for key in args.get("policy_arns", {})),
        ],
        [(key, ARGS / "inline_policies") for key in args.get("inline_policies", {})],
    )
    if args.get("pod_identity_clusters") and args.get("associate", True):
        role_checks.reject_wildcard_names(accounts)


def _normalize_documents(documents: Mapping[str, Any], path: ArgumentPath) -> dict[str, Output[str]]:
    """Return documents (objects, JSON texts, or Outputs of either) as compact JSON."""

    def normalize(document: Any, path: ArgumentPath) -> Output[str]:  # noqa: ANN401 - as above
        output: Output[Any] = Output.from_input(document)
        return apply_redacted(output, lambda known: normalize_permission_policy(known, path), path, Any)

    return {key: normalize(document, path.key(key)) for key, document in documents.items()}


def _validate_policy_arns(args: IrsaRoleArgs) -> dict[str, Input[str]]:
    return {
        key: validate_input(arn, parse_policy_arn, (ARGS / "policy_arns").key(key))
        for key, arn in args.get("policy_arns", {}).items()
    }


def _build_trust_policy(args: IrsaRoleArgs, accounts: Sequence[tuple[str, str]]) -> Output[str]:
    """Return the trust policy as an Output that waits for issuers, providers and cluster ARNs."""
    pod_identity, listed = ARGS / "pod_identity_clusters", ARGS / "clusters"
    arns = {pod_identity.key(label): arn for label, arn in args.get("pod_identity_clusters", {}).items()}
    clusters = {listed.index(index): cluster for index, cluster in enumerate(args.get("clusters", []))}
    if role_checks.has_issuer_and_provider({**args}, pod_identity=bool(arns)):
        clusters = {ARGS: {"issuer": args["issuer"], "provider_arn": args["provider_arn"]}, **clusters}
    audience = role_checks.validate_audience(args.get("audience", STS_AUDIENCE))
    subjects = [format_subject(namespace, account) for namespace, account in accounts]

    def trust_tokens(cluster: Mapping[str, Any], path: ArgumentPath) -> list[Statement]:
        return build_web_identity_statements(cluster["provider_arn"], cluster["issuer"], subjects, audience, path)

    def trust_pods(arn: str, path: ArgumentPath) -> list[Statement]:
        return build_pod_identity_statements(arn, accounts, path)

    # The issuer of a new cluster is known only at the update. All other values are checked now, at preview.
    shortest = {
        path: fill_unknown_cluster(cluster["issuer"], cluster["provider_arn"], path)
        for path, cluster in clusters.items()
    }
    shortest_arns = {path: arn if isinstance(arn, str) else SHORTEST_CLUSTER_ARN for path, arn in arns.items()}
    statements = [
        *(trust_tokens(cluster, path) for path, cluster in shortest.items()),
        *(trust_pods(arn, path) for path, arn in shortest_arns.items()),
    ]
    complete = (shortest, shortest_arns) == (clusters, arns)
    build_trust_policy(chain.from_iterable(statements), complete=complete)
    awaited = [
        *(
            apply_redacted(
                _validate_cluster(cluster, path),
                lambda known, path=path: trust_tokens(known, path),
                path / "provider_arn",
                Any,
                secret_error=build_secret_mismatch_error(path),
            )
            for path, cluster in clusters.items()
        ),
        *(
            apply_redacted(Output.from_input(arn), lambda known, path=path: trust_pods(known, path), path, str)
            for path, arn in arns.items()
        ),
    ]
    return apply_redacted(
        Output.all(*awaited),
        lambda known: build_trust_policy(chain.from_iterable(known)),
        ARGS / "service_accounts",
        Any,
        secret_error=build_secret_size_error(),
    )


def _validate_cluster(cluster: Mapping[str, Any], path: ArgumentPath) -> Output[dict[str, str]]:
    """Return issuer and provider of a cluster. Each of them is valid. The provider may have another issuer."""
    known: Output[Any] = Output.all(
        issuer=validate_input(cluster["issuer"], parse_issuer_host, path / "issuer"),
        provider_arn=validate_input(cluster["provider_arn"], parse_oidc_provider_arn, path / "provider_arn"),
    )
    return known
