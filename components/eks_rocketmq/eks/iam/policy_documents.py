"""IAM policy documents as data. Pure: without a Pulumi provider, so tests can evaluate the documents."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from eks_rocketmq.args import aws_identifiers
from eks_rocketmq.args.aws_identifiers import build_oidc_provider_arn, parse_issuer_host

STS_AUDIENCE = "sts.amazonaws.com"
"""The audience of the tokens that EKS projects for AWS, the same in every partition."""

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
_SHORTEST_CALLER = f"arn:aws:iam::{'0' * 12}:root"
SHORTEST_CLUSTER_ARN = f"arn:aws:eks:us-east-1:{'0' * 12}:cluster/a"
"""ARN of minimum length, for clusters whose ARN is not known yet."""
_ELEMENTS = frozenset({"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"})


def format_subject(namespace: str, name: str) -> str:
    """Return the `sub` claim of a Kubernetes service account token."""
    return f"system:serviceaccount:{namespace}:{name}"


def has_wildcard(name: str) -> bool:
    """Return whether `StringLike` treats the name as a pattern."""
    return "*" in name or "?" in name


def build_web_identity_statements(
    provider_arn: str, issuer: str, subjects: Iterable[str], audience: str = STS_AUDIENCE
) -> list[Statement]:
    """Return statements that let service accounts of one cluster assume a role with their tokens (IRSA).

    The conditions fix subject and audience. Without the audience, a token for another service would be accepted. The
    condition keys contain the issuer without `https://`; with `https://` they match no token. Subjects with a wildcard
    get their own statement, so that the other subjects and the audience are matched exactly.

    Args:
        provider_arn: IAM OIDC provider of the cluster.
        issuer: issuer URL of the cluster, with `https://`.
        subjects: `sub` values, see `format_subject`; `*` and `?` match as in `StringLike`.
        audience: exact `aud` value.

    Raises:
        ValueError: for a malformed issuer, or a provider of another issuer. No token would match that provider.
    """
    host = parse_issuer_host(issuer)
    provider_host = aws_identifiers.parse_oidc_provider_arn(provider_arn, "provider_arn").resource.removeprefix(
        "oidc-provider/"
    )
    if provider_host != host:
        msg = (
            f"provider_arn is that of {provider_host!r} and issuer is {issuer!r}; give both of the same cluster: IAM "
            "would let in nobody"
        )
        raise ValueError(msg)
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


def build_pod_identity_statements(cluster_arn: str, accounts: Iterable[tuple[str, str]]) -> list[Statement]:
    """Return statements that let EKS Pod Identity assume a role for service accounts of one cluster.

    The service principal is the same for all clusters and accounts. The conditions therefore fix account, cluster,
    namespace and name through the session tags of EKS
    (https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html). These statements reject an association that
    disables session tags.

    Args:
        cluster_arn: ARN of the cluster.
        accounts: namespace and name of each service account; `*` and `?` in a name match as in `StringLike`.

    Raises:
        ValueError: if `cluster_arn` is not the ARN of a cluster.
    """
    account = aws_identifiers.parse_cluster_arn(cluster_arn, "a Pod Identity cluster").account
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


def fill_unknown_cluster(issuer: object, provider: object) -> dict[str, str]:
    """Return issuer and provider of an EKS cluster, with values of minimum length in place of unknown ones.

    Args:
        issuer: issuer URL, or an Output of it.
        provider: ARN of the cluster's provider, or an Output of it.
    """
    if isinstance(provider, str):
        host = aws_identifiers.parse_oidc_provider_arn(provider, "provider_arn").resource.removeprefix("oidc-provider/")
        return {"issuer": issuer if isinstance(issuer, str) else f"https://{host}", "provider_arn": provider}
    issuer_url = issuer if isinstance(issuer, str) else _SHORTEST_ISSUER
    return {"issuer": issuer_url, "provider_arn": build_oidc_provider_arn(_SHORTEST_CALLER, issuer_url)}


def build_trust_policy(statements: Iterable[Statement], *, complete: bool = True) -> str:
    """Return the trust policy (JSON) of a role.

    Args:
        statements: statements of the policy.
        complete: whether all values are known; otherwise the length is a minimum, and the error says so.

    Raises:
        ValueError: if there is no statement, or the document is longer than `TRUST_POLICY_LIMIT` characters.
    """
    listed = list(statements)
    if not listed:
        msg = "the role has no service account; name one at least, as {'namespace': 'kube-system', 'name': 'reader'}"
        raise ValueError(msg)
    document = build_policy(listed)
    size = count_characters(document)
    if size > TRUST_POLICY_LIMIT:
        msg = (
            f"the trust policy has {size} characters{'' if complete else ' or more'}; IAM accepts "
            f"{TRUST_POLICY_LIMIT}: spread the service accounts and clusters over several roles"
        )
        raise ValueError(msg)
    return document


def build_web_identity_trust_policy(
    provider_arn: str, issuer: str, subjects: Iterable[str], audience: str = STS_AUDIENCE
) -> str:
    """Return the trust policy (JSON) for service accounts of one cluster; see `build_web_identity_statements`.

    Raises:
        ValueError: if there is no subject, the issuer is malformed, or the document is too long.
    """
    return build_trust_policy(build_web_identity_statements(provider_arn, issuer, subjects, audience))


def build_policy(statements: list[Statement]) -> str:
    """Return a policy document (JSON) with these statements."""
    return json.dumps({"Version": _VERSION, "Statement": statements}, separators=(",", ":"))


def count_characters(document: str) -> int:
    """Count the characters of a document as IAM does, without white space."""
    return len("".join(document.split()))


def normalize_permission_policy(document: object, what: str) -> str:
    """Return a permission policy of the caller as compact JSON.

    Args:
        document: an object or JSON text.
        what: name of the document in errors.

    Raises:
        ValueError: if it is not a permission policy.
    """
    parsed = _parse_document(document, what)
    if not isinstance(parsed, Mapping) or not parsed.get("Statement"):
        msg = f"{what} is {parsed!r}; accepted is a policy document, {{'Version': {_VERSION!r}, 'Statement': [...]}}"
        raise ValueError(msg)
    if parsed.get("Version") != _VERSION:
        msg = (
            f"{what} has the Version {parsed.get('Version')!r}; accepted is {_VERSION!r}: older ones have no variables"
        )
        raise ValueError(msg)
    statements = parsed["Statement"]
    for statement in statements if isinstance(statements, list) else [statements]:
        _check_statement(statement, what)
    return json.dumps(parsed, separators=(",", ":"))


def check_inline_policies(documents: Mapping[str, str]) -> None:
    """Raise ValueError if the inline policies of a role are together longer than IAM accepts."""
    total = sum(count_characters(document) for document in documents.values())
    if total > INLINE_POLICIES_LIMIT:
        msg = (
            f"the inline policies {', '.join(sorted(documents))} have {total} characters together; IAM accepts "
            f"{INLINE_POLICIES_LIMIT} in a role: make the large ones customer policies"
        )
        raise ValueError(msg)


def check_customer_policy(name: str, document: str) -> None:
    """Raise ValueError if a customer policy is longer than IAM accepts."""
    if count_characters(document) > CUSTOMER_POLICY_LIMIT:
        msg = (
            f"customer policy {name} has {count_characters(document)} characters; IAM accepts {CUSTOMER_POLICY_LIMIT}: "
            "spread its statements over several policies"
        )
        raise ValueError(msg)


def format_managed_policy_arn(partition: str, path_and_name: str) -> str:
    """Return the ARN of an AWS managed policy, such as `service-role/AmazonEBSCSIDriverPolicy`.

    An ARN is returned unchanged.
    """
    if path_and_name.startswith("arn:"):
        return path_and_name
    return f"arn:{partition}:iam::aws:policy/{path_and_name}"


def _unwrap_single(values: list[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else values


def _parse_document(document: object, what: str) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(document if isinstance(document, str) else json.dumps(document))
    except (TypeError, ValueError) as error:
        msg = f"{what} is no JSON ({error}); accepted is a policy document as an object or as JSON text"
        raise ValueError(msg) from None


def _check_statement(statement: object, what: str) -> None:
    if not isinstance(statement, Mapping) or not set(statement) <= _ELEMENTS:
        msg = f"{what} has the statement {statement!r}; accepted are the elements {', '.join(sorted(_ELEMENTS))}"
        raise ValueError(msg)
    if statement.get("Effect") not in ("Allow", "Deny"):
        msg = f"{what} has the Effect {statement.get('Effect')!r}; accepted are 'Allow' and 'Deny'"
        raise ValueError(msg)
    for element in ("Action", "Resource"):
        if bool(statement.get(element)) == bool(statement.get(f"Not{element}")):
            msg = f"{what} has a statement {statement!r}; accepted is one with either {element} or Not{element}"
            raise ValueError(msg)
