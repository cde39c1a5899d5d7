"""Identity of the driver of an existing addon, judged at preview as the doctor judges it."""

import json
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from eks_rocketmq import ClusterOidcProvider, EbsCsiAddon
from tests.unit.doctor.healthy_cases import AUDIENCE, CLUSTER_ARN, HOST, PROVIDER, ROLE, SUBJECT, trust_policy
from tests.unit.doctor.original_case import ORIGINAL_ROLE
from tests.unit.harness import Fakes, ProviderError, Recording, run, run_stack
from tests.unit.harness.fakes import ACCOUNT, ISSUER
from tests.unit.harness.rejections import list_rejections, rejects

ADDON, CLUSTER = "aws:eks/getAddon:getAddon", "aws:eks/getCluster:getCluster"
GET_ROLE, GET_PROVIDER = "aws:iam/getRole:getRole", "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider"
VERSION = "v1.60.0-eksbuild.1"
IRSA = {"addonVersion": VERSION, "serviceAccountRoleArn": ROLE}
ASSOCIATED = [{"serviceAccount": "ebs-csi-controller-sa", "roleArn": ROLE}]
POD_IDENTITY = {"addonVersion": VERSION, "serviceAccountRoleArn": "", "podIdentityAssociations": ASSOCIATED}
STACK: Any = {"ebsCsi": {"existing": True, "roleName": None, "permissions": None}}


def wire(name: str, error: str) -> str:
    """Return an error in the wording of the provider, with the lines that the engine passes on."""
    return f"invocation of {name} returned an error: 1 error occurred:\n\t* {error}\n\n"


MISSING_ROLE = wire(GET_ROLE, "reading IAM Role (eks-ebs-csi-driver): couldn't find resource")
MISSING_PROVIDER = wire(GET_PROVIDER, "reading IAM OIDC Provider: couldn't find resource")


def deny(service: str, operation: str) -> str:
    action = f"{service.lower()}:{operation}"
    return (
        f"operation error {service}: {operation}, https response error StatusCode: 403, RequestID: r-1, api error "
        f"AccessDenied: User: arn:aws:iam::{ACCOUNT}:user/ci is not authorized to perform: {action}"
    )


def answer(value: Any) -> Any:
    def invoke(_: object) -> Any:
        if isinstance(value, str):
            raise ProviderError(value)
        return value

    return invoke


def role(trust: str, arn: str = ROLE) -> dict[str, str]:
    return {"arn": arn, "assumeRolePolicy": trust}


def pod_trust_policy(conditions: Any = None) -> str:
    """Return a trust policy for EKS Pod Identity."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "pods.eks.amazonaws.com"},
        "Action": ["sts:AssumeRole", "sts:TagSession"],
        "Condition": conditions or {},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def fake(addon: Any = None, **answers: Any) -> Fakes:
    """Return an account with an addon. An answer that is a text is an error."""
    fakes = Fakes().answering(ADDON, answer(addon or IRSA))
    for name, value in answers.items():
        fakes = fakes.answering({"role": GET_ROLE, "provider": GET_PROVIDER, "cluster": CLUSTER}[name], answer(value))
    return fakes


def judge(fakes: Fakes, *, preview: bool = True, **more: Any) -> Recording:
    def program() -> None:
        args: Any = {"cluster_name": "prod", "role_name": "unused", "existing": True, **more}
        pulumi.export("role", EbsCsiAddon("ebs-csi", args).role_arn)

    return run(program, preview=preview, fakes=fakes)


def reject(fakes: Fakes, **more: Any) -> list[str]:
    """Return the text of each error of the preview."""
    with pytest.raises(pulumi.RunError) as raised:
        judge(fakes, **more)
    codes = {each.code for each in list_rejections(raised.value)}
    assert codes == {"driver-without-credentials"}
    return str(raised.value).splitlines()


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize(
    "fakes",
    [
        fake(role=role(trust_policy())),
        fake(POD_IDENTITY, role=role(pod_trust_policy()), provider=MISSING_PROVIDER),
    ],
    ids=["irsa", "pod identity"],
)
def test_an_addon_that_can_assume_its_role_is_accepted_without_a_warning(fakes: Fakes, preview: bool) -> None:
    recording = judge(fakes, preview=preview)
    assert (recording.outputs, recording.log) == ({"role": ROLE}, [])
    assert recording.inventory() == {"eks-rocketmq:index:EbsCsiAddon": 1}


def test_the_trust_policy_of_the_original_incident_is_rejected_with_cause_and_fix() -> None:
    (text,) = reject(fake(role=role(ORIGINAL_ROLE.trust_policy)))
    assert text.startswith(
        "existing: addon aws-ebs-csi-driver of cluster 'prod' cannot assume its role, so it cannot create volumes and "
        "every claim stays Pending: a condition key of the trust policy begins with `https://`"
    )
    assert f"(trust-condition-key). Found: trust policy of {ROLE}: the key https://{HOST}:sub; no condition on" in text
    assert f"Accepted: the key {HOST}:sub; {HOST}:aud = {AUDIENCE}. Run `aws iam update-assume-role-policy" in text
    repaired = text.partition("--policy-document '")[2].partition("'`.")[0]
    assert json.loads(repaired) == json.loads(trust_policy())


@pytest.mark.parametrize("preview", [True, False])
def test_a_stack_rejects_the_original_incident_with_the_path_of_the_stack_file(preview: bool) -> None:
    fakes = fake(role=role(ORIGINAL_ROLE.trust_policy))
    with pytest.raises(pulumi.RunError, match=r"^ebsCsi\.existing: addon .*and leave ebsCsi\.existing out\.$"):
        run_stack("prod", preview=preview, overrides=STACK, fakes=fakes)


def test_the_original_incident_is_rejected_with_both_of_its_causes() -> None:
    texts = reject(fake(role=role(ORIGINAL_ROLE.trust_policy), provider=MISSING_PROVIDER))
    assert [cause for text in texts for cause in ("oidc-provider-missing", "trust-condition-key") if cause in text] == [
        "oidc-provider-missing",
        "trust-condition-key",
    ]


@pytest.mark.parametrize(
    ("fakes", "cause", "expected"),
    [
        (fake(role=MISSING_ROLE), "role-missing", "Run `aws iam create-role --role-name eks-ebs-csi-driver"),
        (fake(role=wire(GET_ROLE, "NoSuchEntity: x")), "role-missing", "`, then `aws iam attach-role-policy"),
        (
            fake(role=role(trust_policy(), f"arn:aws:iam::{ACCOUNT}:role/team/eks-ebs-csi-driver")),
            "role-missing",
            f"role {ROLE} does not exist; the role with this name is arn:aws:iam::{ACCOUNT}:role/team/eks-ebs-csi",
        ),
        (
            fake(role=role(trust_policy(more=[{"Effect": "Deny", "Principal": "*", "Action": "sts:*"}]))),
            "trust-deny",
            "Run `aws iam get-role --role-name eks-ebs-csi-driver --query Role.AssumeRolePolicyDocument`, then `aws "
            "iam update-assume-role-policy --role-name eks-ebs-csi-driver --policy-document <edited-policy>`",
        ),
        (
            fake(role=role(trust_policy()), provider=MISSING_PROVIDER),
            "oidc-provider-missing",
            f"Run `aws iam create-open-id-connect-provider --url {ISSUER} --client-id-list {AUDIENCE}`",
        ),
        (
            fake(provider={"arn": PROVIDER, "clientIdLists": ["vault"]}),
            "oidc-provider-audience",
            f"--open-id-connect-provider-arn {PROVIDER} --client-id {AUDIENCE}`",
        ),
        (
            fake(role=role(trust_policy({"StringEquals": {f"{HOST}:sub": "system:serviceaccount:default:x"}}))),
            "trust-subject",
            f"{HOST}:sub = {SUBJECT}",
        ),
        (
            fake({"addonVersion": VERSION, "serviceAccountRoleArn": "driver"}),
            "role-arn-malformed",
            "aws eks update-addon --cluster-name prod --addon-name aws-ebs-csi-driver",
        ),
        (
            fake(POD_IDENTITY, role=role(trust_policy())),
            "trust-provider",
            "the service pods.eks.amazonaws.com",
        ),
        (
            fake(
                POD_IDENTITY,
                role=role(pod_trust_policy({"StringEquals": {"aws:SourceArn": f"{CLUSTER_ARN}-other"}})),
            ),
            "trust-condition",
            f"aws:SourceArn = {CLUSTER_ARN}",
        ),
    ],
)
def test_an_addon_that_cannot_assume_its_role_is_rejected(fakes: Fakes, cause: str, expected: str) -> None:
    (text,) = reject(fakes)
    assert f"({cause}). Found: " in text
    assert ("If the program creates the provider" in text) == (cause == "oidc-provider-missing")
    assert expected in text


def create_provider(component: bool) -> pulumi.Output[str]:
    if component:
        return ClusterOidcProvider("oidc", {"issuer": ISSUER}).arn
    return aws.iam.OpenIdConnectProvider("oidc", url=ISSUER, client_id_lists=[AUDIENCE]).arn


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize("component", [True, False])
@pytest.mark.parametrize("trust", [trust_policy(), ORIGINAL_ROLE.trust_policy], ids=["right", "wrong"])
def test_a_provider_of_the_same_program_need_not_exist_yet(preview: bool, component: bool, trust: str) -> None:
    fakes = fake(role=role(trust), provider=MISSING_PROVIDER)

    def program() -> None:
        args: Any = {"cluster_name": "prod", "role_name": "x", "existing": True}
        EbsCsiAddon("ebs-csi", {**args, "provider_arn": create_provider(component)})

    if trust == trust_policy():
        assert run(program, preview=preview, fakes=fakes).log == []
    else:
        with rejects(("existing", "driver-without-credentials")):
            run(program, preview=preview, fakes=fakes)


def test_the_first_update_of_a_stack_that_creates_the_provider_is_accepted() -> None:
    fakes = fake(role=role(trust_policy()), provider=MISSING_PROVIDER)
    for preview in (True, False):
        recording = run_stack("prod", preview=preview, overrides=STACK, fakes=fakes)
        assert recording.inventory()["aws:iam/openIdConnectProvider:OpenIdConnectProvider"] == 1
        assert recording.log == []


def test_a_provider_that_is_given_as_a_text_must_exist() -> None:
    (text,) = reject(fake(role=role(trust_policy()), provider=MISSING_PROVIDER), provider_arn=PROVIDER)
    assert "oidc-provider-missing" in text
    assert "If the program creates the provider, set provider_arn to its ARN. To let the stack" in text


OTHER_ACCOUNT = {"addonVersion": VERSION, "serviceAccountRoleArn": "arn:aws:iam::999999999999:role/driver"}
UNDECIDABLE = trust_policy({"StringEquals": {f"{HOST}:sub": SUBJECT}, "IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})


@pytest.mark.parametrize(
    ("fakes", "titles", "reason", "permission"),
    [
        (
            fake(role=wire(GET_ROLE, deny("IAM", "GetRole"))),
            "role exists, trust policy allows the token",
            f"iam:GetRole for {ROLE} failed: ",
            f"iam:GetRole on {ROLE}",
        ),
        (
            fake(provider=wire(GET_PROVIDER, deny("IAM", "GetOpenIDConnectProvider"))),
            "IAM OIDC provider of the issuer, audience of the provider",
            f"iam:GetOpenIDConnectProvider for {PROVIDER} failed: ",
            f"iam:GetOpenIDConnectProvider on {PROVIDER}",
        ),
        (
            fake(cluster=wire(CLUSTER, deny("EKS", "DescribeCluster"))),
            "role of the service account, ",
            "eks:DescribeCluster for prod failed: ",
            "eks:DescribeCluster on prod",
        ),
        (
            fake(role=wire(GET_ROLE, "operation error IAM: GetRole, exceeded maximum number of attempts")),
            "role exists, trust policy allows the token",
            "exceeded maximum number of attempts",
            "",
        ),
        (
            fake(OTHER_ACCOUNT, role="must not be read", provider="must not be read"),
            "IAM OIDC provider of the issuer, ",
            "must be in account 999999999999, which was not read",
            "",
        ),
        (
            fake(role=role(UNDECIDABLE)),
            "trust policy allows the token",
            "the trust policy has conditions that only STS can decide",
            "",
        ),
    ],
)
def test_what_cannot_be_judged_is_a_warning(fakes: Fakes, titles: str, reason: str, permission: str) -> None:
    recording = judge(fakes)
    ((severity, text),) = recording.log
    assert severity == "WARNING"
    assert text.startswith(
        "existing: it is not known whether addon aws-ebs-csi-driver of cluster 'prod' can assume its role. Not judged: "
    )
    assert titles in text
    assert reason in text
    command = "`eks-rocketmq doctor --cluster prod --addon aws-ebs-csi-driver`"
    assert text.endswith(f"Allow {permission}, or run {command}." if permission else f"). Run {command}.")
    assert "\n" not in text
    assert "must not be read" not in text


def test_a_fault_is_rejected_although_the_role_cannot_be_read() -> None:
    (text,) = reject(fake(role=wire(GET_ROLE, deny("IAM", "GetRole")), provider=MISSING_PROVIDER))
    assert "oidc-provider-missing" in text


def test_a_warning_of_a_stack_has_the_path_of_the_stack_file() -> None:
    fakes = fake(role=wire(GET_ROLE, deny("IAM", "GetRole")))
    ((_, text),) = run_stack("prod", preview=True, overrides=STACK, fakes=fakes).log
    assert text.startswith("ebsCsi.existing: it is not known whether")
