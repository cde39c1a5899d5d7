"""Diagnosis: the original case, several faults at once, targets, and facts that could not be read."""

import json
import shlex
from dataclasses import replace
from typing import Any

import botocore.session
import pytest
from botocore import xform_name

from eks_rocketmq.doctor.catalogue.causes import CAUSES
from eks_rocketmq.doctor.checks.identity_case import parse_role
from eks_rocketmq.doctor.diagnosis import Diagnosis, DiagnosisTarget, ExitCode, TargetError, diagnose
from eks_rocketmq.doctor.facts.cluster_facts import (
    AddonFacts,
    Facts,
    NodeFacts,
    OidcProviderFacts,
    PodIdentityFacts,
    PolicyFacts,
    RoleFacts,
    ServiceAccountFacts,
    SimulatedAction,
    StorageClassFacts,
    TrialFacts,
    Unreadable,
    WorkloadFacts,
)
from eks_rocketmq.doctor.policies.permissions import DRIVER_ACTIONS, GROWTH_ACTIONS
from eks_rocketmq.eks.ebs.ebs_csi_policy import PolicyScope, build_volume_policy
from eks_rocketmq.status.identity_summary import summarize_identity
from tests.unit.doctor.driver_faults import with_missing_plugin
from tests.unit.doctor.fault_cases import FAULTS
from tests.unit.doctor.fault_facts import DENIED, HEALTH, NO_PROVIDER, WAITING, with_log
from tests.unit.doctor.healthy_cases import (
    AUDIENCE,
    HOST,
    PROVIDER,
    ROLE,
    SUBJECT,
    auto_mode_facts,
    broker_pod,
    claim,
    driver_pod,
    driver_role,
    event,
    irsa_facts,
    managed_policy,
    pod_event,
    pod_identity_facts,
    self_managed_facts,
    trust_policy,
    with_pending_claims,
)
from tests.unit.doctor.original_case import ORIGINAL_ROLE, original_facts
from tests.unit.doctor.permission_faults import with_snapshot, with_untagged_snapshot
from tests.unit.doctor.trouble_faults import NOT_REGISTERED
from tests.unit.harness.fakes import ACCOUNT, ISSUER, REGION

DRIVER = "kube-system/ebs-csi-controller-sa"
ORIGINAL = original_facts()
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


def test_a_wide_deny_statement_is_edited_by_hand() -> None:
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "*",
        "Condition": {"StringNotEquals": {f"{HOST}:sub": "system:serviceaccount:apps:ok"}},
    }
    role = driver_role(trust_policy=trust_policy(more=[deny]))
    (finding,) = diagnose(irsa_facts(roles=(role,))).findings
    assert finding.id_ == "trust-deny"
    assert finding.commands == (
        "aws iam get-role --role-name eks-ebs-csi-driver --query Role.AssumeRolePolicyDocument",
        "aws iam update-assume-role-policy --role-name eks-ebs-csi-driver --policy-document <edited-policy>",
    )
    assert finding.should_be.endswith(f"keep the statement for others, and exclude {DRIVER} from it")


def test_links_behind_the_cause_are_not_judged() -> None:
    (chain,) = [each for each in diagnose(ORIGINAL).chains if each.cause]
    states = {each.title: each.state for each in chain.links}
    assert states["IAM OIDC provider of the issuer"] == "broken"
    assert states["pods reach STS and EC2"] == states["controller runs"] == "not-judged"
    assert chain.undecided == ()


def with_new_node(node: NodeFacts, **changes: int) -> Facts:
    """Return facts with one more node, which is ready and has no node plugin."""
    facts = irsa_facts()
    workloads = tuple(
        replace(each, **changes) if each.kind == "DaemonSet" else each
        for each in facts.workloads  # ty: ignore[not-iterable]
    )
    return replace(facts, nodes=(*facts.nodes, node), workloads=workloads)  # ty: ignore[not-iterable]


NEW_NODE = NodeFacts("node-new", "ap-southeast-1a", "a1.large", taints=("dedicated=batch:NoSchedule",))


def test_a_node_that_the_driver_leaves_out_is_no_fault() -> None:
    assert diagnose(with_new_node(NEW_NODE)).exit_code is ExitCode.HEALTHY
    assert list_causes(diagnose(with_new_node(NEW_NODE, desired=4))) == ["node-plugin-missing"]
    for other in (replace(NEW_NODE, windows=True), replace(NEW_NODE, hybrid=True)):
        assert diagnose(with_new_node(other, desired=4)).exit_code is ExitCode.HEALTHY
    # Without a DaemonSet no node gets the plugin.
    facts = with_new_node(NEW_NODE)
    controllers = tuple(each for each in facts.workloads if each.kind == "Deployment")  # ty: ignore[not-iterable]
    assert list_causes(diagnose(replace(facts, workloads=controllers))) == ["node-plugin-missing"]


def test_a_node_without_the_plugin_is_a_fault_if_a_claim_or_a_pod_needs_it() -> None:
    message = "error generating accessibility requirements: no topology key found on CSINode node-new"
    facts = with_new_node(NEW_NODE)
    assert "node-plugin-missing" in list_causes(diagnose(with_pending_claims(facts, message)))
    # The claim is bound by now.
    assert diagnose(replace(facts, events=(event(claim(), message),))).exit_code is ExitCode.HEALTHY
    pod = broker_pod(node="node-new", phase="Pending", ready=False)
    failure = pod_event(pod, NOT_REGISTERED, "FailedMount")
    waiting = replace(facts, pods=(driver_pod(), pod), events=(failure,))
    assert list_causes(diagnose(waiting)) == ["node-plugin-missing"]


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
    # Since version 1.58 the driver sets the tag that the policy requires.
    current = irsa_facts(roles=(role,), workloads=with_version("1.58.0"))
    assert diagnose(current).exit_code is ExitCode.HEALTHY
    assert list_causes(diagnose(replace(current, workloads=with_version("1.57.1")))) == ["permissions-missing"]


def with_version(version: str) -> tuple[WorkloadFacts, ...]:
    """Return the workloads of a driver of a version."""
    images = (f"public.ecr.aws/ebs-csi-driver/aws-ebs-csi-driver:v{version}",)
    return tuple(replace(each, images=images) for each in irsa_facts().workloads)  # ty: ignore[not-iterable]


def test_a_driver_without_the_tag_of_the_cluster_may_not_create_volumes() -> None:
    facts = self_managed_facts()
    (role,) = facts.roles
    document = build_volume_policy(PolicyScope("aws", REGION, ACCOUNT, "prod"), snapshots=False)
    role = replace(role, policies=(PolicyFacts("volumes", document),))
    controller, *others = facts.workloads  # ty: ignore[not-iterable]
    tagging, other = (
        replace(facts, roles=(role,), workloads=(replace(controller, cluster_id=each), *others))
        for each in ("prod", "")
    )
    assert diagnose(tagging).exit_code is ExitCode.HEALTHY
    (finding,) = diagnose(other).findings
    assert finding.id_ == "permissions-missing"
    assert "ec2:CreateVolume" in finding.is_
    assert any(
        each.startswith("the driver does not set the tags: ") and "kubernetes.io/cluster/prod" in each
        for each in finding.evidence
    )


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


def test_a_path_of_a_role_may_have_any_character_that_iam_accepts() -> None:
    assert parse_role("arn:aws:iam::111122223333:role/team:x/driver") is not None
    assert parse_role("arn:aws:iam::111122223333:role/a!b/c$d/driver") is not None
    for name in ("team:x", "team/", "a b/driver", ""):
        assert parse_role(f"arn:aws:iam::111122223333:role/{name}") is None


def test_a_role_of_the_same_name_at_another_path_is_named() -> None:
    found = ROLE.replace(":role/", ":role/team:x/")
    (finding,) = diagnose(irsa_facts(roles=(RoleFacts(ROLE, exists=False, found_arn=found),))).findings
    assert finding.id_ == "role-missing"
    assert finding.is_ == f"role {ROLE} does not exist; the role with this name is {found}"
    assert finding.commands[0].endswith(f"--service-account-role-arn {found}")
    assert not any("create-role" in each for each in finding.commands)


def test_a_message_about_a_boundary_that_was_removed_does_not_count() -> None:
    message = "UnauthorizedOperation: because no permissions boundary allows the ec2:CreateVolume action"
    facts = with_pending_claims(irsa_facts(), message)
    assert list_causes(diagnose(facts)) == []
    unread = Unreadable("iam:GetPolicy", "iam:GetPolicy", "AccessDenied")
    facts = with_pending_claims(irsa_facts(roles=(driver_role(boundary=unread),)), message)
    assert list_causes(diagnose(facts)) == ["permissions-boundary"]


def without_driver(**changes: Any) -> Facts:
    """Return the facts of a cluster without a driver of EBS, and without a claim that waits for it."""
    facts = irsa_facts(
        workloads=(), addons=(), service_accounts=(), csi_drivers=(), csi_nodes=(), claims=(), pods=(), volumes=()
    )
    return replace(facts, **changes)


ADDON = DiagnosisTarget(addon="aws-ebs-csi-driver")


def test_a_missing_driver_is_the_cause_if_its_addon_is_judged() -> None:
    diagnosis = diagnose(without_driver(), ADDON)
    assert list_causes(diagnosis) == ["driver-missing"]
    assert diagnosis.exit_code is ExitCode.BROKEN
    assert summarize_identity(diagnosis).state == "broken"
    assert diagnosis.findings[0].commands[0].startswith("aws eks create-addon --cluster-name prod")
    # Nothing of the whole cluster needs the driver.
    assert diagnose(without_driver()).exit_code is ExitCode.HEALTHY


def test_an_addon_without_pods_of_the_driver_shows_its_status() -> None:
    addon = AddonFacts("aws-ebs-csi-driver", "v1", "CREATE_FAILED", issues=("AccessDenied: no permission",))
    (finding,) = diagnose(without_driver(addons=(addon,)), ADDON).findings
    assert "addon aws-ebs-csi-driver has status CREATE_FAILED" in finding.evidence
    assert "AccessDenied: no permission" in finding.evidence
    assert finding.commands == (
        "aws eks describe-addon --cluster-name prod --addon-name aws-ebs-csi-driver --query addon.health",
    )


def test_a_driver_that_may_exist_is_not_missing() -> None:
    assert diagnose(auto_mode_facts(), ADDON).exit_code is ExitCode.HEALTHY
    unread = Unreadable("eks:DescribeCluster for prod", "eks:DescribeCluster on prod", "AccessDenied")
    for changes in ({"cluster": unread}, {"workloads": replace(unread, permission="list deployments.apps")}):
        diagnosis = diagnose(without_driver(**changes), ADDON)
        assert (list_causes(diagnosis), diagnosis.exit_code) == ([], ExitCode.NOT_JUDGED)
    # The cluster has the CSIDriver of EKS Auto Mode.
    facts = without_driver(cluster=unread, csi_drivers=("ebs.csi.eks.amazonaws.com",))
    assert diagnose(facts, ADDON).exit_code is ExitCode.HEALTHY


ASSOCIATION = PodIdentityFacts("networking", "cni", ROLE, "a-9")


@pytest.mark.parametrize(
    ("addon", "association"),
    [
        (AddonFacts("vpc-cni", "v1", "ACTIVE", association_ids=("a-9",)), ASSOCIATION),
        (AddonFacts("vpc-cni", "v1", "ACTIVE", ROLE), ASSOCIATION),
        (
            AddonFacts("vpc-cni", "v1", "ACTIVE"),
            replace(ASSOCIATION, namespace="kube-system", service_account="aws-node"),
        ),
    ],
    ids=["owned", "role", "made-by-hand"],
)
def test_an_addon_is_judged_by_its_pod_identity_association(addon: AddonFacts, association: PodIdentityFacts) -> None:
    account = ServiceAccountFacts(association.namespace, association.service_account)
    other = replace(association, service_account="other", association_id="a-1", role_arn=f"{ROLE}-other")
    facts = pod_identity_facts(
        addons=(addon,),
        pod_identities=(other, association),
        service_accounts=(account, replace(account, name="other")),
        pods=(),
    )
    target = DiagnosisTarget(addon="vpc-cni")
    diagnosis = diagnose(facts, target)
    assert [each.subject for each in diagnosis.chains] == [f"service account {account.id_}"]
    assert diagnosis.exit_code is ExitCode.HEALTHY
    # The trust policy is that of IRSA.
    assert list_causes(diagnose(replace(facts, roles=(driver_role(),)), target)) == ["trust-provider"]
    assert list_causes(diagnose(replace(facts, workloads=()), target)) == ["pod-identity-agent-missing"]


@pytest.mark.parametrize(
    ("desired", "ready", "message", "expected"),
    [
        (3, 3, "", []),
        (3, 2, "", []),
        (3, 2, "get credentials: context deadline exceeded", ["pod-identity-agent-missing"]),
        (3, 0, "", ["pod-identity-agent-missing"]),
        (0, 0, "", ["pod-identity-agent-missing"]),
    ],
)
def test_the_agent_is_a_fault_if_no_pod_of_it_is_ready(
    desired: int, ready: int, message: str, expected: list[str]
) -> None:
    facts = pod_identity_facts()
    workloads = tuple(
        replace(each, desired=desired, ready=ready) if each.name == "eks-pod-identity-agent" else each
        for each in facts.workloads  # ty: ignore[not-iterable]
    )
    facts = replace(facts, workloads=workloads)
    diagnosis = diagnose(with_log(HEALTH + message, facts) if message else facts)
    assert list_causes(diagnosis) == expected
    skipped = [link.reason for chain in diagnosis.chains for link in chain.links if link.state == "skipped"]
    partly = ready == 2 and not message
    assert skipped == (["2 of 3 pods of eks-pod-identity-agent are ready"] if partly else [])
    # Nothing needs the agent of a cluster without nodes.
    if not desired:
        idle = replace(facts, pods=(), claims=(), nodes=(), csi_nodes=(), volumes=())
        assert list_causes(diagnose(idle, DiagnosisTarget(service_account=DRIVER))) == []


def test_an_addon_without_a_found_account_is_not_judged() -> None:
    target = DiagnosisTarget(addon="vpc-cni")
    owned = AddonFacts("vpc-cni", "v1", "ACTIVE", association_ids=("a-9",))
    unread = Unreadable("eks:ListPodIdentityAssociations", "eks:ListPodIdentityAssociations", "AccessDenied")
    for facts, reason in (
        (irsa_facts(addons=(owned,)), "no service account has the role of the addon: a-9"),
        (irsa_facts(addons=(owned,), pod_identities=unread), "AccessDenied"),
        (irsa_facts(addons=(AddonFacts("vpc-cni", "v1", "ACTIVE"),)), "--service-account"),
    ):
        diagnosis = diagnose(facts, target)
        (link,) = [link for chain in diagnosis.chains for link in chain.undecided]
        assert reason in link.reason
        assert diagnosis.exit_code is ExitCode.NOT_JUDGED


def test_a_role_that_may_not_grow_volumes_is_a_fault_only_if_a_claim_grows() -> None:
    documents = (DRIVER_ACTIONS, {**DRIVER_ACTIONS, **GROWTH_ACTIONS})
    minimal, complete = (
        driver_role(policies=(PolicyFacts("own", json.dumps({"Statement": [statement]})),))
        for statement in ({"Effect": "Allow", "Action": list(each), "Resource": "*"} for each in documents)
    )
    growing = (claim(resizing=True), claim(1), claim(2))
    assert diagnose(irsa_facts(roles=(minimal,))).exit_code is ExitCode.HEALTHY
    assert diagnose(irsa_facts(roles=(complete,), claims=growing)).exit_code is ExitCode.HEALTHY
    (finding,) = diagnose(irsa_facts(roles=(minimal,), claims=growing)).findings
    assert finding.id_ == "permissions-missing"
    assert finding.is_ == f"role {ROLE} may not: ec2:DescribeVolumesModifications, ec2:ModifyVolume"
    assert finding.affected == (f"claim {claim().id_}",)
    # The claim of another driver grows.
    efs = (StorageClassFacts("gp2", "efs.csi.aws.com"),)
    assert list_causes(diagnose(irsa_facts(roles=(minimal,), claims=growing, storage_classes=efs, volumes=()))) == []


def test_a_boundary_that_does_not_let_volumes_grow_counts_only_if_a_claim_grows() -> None:
    limit = PolicyFacts(
        "limit", json.dumps({"Statement": {"Effect": "Allow", "Action": list(DRIVER_ACTIONS), "Resource": "*"}})
    )
    denied = SimulatedAction("ec2:ModifyVolume", "implicitDeny", allowed_by_boundary=False)
    growing = (claim(resizing=True),)
    for role in (driver_role(boundary=limit), driver_role(simulated=(denied,))):
        assert diagnose(irsa_facts(roles=(role,))).exit_code is ExitCode.HEALTHY
        assert list_causes(diagnose(irsa_facts(roles=(role,), claims=growing))) == ["permissions-boundary"]


def test_a_simulation_without_the_condition_keys_of_the_boundary_is_no_fault() -> None:
    def limit(key: str) -> PolicyFacts:
        statement = {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {key: REGION}}}
        return PolicyFacts("limit", json.dumps({"Statement": statement}))

    denied = SimulatedAction("ec2:CreateVolume", "implicitDeny", allowed_by_boundary=False)
    role = driver_role(boundary=limit("aws:RequestedRegion"), simulated=(denied,))
    assert diagnose(irsa_facts(roles=(role,))).exit_code is ExitCode.HEALTHY
    # Also where the policies deny it.
    bare = replace(role, policies=())
    assert list_causes(diagnose(irsa_facts(roles=(bare,)))) == ["permissions-missing"]
    other = replace(role, boundary=limit("aws:RequestTag/region"))
    assert list_causes(diagnose(irsa_facts(roles=(other,)))) == ["permissions-boundary"]


def test_an_action_that_was_not_simulated_is_judged_by_the_policies() -> None:
    document = json.loads(managed_policy("AmazonEBSCSIDriverPolicyV2").document)
    document["Statement"].append({"Effect": "Deny", "Action": "ec2:DescribeVolumes", "Resource": "*"})
    role = driver_role(
        policies=(PolicyFacts("own", json.dumps(document)),),
        simulated=(SimulatedAction("ec2:CreateVolume", "allowed"),),
    )
    (finding,) = diagnose(irsa_facts(roles=(role,))).findings
    assert finding.is_ == f"role {ROLE} may not: ec2:DescribeVolumes"


def test_a_snapshot_without_the_tags_that_the_policies_require_is_tagged() -> None:
    (finding,) = diagnose(with_untagged_snapshot()).findings
    assert finding.is_.endswith("and not snap-0123456789abcdef0")
    assert finding.commands == (
        "aws ec2 create-tags --resources snap-0123456789abcdef0 --tags Key=ebs.csi.aws.com/cluster,Value=true "
        "Key=ebs.csi.aws.com/cluster-name,Value=prod",
    )


def test_tags_of_a_snapshot_are_no_fault_without_the_message_of_ec2() -> None:
    assert list_causes(diagnose(with_untagged_snapshot("external provisioner is provisioning volume"))) == []


def test_the_snapshot_of_a_claim_with_a_volume_is_not_needed_any_more() -> None:
    facts = with_snapshot()
    assert list_causes(diagnose(facts)) == ["permissions-snapshot"]
    grown = tuple(replace(each, phase="Bound", volume="pvc-0", resizing=True) for each in facts.claims)  # ty: ignore
    assert list_causes(diagnose(replace(facts, claims=grown, events=()))) == []
