"""IAM OIDC provider of a cluster."""

import pulumi_aws as aws
from pulumi import ComponentResource, Input, InvokeOptions, Output, ResourceOptions, RunError

from eks_rocketmq.args.arg_schema import validate_args
from eks_rocketmq.args.argument_path import ARGS
from eks_rocketmq.args.aws_identifiers import STS_AUDIENCE, build_oidc_provider_arn, parse_issuer_host
from eks_rocketmq.args.validation import reject_ignored_args
from eks_rocketmq.eks.account import aws_account
from eks_rocketmq.eks.account.aws_create_checks import (
    HANDOVER,
    reject_existing_resource,
    reject_managed_resource,
)
from eks_rocketmq.eks.account.provider_functions import format_call, invoke_function
from eks_rocketmq.eks.iam import role_checks
from eks_rocketmq.eks.iam.oidc_provider_args import ClusterOidcProviderArgs
from eks_rocketmq.lookups.create_checks import get_ownership_tags
from eks_rocketmq.pulumi_sdk.component import (
    apply_redacted,
    child_options,
    collect_outputs,
    defer,
    spell_argument,
    type_token,
    validate_input,
)
from eks_rocketmq.pulumi_sdk.documentation import documented


@documented
class ClusterOidcProvider(ComponentResource):
    """The IAM OIDC provider of a cluster, which service accounts need to assume roles.

    IAM accepts one provider per URL and account. Its ARN follows from the issuer and is known at preview. A malformed
    issuer, an audience with a wildcard, and a malformed fingerprint are rejected. An invalid value raises a ValueError
    at preview, or a RunError as soon as it is known if it is an output.
    """

    arn: Output[str]
    """ARN of the provider, the `Federated` principal of trust policies."""
    issuer: Output[str]
    """Issuer URL, with `https://`."""

    def __init__(self, name: str, args: ClusterOidcProviderArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__(type_token("ClusterOidcProvider"), name, {}, opts)
        validate_args(args, ClusterOidcProviderArgs)
        issuer = validate_input(args["issuer"], parse_issuer_host, ARGS / "issuer")
        self.issuer = Output.from_input(issuer)
        if args.get("existing", False):
            ignored = ("thumbprints", "tags")
            reject_ignored_args({**args}, ignored, ARGS, ARGS / "existing", "uses the provider unchanged")
            self.arn = apply_redacted(
                self.issuer, lambda issuer: self._read_provider(issuer, _list_audiences(args)), ARGS / "issuer", str
            )
        else:
            provider = self._create_provider(name, args, issuer)
            # The output `arn` of the resource is unknown at preview, and would make every trust policy unknown.
            arn = Output.all(aws_account.get_caller_arn(self), issuer).apply(
                lambda known: build_oidc_provider_arn(*known)
            )
            self.arn, self.issuer = defer(arn, [provider]), defer(self.issuer, [provider])
        self.register_outputs(collect_outputs(self, ClusterOidcProvider))

    def _read_provider(self, issuer: str, audiences: list[str]) -> str:
        """Return the ARN of the account's existing provider.

        Raise RunError if the provider does not exist, or does not accept an audience. No service account could assume a
        role then. Raise ValueError if this stack manages the provider.
        """
        provider = invoke_function(
            lambda: aws.iam.get_open_id_connect_provider(url=issuer, opts=InvokeOptions(parent=self)),
            format_call("aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider", url=issuer),
            f"the IAM OIDC provider of {issuer} cannot be read",
            "arn",
            "client_id_lists",
            hint=f"If the account has none, leave {spell_argument(ARGS / 'existing')} out. The stack then creates it.",
        )
        reject_managed_resource(f"IAM OIDC provider {provider.arn}", provider.tags, "the provider", HANDOVER)
        # They load the catalogue of the doctor, which only an existing provider needs.
        from eks_rocketmq.doctor.checks.identity_checks import judge_provider_audience  # noqa: PLC0415
        from eks_rocketmq.doctor.facts.cluster_facts import OidcProviderFacts  # noqa: PLC0415

        facts = OidcProviderFacts(provider.arn, tuple(provider.client_id_lists))
        for audience in audiences:
            if finding := judge_provider_audience(facts, audience):
                msg = (
                    f"IAM OIDC provider {provider.arn} does not accept the audience {audience}, so no role could be "
                    f"assumed ({finding.id_}). It has {finding.is_}. Run `{finding.commands[0]}`, or let this stack "
                    "manage the provider"
                )
                raise RunError(msg)
        return provider.arn

    def _create_provider(
        self, name: str, args: ClusterOidcProviderArgs, issuer: Input[str]
    ) -> aws.iam.OpenIdConnectProvider:
        role_checks.validate_provider(args)
        return aws.iam.OpenIdConnectProvider(
            f"{name}-provider",
            url=issuer,
            client_id_lists=_list_audiences(args),
            thumbprint_lists=args.get("thumbprints"),
            tags={**args.get("tags", {}), **get_ownership_tags()},
            opts=child_options(
                self,
                hooks=reject_existing_resource(
                    f"{name}-provider",
                    f"set {spell_argument(ARGS / 'existing')} to true",
                    self,
                ),
            ),
        )


def _list_audiences(args: ClusterOidcProviderArgs) -> list[str]:
    return list(dict.fromkeys([STS_AUDIENCE, *args.get("client_ids", [])]))
