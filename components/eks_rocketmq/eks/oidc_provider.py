"""The account's trust in the tokens of a cluster."""

from typing import NotRequired, TypedDict

import pulumi_aws as aws
from pulumi import ComponentResource, Input, InvokeOptions, Output, ResourceOptions, RunError

from eks_rocketmq.component import after, checked, child_options, type_token
from eks_rocketmq.documentation import documented
from eks_rocketmq.eks import account, role_checks
from eks_rocketmq.eks.asking import ask, call
from eks_rocketmq.eks.policy_documents import STS_AUDIENCE, issuer_host, oidc_provider_arn
from eks_rocketmq.eks.preflight import refuse_existing
from eks_rocketmq.preflight import ownership_tags
from eks_rocketmq.shape import hold
from eks_rocketmq.validation import refuse_beside


class ClusterOidcProviderArgs(TypedDict):
    """Whose tokens the account trusts."""

    issuer: Input[str]
    """Issuer of the cluster, verbatim from DescribeCluster, with `https://`. Changing it replaces the provider."""
    client_ids: NotRequired[list[str]]
    """Audiences beside `sts.amazonaws.com`, which is always accepted, up to 100 together; default: none. Each is
    matched exactly: a wildcard is refused."""
    thumbprints: NotRequired[list[str]]
    """SHA-1 fingerprints of the issuer's CA, 40 hexadecimal digits, up to 5; default: none, AWS does not need them for
    EKS. Once set they cannot be taken away again."""
    existing: NotRequired[bool]
    """Use the provider that the account already has, without managing it; default: False, create it. One that does not
    accept the audiences is refused."""
    tags: NotRequired[dict[str, Input[str]]]
    """Tags of the provider; default: only the stack's own mark."""


@documented
class ClusterOidcProvider(ComponentResource):
    """Registers the cluster's issuer as an IAM OIDC provider, without which no service account can take a role.

    IAM accepts one provider for a URL and account, so its ARN follows from the issuer and is known at preview. A
    malformed issuer, an audience with a wildcard, and what is no fingerprint are refused with a ValueError.
    """

    arn: Output[str]
    """ARN of the provider, the `Federated` principal of trust policies."""
    issuer: Output[str]
    """Issuer URL, with `https://`."""

    def __init__(self, name: str, args: ClusterOidcProviderArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__(type_token("ClusterOidcProvider"), name, {}, opts)
        hold(args, ClusterOidcProviderArgs)
        issuer = checked(args["issuer"], issuer_host, "issuer")
        self.issuer = Output.from_input(issuer)
        if args.get("existing", False):
            refuse_beside({**args}, ("thumbprints", "tags"), "existing True, which uses the provider as it is")
            self.arn = self.issuer.apply(lambda issuer: self._read(issuer, _audiences(args)))
        else:
            provider = self._create(name, args, issuer)
            # The provider's own `arn` is unknown until it is made, and with it every trust policy at preview.
            arn = Output.all(account.caller_arn(self), issuer).apply(lambda known: oidc_provider_arn(*known))
            self.arn, self.issuer = after(arn, [provider]), after(self.issuer, [provider])
        self.register_outputs({"arn": self.arn, "issuer": self.issuer})

    def _read(self, issuer: str, audiences: list[str]) -> str:
        """ARN of the provider that the account has.

        Raises:
            RunError: when it has none, or one that refuses an audience: no service account could take a role.
        """
        found = ask(
            lambda: aws.iam.get_open_id_connect_provider(url=issuer, opts=InvokeOptions(parent=self)),
            call("aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider", url=issuer),
            f"the IAM OIDC provider of {issuer} cannot be read",
            "arn",
            "client_id_lists",
            hint="If the account has none, let this stack make it: `oidcProvider: create` (existing=False).",
        )
        for audience in audiences:
            if audience not in found.client_id_lists:
                msg = (
                    f"IAM OIDC provider {found.arn} does not accept the audience {audience}, but "
                    f"{', '.join(found.client_id_lists) or 'none'}; no role could be taken. Add it with `aws iam "
                    f"add-client-id-to-open-id-connect-provider --open-id-connect-provider-arn {found.arn} --client-id "
                    f"{audience}`, or let this stack manage the provider"
                )
                raise RunError(msg)
        return found.arn

    def _create(self, name: str, args: ClusterOidcProviderArgs, issuer: Input[str]) -> aws.iam.OpenIdConnectProvider:
        audiences = _audiences(args)
        role_checks.provider_audiences(audiences[1:])
        role_checks.thumbprints(args.get("thumbprints", []))
        return aws.iam.OpenIdConnectProvider(
            f"{name}-provider",
            url=issuer,
            client_id_lists=audiences,
            thumbprint_lists=args.get("thumbprints"),
            tags={**args.get("tags", {}), **ownership_tags()},
            opts=child_options(
                self,
                hooks=refuse_existing(
                    f"{name}-provider",
                    "ClusterOidcProvider with existing=True (the program's setting `oidcProvider: existing`)",
                    self,
                ),
            ),
        )


def _audiences(args: ClusterOidcProviderArgs) -> list[str]:
    return list(dict.fromkeys([STS_AUDIENCE, *args.get("client_ids", [])]))
