"""IAM policy documents as data. Pure: without a Pulumi provider, so tests can evaluate the documents."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from eks_rocketmq.args import aws_identifiers
from eks_rocketmq.args.argument_path import ARGS, ArgumentPath, Names
from eks_rocketmq.args.aws_identifiers import STS_AUDIENCE, parse_issuer_host
from eks_rocketmq.args.errors import ArgumentError
from eks_rocketmq.args.validation import validate_choice

TRUST_POLICY_LIMIT = 2048
"""Characters (white space not counted) that IAM accepts in a trust policy unless the account's quota was raised."""
INLINE_POLICIES_LIMIT = 10_240
"""Characters (white space not counted) that IAM accepts in all inline policies of a role together."""
CUSTOMER_POLICY_LIMIT = 6_144
"""Characters (white space not counted) that IAM accepts in a customer managed policy."""

Statement = dict[str, Any]

_VERSION = "2012-10-17"
# No region has a shorter name than us-east-1.
_SHORTEST_ISSUER = f"https://oidc.eks.us-east-1.amazonaws.com/id/{'0' * 32}"
_SHORTEST_PROVIDER_PREFIX = f"arn:aws:iam::{'0' * 12}:oidc-provider/"
SHORTEST_CLUSTER_ARN = f"arn:aws:eks:us-east-1:{'0' * 12}:cluster/a"
"""ARN of minimum length, for clusters whose ARN is not known yet."""
_ELEMENTS = frozenset({"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"})


def has_wildcard(name: str) -> bool:
    """Return whether `StringLike` treats the name as a pattern."""
    return "*" in name or "?" in name


def build_web_identity_statements(
    provider_arn: str,
    issuer: str,
    subjects: Iterable[str],
    audience: str = STS_AUDIENCE,
    path: ArgumentPath = ARGS,
) -> list[Statement]:
    """Return statements that let service accounts of one cluster assume a role with their tokens (IRSA).

    The conditions fix subject and audience. Without the audience, a token for another service would be accepted. The
    condition keys contain the issuer without `https://`; with `https://` they match no token. Subjects with a wildcard
    get their own statement, so that the other subjects and the audience are matched exactly.

    Raise ValueError for a malformed issuer, or a provider of another issuer. No token would match that provider.

    Args:
        issuer: issuer URL of the cluster, with `https://`.
        subjects: `sub` values, see `format_subject`; `*` and `?` match as in `StringLike`.
        audience: exact `aud` value.
        path: path of the cluster in errors.
    """
    host = parse_issuer_host(issuer, path / "issuer")
    provider_host = _parse_provider_host(provider_arn, path)
    if provider_host != host:
        raise ArgumentError(
            path / "provider_arn",
            "provider-of-another-issuer",
            "the provider is for {given!r} and {other} is {issuer!r}, so IAM would accept no token",
            remedy="Take both from the same cluster",
            given=provider_host,
            other=path / "issuer",
            issuer=issuer,
        )
    allowed = sorted(set(subjects))
    exact = [subject for subject in allowed if not has_wildcard(subject)]
    patterns = [subject for subject in allowed if has_wildcard(subject)]
    conditions: list[Statement] = []
    if exact:
        conditions.append({"StringEquals": {f"{host}:aud": audience, f"{host}:sub": _unwrap_single(exact)}})
    if patterns:
        conditions.append(
            {"StringEquals": {f"{host}:aud": audience}, "StringLike": {f"{host}:sub": _unwrap_single(patterns)}}
        )
    return [
        {
            "Effect": "Allow",
            "Principal": {"Federated": provider_arn},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": condition,
        }
        for condition in conditions
    ]


def build_pod_identity_statements(
    cluster_arn: str, accounts: Iterable[tuple[str, str]], path: ArgumentPath = ARGS / "pod_identity_clusters"
) -> list[Statement]:
    """Return statements that let EKS Pod Identity assume a role for service accounts of one cluster.

    The service principal is the same for all clusters and accounts. The conditions therefore fix account, cluster,
    namespace and name through the session tags of EKS
    (https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html). These statements reject an association that
    disables session tags.

    `accounts` are namespace and name of each service account. `*` and `?` in a name match as in `StringLike`. `path` is
    the path of the cluster in errors. Raise ValueError if `cluster_arn` is not the ARN of a cluster.
    """
    account = aws_identifiers.parse_cluster_arn(cluster_arn, path).account
    names: defaultdict[tuple[str, bool], set[str]] = defaultdict(set)
    for namespace, name in accounts:
        names[namespace, has_wildcard(name)].add(name)
    statements = []
    for (namespace, patterns), account_names in sorted(names.items()):
        equals = {
            "aws:SourceAccount": account,
            "aws:RequestTag/eks-cluster-arn": cluster_arn,
            "aws:RequestTag/kubernetes-namespace": namespace,
        }
        pinned = {"aws:RequestTag/kubernetes-service-account": _unwrap_single(sorted(account_names))}
        condition = {"StringEquals": equals, "StringLike": pinned} if patterns else {"StringEquals": equals | pinned}
        statements.append(
            {
                "Effect": "Allow",
                "Principal": {"Service": "pods.eks.amazonaws.com"},
                "Action": ["sts:AssumeRole", "sts:TagSession"],
                "Condition": condition,
            }
        )
    return statements


def build_secret_mismatch_error(path: ArgumentPath) -> ArgumentError:
    """Return the error for a provider of another issuer if one of the two is secret.

    `path` is the path of the cluster in errors.
    """
    return ArgumentError(
        path / "provider_arn",
        "secret-provider-of-another-issuer",
        "the provider is not that of {other}, so IAM would accept no token. A value is secret, so the error shows none",
        remedy="Take both from the same cluster",
        other=path / "issuer",
    )


def build_secret_size_error() -> ArgumentError:
    """Return the error for a trust policy that is too long if an issuer or an ARN in it is secret."""
    return ArgumentError(
        ARGS / "service_accounts",
        "secret-trust-policy-size",
        "the trust policy of these service accounts is too long. An issuer or an ARN in it is secret, so the error "
        "does not show the length",
        accepted="up to {most} characters, not counting white space",
        remedy="Divide the service accounts and clusters among several roles",
        most=TRUST_POLICY_LIMIT,
    )


def fill_unknown_cluster(issuer: object, provider: object, path: ArgumentPath) -> dict[str, str]:
    """Return issuer and provider of an EKS cluster, with values of minimum length in place of unknown ones.

    Raise ValueError for a malformed provider, or for a malformed issuer if the provider is unknown.

    Args:
        issuer: issuer URL, or an Output of it.
        provider: ARN of the cluster's provider, or an Output of it.
        path: path of the cluster in errors.
    """
    if isinstance(provider, str):
        host = _parse_provider_host(provider, path)
        return {"issuer": issuer if isinstance(issuer, str) else f"https://{host}", "provider_arn": provider}
    issuer_url = issuer if isinstance(issuer, str) else _SHORTEST_ISSUER
    host = parse_issuer_host(issuer_url, path / "issuer")
    return {"issuer": issuer_url, "provider_arn": _SHORTEST_PROVIDER_PREFIX + host}


def build_trust_policy(statements: Iterable[Statement], *, complete: bool = True) -> str:
    """Return the trust policy (JSON) of a role.

    `complete` tells whether all values are known. Otherwise the length is a minimum, and the error says so. Raise
    ValueError if there is no statement, or the document is longer than `TRUST_POLICY_LIMIT` characters.
    """
    listed = list(statements)
    if not listed:
        raise ArgumentError(
            ARGS / "service_accounts",
            "no-service-account",
            "the role has no service account",
            accepted="one or more objects with the fields {fields}",
            fields=Names(("namespace", "name")),
        )
    document = build_policy(listed)
    size = count_characters(document)
    if size > TRUST_POLICY_LIMIT:
        raise ArgumentError(
            ARGS / "service_accounts",
            "trust-policy-size",
            "the trust policy has {size} characters" if complete else "the trust policy has {size} characters or more",
            accepted="up to {most} characters, not counting white space",
            remedy="Divide the service accounts and clusters among several roles",
            size=size,
            most=TRUST_POLICY_LIMIT,
        )
    return document


def build_web_identity_trust_policy(provider_arn: str, issuer: str, subjects: Iterable[str]) -> str:
    """Return the trust policy (JSON) for service accounts of one cluster; see `build_web_identity_statements`.

    Raise ValueError if there is no subject, the issuer is malformed, or the document is too long.
    """
    return build_trust_policy(build_web_identity_statements(provider_arn, issuer, subjects))


def build_policy(statements: list[Statement]) -> str:
    """Return a policy document (JSON) with these statements."""
    return json.dumps({"Version": _VERSION, "Statement": statements}, separators=(",", ":"))


def count_characters(document: str) -> int:
    """Count the characters of a document as IAM does, without white space."""
    return len("".join(document.split()))


def normalize_permission_policy(document: object, path: ArgumentPath) -> str:
    """Return a permission policy of the caller as compact JSON.

    `document` is an object or JSON text. Raise ValueError if it is not a permission policy.
    """
    parsed = _parse_document(document, path)
    if not isinstance(parsed, Mapping) or not parsed.get("Statement"):
        raise ArgumentError(
            path,
            "policy-document",
            "{given!r} is no policy document",
            accepted="an object with 'Version' and one or more statements in 'Statement'",
            given=parsed,
        )
    if parsed.get("Version") != _VERSION:
        raise ArgumentError(
            path.key("Version"),
            "policy-version",
            "{given!r} is not accepted, because older versions have no policy variables",
            accepted="{version!r}",
            given=parsed.get("Version"),
            version=_VERSION,
        )
    statements = parsed["Statement"]
    for index, statement in enumerate(statements if isinstance(statements, list) else [statements]):
        _validate_statement(statement, path.key("Statement").index(index))
    return json.dumps(parsed, separators=(",", ":"))


def validate_inline_policies(documents: Mapping[str, str]) -> Mapping[str, str]:
    """Return the inline policies of a role; raise ValueError if IAM does not accept their total length."""
    total = sum(count_characters(document) for document in documents.values())
    if total > INLINE_POLICIES_LIMIT:
        raise ArgumentError(
            ARGS / "inline_policies",
            "inline-policies-size",
            "{names} have {size} characters in total",
            accepted="up to {most} characters in all inline policies of a role, not counting white space",
            remedy="Move the largest policies to {other}",
            names=", ".join(map(repr, sorted(documents))),
            size=total,
            most=INLINE_POLICIES_LIMIT,
            other=ARGS / "customer_policies",
        )
    return documents


def validate_customer_policy(document: str, path: ArgumentPath) -> str:
    """Return a customer policy; raise ValueError if IAM does not accept its length."""
    size = count_characters(document)
    if size > CUSTOMER_POLICY_LIMIT:
        raise ArgumentError(
            path,
            "customer-policy-size",
            "the policy has {size} characters",
            accepted="up to {most} characters, not counting white space",
            remedy="Divide its statements among several policies",
            size=size,
            most=CUSTOMER_POLICY_LIMIT,
        )
    return document


def format_managed_policy_arn(partition: str, path_and_name: str) -> str:
    """Return the ARN of an AWS managed policy, such as `service-role/AmazonEBSCSIDriverPolicy`.

    An ARN is returned unchanged.
    """
    if path_and_name.startswith("arn:"):
        return path_and_name
    return f"arn:{partition}:iam::aws:policy/{path_and_name}"


def _unwrap_single(values: list[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else values


def _parse_provider_host(provider_arn: str, path: ArgumentPath) -> str:
    arn = aws_identifiers.parse_oidc_provider_arn(provider_arn, path / "provider_arn")
    return arn.resource.removeprefix("oidc-provider/")


def _parse_document(document: object, path: ArgumentPath) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(document if isinstance(document, str) else json.dumps(document))
    except (TypeError, ValueError) as error:
        raise ArgumentError(
            path,
            "policy-json",
            "the document cannot be read as JSON: {error}",
            accepted="a policy document as an object or as JSON text",
            error=error,
        ) from None


def _validate_statement(statement: object, path: ArgumentPath) -> None:
    if not isinstance(statement, Mapping) or not set(statement) <= _ELEMENTS:
        raise ArgumentError(
            path,
            "policy-statement",
            "{given!r} is no statement of a permission policy",
            accepted="an object with some of the elements {elements}",
            given=statement,
            elements=", ".join(sorted(_ELEMENTS)),
        )
    validate_choice(statement.get("Effect"), ("Allow", "Deny"), path.key("Effect"))
    for element in ("Action", "Resource"):
        if bool(statement.get(element)) == bool(statement.get(f"Not{element}")):
            raise ArgumentError(
                path,
                "policy-statement-scope",
                "{given!r} has both {element} and Not{element}, or neither",
                accepted="one of the two elements",
                given=statement,
                element=element,
            )
