"""Diagnosis: the original case, several faults at once, targets, and facts that could not be read."""

import json
import shlex
from dataclasses import replace

import botocore.session
import pytest
from botocore import xform_name

from eks_rocketmq.doctor.catalogue.causes import CAUSES
from eks_rocketmq.doctor.diagnosis import Diagnosis, DiagnosisTarget, ExitCode, TargetError, diagnose
from eks_rocketmq.doctor.facts.cluster_facts import (
    AddonFacts,
    Facts,
    OidcProviderFacts,
    RoleFacts,
    ServiceAccountFacts,
    SimulatedAction,
    StorageClassFacts,
    TrialFacts,
    Unreadable,
)
from tests.unit.doctor.driver_faults import with_missing_plugin
from tests.unit.doctor.fault_cases import FAULTS
from tests.unit.doctor.fault_facts import DENIED, NO_PROVIDER, WAITING
from tests.unit.doctor.healthy_cases import (
    AUDIENCE,
    HOST,
    PROVIDER,
    ROLE,
    SUBJECT,
    claim,
    driver_role,
    irsa_facts,
    managed_policy,
    trust_policy,
    with_pending_claims,
)
from tests.unit.harness.fakes import ISSUER

DRIVER = "kube-system/ebs-csi-controller-sa"
ORIGINAL_ROLE = driver_role(trust_policy=trust_policy({"StringEquals": {f"https://{HOST}:sub": SUBJECT}}))
ORIGINAL = with_pending_claims(irsa_facts(providers=(), roles=(ORIGINAL_ROLE,)), NO_PROVIDER)
UNREADABLE = Unreadable("iam:GetRole for x", f"iam:GetRole on {ROLE}", "AccessDenied: not authorized")


def list_causes(diagnosis: Diagnosis) -> list[str]:
    return [each.id_ for each in diagnosis.findings]


def test_the_original_case_is_diagnosed_in_order() -> None:
    diagnosis = diagnose(ORIGINAL)
    assert list_causes(diagnosis) == ["oidc-provider-missing"]
    (chain,) = [each for each in diagnosis.chains if each.cause]
    (trust,) = chain.further
    assert trust.id_ == "trust-condition-key"
    assert f"the key https://{HOST}:sub" in trust.is_
    assert f"no condition on {HOST}:aud" in trust.is_
    assert diagnosis.findings[0].affected == tuple(f"claim {claim(each).id_}" for each in range(3))
    create, update = diagnosis.findings[0].commands[0], trust.commands[0]
    assert create == f"aws iam create-open-id-connect-provider --url {ISSUER} --client-id-list {AUDIENCE}"

    # The first command was run: the second mistake is the cause.
    half = replace(ORIGINAL, providers=(OidcProviderFacts(PROVIDER, (AUDIENCE,)),))
    half = with_pending_claims(replace(half, events=()), DENIED, providers=half.providers)
    assert list_causes(diagnose(half)) == ["trust-condition-key"]

    # Both commands were run.
    document = shlex.split(update)[-1]
    role = replace(ORIGINAL_ROLE, trust_policy=document)
    cured = diagnose(irsa_facts(roles=(role,)))
    assert cured.exit_code is ExitCode.HEALTHY
    assert json.loads(document) == json.loads(trust_policy())


def test_links_behind_the_cause_are_not_judged() -> None:
    (chain,) = [each for each in diagnose(ORIGINAL).chains if each.cause]
    states = {each.title: each.state for each in chain.links}
    assert states["IAM OIDC provider of the issuer"] == "broken"
    assert states["pods reach STS and EC2"] == states["controller runs"] == "not-judged"
    assert chain.undecided == ()


def test_independent_chains_are_judged_independently() -> None:
    facts = replace(with_missing_plugin(), providers=())
    missing = claim(7, phase="Pending", volume="", storage_class="gp4")
    facts = replace(facts, claims=(*facts.claims, missing))  # ty: ignore[not-iterable]
    assert list_causes(diagnose(facts)) == ["oidc-provider-missing", "node-plugin-missing", "class-missing"]


def test_a_trial_replaces_the_evaluation_by_text() -> None:
    strange = driver_role(trust_policy=trust_policy({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}))
    facts = irsa_facts(roles=(strange,))
    assert diagnose(facts).exit_code is ExitCode.NOT_JUDGED
    trial = TrialFacts(DRIVER, ROLE, True, ISSUER, SUBJECT, (AUDIENCE,))
    assert diagnose(replace(facts, trials=(trial,))).exit_code is ExitCode.HEALTHY
    unreadable = replace(facts, roles=(UNREADABLE,), providers=UNREADABLE, trials=(trial,))
    assert "role exists" not in [link.title for chain in diagnose(unreadable).chains for link in chain.undecided]


def test_a_rejected_trial_that_nothing_explains_is_not_judged() -> None:
    trial = TrialFacts(DRIVER, ROLE, False, ISSUER, SUBJECT, (AUDIENCE,), "AccessDenied: Not authorized")
    diagnosis = diagnose(irsa_facts(trials=(trial,)))
    assert diagnosis.exit_code is ExitCode.NOT_JUDGED
    (link,) = [link for chain in diagnosis.chains for link in chain.undecided]
    assert "no check explains it: AccessDenied" in link.reason


def test_a_trust_policy_is_evaluated_with_the_claims_of_the_token() -> None:
    trial = TrialFacts(DRIVER, ROLE, False, ISSUER, SUBJECT, ("other",), "AccessDenied")
    assert list_causes(diagnose(irsa_facts(trials=(trial,)))) == ["trust-audience"]


@pytest.mark.parametrize("field", ["account", "cluster", "providers", "service_accounts", "pods", "csi_nodes", "nodes"])
def test_an_unreadable_fact_is_named_with_its_permission(field: str) -> None:
    fact = Unreadable("call", "permission", "403 Forbidden")
    diagnosis = diagnose(replace(irsa_facts(), **{field: fact}))
    assert diagnosis.findings == ()
    assert diagnosis.exit_code is ExitCode.NOT_JUDGED
    assert "permission" in {link.permission for chain in diagnosis.chains for link in chain.undecided}


def test_an_unreadable_role_does_not_hide_a_fault() -> None:
    facts = with_pending_claims(irsa_facts(providers=(), roles=(UNREADABLE,)), NO_PROVIDER)
    assert list_causes(diagnose(facts)) == ["oidc-provider-missing"]


def test_a_skipped_trial_does_not_prevent_a_judgement() -> None:
    trial = Unreadable(f"create serviceaccounts/token of {DRIVER}", "create serviceaccounts/token", "403 Forbidden")
    diagnosis = diagnose(irsa_facts(trials=(trial,)))
    assert diagnosis.exit_code is ExitCode.HEALTHY
    assert [link.permission for chain in diagnosis.chains for link in chain.links if link.state == "skipped"] == [
        "create serviceaccounts/token"
    ]


def test_a_simulation_without_the_tags_of_the_session_is_no_fault() -> None:
    role = driver_role(
        policies=(managed_policy("AmazonEBSCSIDriverEKSClusterScopedPolicy"),),
        simulated=(SimulatedAction("ec2:CreateVolume", "implicitDeny"),),
    )
    assert diagnose(irsa_facts(roles=(role,))).exit_code is ExitCode.HEALTHY


def test_a_pending_claim_that_nothing_explains_is_not_judged() -> None:
    diagnosis = diagnose(with_pending_claims(irsa_facts(), WAITING))
    assert diagnosis.exit_code is ExitCode.NOT_JUDGED
    (link,) = [link for chain in diagnosis.chains for link in chain.undecided]
    assert link.reason.startswith("no check explains why it is Pending: waiting for a volume")


def test_old_events_of_bound_claims_are_ignored() -> None:
    assert diagnose(irsa_facts(events=ORIGINAL.events)).exit_code is ExitCode.HEALTHY


def test_a_claim_is_judged_alone() -> None:
    facts = replace(ORIGINAL, storage_classes=(StorageClassFacts("gp2", "efs.csi.aws.com"),))
    target = DiagnosisTarget(claim=claim().id_)
    assert list_causes(diagnose(ORIGINAL, target)) == ["oidc-provider-missing"]
    # The volume comes from another driver, whose identity is not judged.
    assert [each.chain for each in diagnose(facts, target).chains] == ["storage class", "consumer"]
    with pytest.raises(TargetError, match=r"claim rocketmq/x does not exist. Name it as NAMESPACE/NAME\."):
        diagnose(facts, DiagnosisTarget(claim="rocketmq/x"))


def test_a_service_account_and_an_addon_are_judged_alone() -> None:
    reader = ServiceAccountFacts("apps", "reader", ROLE)
    facts = irsa_facts(
        service_accounts=(*irsa_facts().service_accounts, reader),  # ty: ignore[not-iterable]
        addons=(AddonFacts("vpc-cni", "v1", "ACTIVE", ROLE), AddonFacts("coredns", "v1", "ACTIVE")),
    )
    assert list_causes(diagnose(facts, DiagnosisTarget(service_account="apps/reader"))) == ["trust-subject"]
    assert list_causes(diagnose(facts, DiagnosisTarget(service_account=DRIVER))) == []
    assert list_causes(diagnose(facts, DiagnosisTarget(service_account="apps/x"))) == ["service-account-missing"]
    assert list_causes(diagnose(facts, DiagnosisTarget(addon="vpc-cni"))) == ["trust-subject"]
    assert diagnose(facts, DiagnosisTarget(addon="coredns")).exit_code is ExitCode.NOT_JUDGED
    assert list_causes(diagnose(ORIGINAL, DiagnosisTarget(addon="aws-ebs-csi-driver"))) == ["oidc-provider-missing"]
    # A diagnosis of the whole cluster judges other service accounts too.
    assert list_causes(diagnose(facts)) == ["trust-subject"]
    with pytest.raises(TargetError, match=r"the cluster has no addon x\. Its addons: vpc-cni, coredns"):
        diagnose(facts, DiagnosisTarget(addon="x"))


def list_commands() -> list[str]:
    found = [finding.commands for _, _, build in FAULTS for finding in diagnose(build()).findings]
    return sorted({command for each in found for command in each})


def test_each_command_of_aws_exists_with_its_options() -> None:
    commands = [shlex.split(each) for each in list_commands() if each.startswith("aws ")]
    assert len(commands) > 20
    session = botocore.session.get_session()
    for _, service, operation, *words in commands:
        model = session.get_service_model(service)
        names = {xform_name(name, "-"): name for name in model.operation_names}
        members = model.operation_model(names[operation]).input_shape.members
        known = {f"--{xform_name(name, '-')}" for name in members} | {"--query"}
        assert {word for word in words if word.startswith("--")} <= known, (service, operation)
    assert {each.split()[0] for each in list_commands()} == {"aws", "kubectl"}


def test_each_finding_has_a_cause_and_settings() -> None:
    for _, _, build in FAULTS:
        for finding in diagnose(build()).findings:
            assert finding.cause == CAUSES[finding.id_].text
            assert finding.settings


def test_facts_are_not_changed() -> None:
    before = repr(ORIGINAL)
    diagnose(ORIGINAL)
    assert repr(ORIGINAL) == before
    assert isinstance(ORIGINAL, Facts)


def test_a_role_of_another_partition_is_not_also_missing() -> None:
    arn = ROLE.replace("arn:aws:", "arn:aws-cn:")
    account = ServiceAccountFacts("kube-system", "ebs-csi-controller-sa", arn)
    diagnosis = diagnose(irsa_facts(service_accounts=(account,), roles=(RoleFacts(arn, exists=False),)))
    (chain,) = [each for each in diagnosis.chains if each.cause]
    assert list_causes(diagnosis) == ["role-arn-malformed"]
    assert chain.further == ()


def test_a_message_about_a_boundary_that_was_removed_does_not_count() -> None:
    message = "UnauthorizedOperation: because no permissions boundary allows the ec2:CreateVolume action"
    facts = with_pending_claims(irsa_facts(), message)
    assert list_causes(diagnose(facts)) == []
    unread = Unreadable("iam:GetPolicy", "iam:GetPolicy", "AccessDenied")
    facts = with_pending_claims(irsa_facts(roles=(driver_role(boundary=unread),)), message)
    assert list_causes(diagnose(facts)) == ["permissions-boundary"]
