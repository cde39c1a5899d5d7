"""The EBS CSI addon with its IAM identity, permissions and configuration."""

import asyncio
from collections.abc import Callable
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest
from pulumi import ResourceHookArgs
from pulumi.output import Unknown

from eks_rocketmq import EbsCsiAddon, EbsCsiAddonArgs, IrsaRole, IrsaRoleArgs, ServiceAccountArgs
from eks_rocketmq.eks.account import aws_create_checks
from eks_rocketmq.eks.ebs import driver_plan
from eks_rocketmq.eks.ebs.ebs_csi_policy import PolicyScope, build_key_policy, build_volume_policy
from eks_rocketmq.eks.iam.policy_documents import build_pod_identity_statements, build_trust_policy
from eks_rocketmq.lookups import check_hooks
from eks_rocketmq.lookups.aws_resources import ROLE
from eks_rocketmq.lookups.create_checks import OWNER_TAG, SKIP_VARIABLE
from eks_rocketmq.lookups.existing_resource import ExistingResource
from tests.unit.harness import UNKNOWN, Fakes, ProviderError, Recording, run
from tests.unit.harness.fakes import ACCOUNT, ISSUER, REGION
from tests.unit.harness.rejections import list_rejections, rejects
from tests.unit.harness.trust import PodIdentity, Token, admits

PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER.removeprefix('https://')}"
THEIRS = f"arn:aws:iam::{ACCOUNT}:role/theirs"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
OTHER_KEY = KEY.replace("1234abcd", "9876abcd")
ARGS: EbsCsiAddonArgs = {
    "cluster_name": "prod",
    "issuer": ISSUER,
    "provider_arn": PROVIDER,
    "role_name": "eks-ebs-csi-driver",
}


def program(args: Any = ARGS) -> Callable[[], None]:
    def register() -> None:
        driver = EbsCsiAddon("ebs-csi", args)
        pulumi.export("role", driver.role_arn)
        pulumi.export("version", driver.addon_version)

    return register


@pytest.fixture(params=[True, False], ids=["preview", "update"])
def recording(request: pytest.FixtureRequest) -> Recording:
    return run(program(), preview=request.param)


def test_role_policy_and_addon_are_created(recording: Recording) -> None:
    assert recording.inventory() == {
        "aws:eks/addon:Addon": 1,
        "aws:iam/role:Role": 1,
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment": 1,
        "eks-rocketmq:index:EbsCsiAddon": 1,
        "eks-rocketmq:index:IrsaRole": 1,
    }
    addon = recording.one("Addon")
    assert addon.before_create == ("ebs-csi-addon-preflight",)
    assert recording.parent(addon) == recording.one("EbsCsiAddon")
    assert recording.parent(recording.one("IrsaRole")) == recording.one("EbsCsiAddon")


def test_the_addon_has_the_role_and_overwrites_conflicts() -> None:
    assert run(program()).one("Addon").inputs == {
        "clusterName": "prod",
        "addonName": "aws-ebs-csi-driver",
        "serviceAccountRoleArn": f"arn:aws:iam::{ACCOUNT}:role/eks-ebs-csi-driver",
        "resolveConflictsOnCreate": "OVERWRITE",
        "resolveConflictsOnUpdate": "OVERWRITE",
        "tags": {"eks-rocketmq/stack": "eks-rocketmq/test"},
    }


def test_the_addon_depends_on_the_policy_of_its_role(recording: Recording) -> None:
    assert recording.one("RolePolicyAttachment").urn in recording.one("Addon").dependencies


def test_only_the_service_account_of_the_driver_can_assume_the_role(recording: Recording) -> None:
    trust = recording.one("Role").inputs["assumeRolePolicy"]
    assert admits(trust, Token(ISSUER, "system:serviceaccount:kube-system:ebs-csi-controller-sa"))
    assert not admits(trust, Token(ISSUER, "system:serviceaccount:kube-system:ebs-csi-node-sa"))


@pytest.mark.parametrize(
    ("permissions", "policy"),
    [
        ("legacy", "service-role/AmazonEBSCSIDriverPolicy"),
        ("v2", "AmazonEBSCSIDriverPolicyV2"),
        ("cluster_scoped", "AmazonEBSCSIDriverEKSClusterScopedPolicy"),
    ],
)
@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_permissions_select_the_managed_policy(permissions: str, policy: str, partition: str) -> None:
    fakes = Fakes().answering("aws:index/getPartition:getPartition", lambda _: {"partition": partition})
    recording = run(program({**ARGS, "permissions": permissions}), fakes=fakes)
    assert recording.one("RolePolicyAttachment").inputs["policyArn"] == f"arn:{partition}:iam::aws:policy/{policy}"
    assert recording.by_type("RolePolicy") == []


def test_cluster_scoped_permissions_tag_the_role_with_the_cluster_name() -> None:
    tags = {"eks-cluster-name": "prod", "eks-rocketmq/stack": "eks-rocketmq/test"}
    assert run(program({**ARGS, "permissions": "cluster_scoped"})).one("Role").inputs["tags"] == tags
    pod_identity = run(program({**ARGS, "permissions": "cluster_scoped", "identity": "pod_identity"}))
    assert "eks-cluster-name" not in pod_identity.one("Role").inputs["tags"], (
        "EKS Pod Identity sets it as a session tag"
    )


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_generated_permissions_are_for_one_cluster_in_its_partition(preview: bool, partition: str) -> None:
    caller = {"arn": f"arn:{partition}:sts::{ACCOUNT}:assumed-role/deployer/x", "accountId": ACCOUNT}
    fakes = Fakes().answering("aws:index/getCallerIdentity:getCallerIdentity", lambda _: caller)
    recording = run(program({**ARGS, "permissions": "generated"}), preview=preview, fakes=fakes)
    assert recording.inventory() == {
        "aws:eks/addon:Addon": 1,
        "aws:iam/role:Role": 1,
        "aws:iam/rolePolicy:RolePolicy": 1,
        "eks-rocketmq:index:EbsCsiAddon": 1,
        "eks-rocketmq:index:IrsaRole": 1,
    }
    policy = recording.one("RolePolicy")
    assert (policy.name, policy.inputs["name"]) == ("ebs-csi-driver-volumes", "volumes")
    assert policy.inputs["policy"] == build_volume_policy(
        PolicyScope(partition, REGION, ACCOUNT, "prod"), snapshots=False
    )
    assert policy.urn in recording.one("Addon").dependencies


def test_snapshots_extend_the_generated_permissions() -> None:
    policy = run(program({**ARGS, "permissions": "generated", "snapshots": True})).one("RolePolicy").inputs["policy"]
    assert policy == build_volume_policy(PolicyScope("aws", REGION, ACCOUNT, "prod"), snapshots=True)


@pytest.mark.parametrize("permissions", ["legacy", "v2", "cluster_scoped", "generated"])
@pytest.mark.parametrize("identity", ["irsa", "pod_identity"])
def test_every_permissions_value_includes_the_kms_keys(permissions: str, identity: str) -> None:
    recording = run(program({**ARGS, "permissions": permissions, "identity": identity, "kms_key_arns": [KEY]}))
    keys = recording.one("RolePolicy", "ebs-csi-driver-keys")
    assert keys.inputs["policy"] == build_key_policy([KEY])
    assert keys.urn in recording.one("Addon").dependencies


def test_a_key_created_in_the_same_update_is_unknown_at_preview() -> None:
    def register() -> None:
        role = aws.iam.Role("stands-for-a-key", name="k", assume_role_policy="{}")
        EbsCsiAddon("ebs-csi", {**ARGS, "kms_key_arns": [role.arn.apply(lambda _: KEY)]})

    preview, update = run(register, preview=True), run(register)
    assert preview.one("RolePolicy").inputs["policy"] == UNKNOWN
    assert update.one("RolePolicy").inputs["policy"] == build_key_policy([KEY])


def change_keys(before: list[str], after: list[str], wrap: Callable[[str], Any] = str) -> None:
    """Run the check before the update of the policy from some keys to others. `wrap` changes the new policy."""
    old, recording = (run(program({**ARGS, "kms_key_arns": keys}), preview=True) for keys in (before, after))
    (new,) = recording.by_type("RolePolicy")
    (hook,) = (recording.hooks[each] for each in new.before_update)

    async def run_hook() -> None:
        inputs = {"old_inputs": old.one("RolePolicy").inputs, "new_inputs": {"policy": wrap(new.inputs["policy"])}}
        await hook(ResourceHookArgs("urn", "id", new.name, new.type, **inputs))

    asyncio.run(run_hook())


def test_a_removed_key_is_refused_because_volumes_may_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    change_keys([KEY], [KEY, OTHER_KEY])
    with pytest.raises(RuntimeError, match=KEY) as error:
        change_keys([KEY, OTHER_KEY], [OTHER_KEY])
    assert list_rejections(error.value) == [("kms_key_arns", "key-removal")]
    monkeypatch.setenv(SKIP_VARIABLE, "1")
    change_keys([KEY, OTHER_KEY], [OTHER_KEY])


def test_keys_that_are_unknown_at_preview_are_checked_before_the_update(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    monkeypatch.setattr(check_hooks.pulumi.log, "warn", lines.append)
    change_keys([KEY], [OTHER_KEY], lambda _: Unknown())
    assert lines == []


def test_a_removed_key_is_not_named_if_the_keys_are_secret() -> None:
    change_keys([KEY], [KEY, OTHER_KEY], pulumi.Output.secret)
    with pytest.raises(RuntimeError, match=r"no longer be allowed to use \[secret\]") as error:
        change_keys([KEY], [OTHER_KEY], pulumi.Output.secret)
    assert KEY not in str(error.value)


def test_only_the_policy_with_the_keys_is_checked_for_removed_keys() -> None:
    recording = run(program({**ARGS, "permissions": "generated", "kms_key_arns": [KEY]}))
    hooks = {each.name: each.before_update for each in recording.by_type("RolePolicy")}
    assert hooks == {"ebs-csi-driver-keys": ("ebs-csi-driver-keys-removal",), "ebs-csi-driver-volumes": ()}


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_pod_identity_is_an_association_in_the_addon(preview: bool, partition: str) -> None:
    caller = {"arn": f"arn:{partition}:iam::{ACCOUNT}:user/deployer", "accountId": ACCOUNT}
    fakes = Fakes().answering("aws:index/getCallerIdentity:getCallerIdentity", lambda _: caller)
    args: EbsCsiAddonArgs = {"cluster_name": "prod", "role_name": "driver", "identity": "pod_identity"}
    recording = run(program(args), preview=preview, fakes=fakes)
    assert recording.by_type("PodIdentityAssociation") == []
    addon = recording.one("Addon").inputs
    assert "serviceAccountRoleArn" not in addon
    role = UNKNOWN if preview else f"arn:aws:iam::{ACCOUNT}:role/driver"
    assert addon["podIdentityAssociations"] == [{"roleArn": role, "serviceAccount": "ebs-csi-controller-sa"}]
    trust = recording.one("Role").inputs["assumeRolePolicy"]
    cluster = f"arn:{partition}:eks:{REGION}:{ACCOUNT}:cluster/prod"
    assert admits(trust, PodIdentity(cluster, "kube-system", "ebs-csi-controller-sa"))
    assert not admits(trust, PodIdentity(cluster, "kube-system", "ebs-csi-node-sa"))
    assert not admits(trust, PodIdentity(f"{cluster}2", "kube-system", "ebs-csi-controller-sa"))


def test_the_newest_version_is_resolved_only_with_most_recent() -> None:
    recording = run(program({**ARGS, "most_recent": True, "kubernetes_version": "1.35"}))
    lookup = {"addonName": "aws-ebs-csi-driver", "kubernetesVersion": "1.35", "mostRecent": True}
    assert ("aws:eks/getAddonVersion:getAddonVersion", lookup) in recording.invokes
    assert recording.one("Addon").inputs["addonVersion"] == "v1.35.9-eksbuild.1"
    assert [token for token, _ in run(program()).invokes] == ["aws:index/getPartition:getPartition"]


def test_configuration_conflict_and_role_arguments_are_passed_to_aws() -> None:
    recording = run(
        program(
            {
                **ARGS,
                "configuration": {"controller_replicas": 3, "values": {"controller": {"loggingFormat": "json"}}},
                "resolve_conflicts_on_create": "NONE",
                "resolve_conflicts_on_update": "PRESERVE",
                "preserve": True,
                "permissions_boundary": f"arn:aws:iam::{ACCOUNT}:policy/boundary",
                "path": "/team/",
            }
        )
    )
    addon, role = recording.one("Addon").inputs, recording.one("Role").inputs
    assert addon["configurationValues"] == '{"controller":{"loggingFormat":"json","replicaCount":3}}'
    assert (addon["resolveConflictsOnCreate"], addon["resolveConflictsOnUpdate"]) == ("NONE", "PRESERVE")
    assert addon["preserve"] is True
    assert (role["path"], role["permissionsBoundary"]) == ("/team/", f"arn:aws:iam::{ACCOUNT}:policy/boundary")


def test_the_error_for_an_existing_role_names_the_component_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws_create_checks, "find_resource", lambda *_: ExistingResource("reader", {}))

    def get_error(register: Callable[[], object], name: str) -> str:
        hook = run(register, preview=True).hooks[f"{name}-preflight"]
        role = pulumi.ResourceHookArgs(urn="u", id="", name=name, type=ROLE, new_inputs={"name": "reader"})
        with pytest.raises(RuntimeError) as raised:
            asyncio.run(hook(role))
        return str(raised.value)

    assert "without managing it: set existing to true\n" in get_error(program(), "ebs-csi-driver-role")
    accounts: list[ServiceAccountArgs] = [{"namespace": "apps", "name": "reader"}]
    args: IrsaRoleArgs = {
        "role_name": "reader",
        "issuer": ISSUER,
        "provider_arn": PROVIDER,
        "service_accounts": accounts,
    }
    assert "use its ARN, and leave this component out" in get_error(lambda: IrsaRole("reader", args), "reader-role")


def test_the_addon_depends_on_the_depends_on_option() -> None:
    def register() -> None:
        nodes = pulumi.ComponentResource("test:index:Nodes", "nodes")
        role = aws.iam.Role("node", name="n", assume_role_policy="{}", opts=pulumi.ResourceOptions(parent=nodes))
        nodes.register_outputs({"arn": role.arn})
        EbsCsiAddon("ebs-csi", ARGS, pulumi.ResourceOptions(depends_on=[nodes]))

    recording = run(register)
    assert recording.reaches(recording.one("Addon"), recording.one("Role", "node"))


def test_version_and_tags_are_passed_to_aws() -> None:
    recording = run(program({**ARGS, "addon_version": "v1.58.0-eksbuild.1", "tags": {"team": "messaging"}}))
    assert recording.one("Addon").inputs["addonVersion"] == "v1.58.0-eksbuild.1"
    assert recording.one("Addon").inputs["tags"]["team"] == "messaging"
    assert recording.one("Role").inputs["tags"]["team"] == "messaging"


@pytest.mark.parametrize("preview", [True, False])
def test_an_existing_addon_is_read_without_managing_the_addon_or_its_role(preview: bool) -> None:
    answer = {"serviceAccountRoleArn": THEIRS, "addonVersion": "v1.60.0-eksbuild.1"}
    fakes = Fakes().answering("aws:eks/getAddon:getAddon", lambda _: answer)
    recording = run(program({**ARGS, "existing": True}), preview=preview, fakes=fakes)
    assert recording.inventory() == {"eks-rocketmq:index:EbsCsiAddon": 1}
    assert recording.outputs == {"role": THEIRS, "version": "v1.60.0-eksbuild.1"}


def fake_addon(answer: dict[str, Any] | Exception) -> Fakes:
    def get_addon(_: object) -> dict[str, Any]:
        if isinstance(answer, Exception):
            raise answer
        return {"addonVersion": "v1.60.0-eksbuild.1", **answer}

    return Fakes().answering("aws:eks/getAddon:getAddon", get_addon)


def test_an_existing_addon_rejects_arguments_that_have_no_effect() -> None:
    given: Any = {**ARGS, "existing": True, "kubernetes_version": "1.35", "preserve": False, **driver_plan.DEFAULTS}
    assert driver_plan.plan_driver(given)
    for argument in driver_plan.MANAGED_ONLY:
        with rejects((argument, "ignored-argument")):
            driver_plan.plan_driver({**given, argument: "x"})
    # The component reads the other arguments, or a program passes them in both cases.
    others = ARGS.keys() | {"existing", "kubernetes_version", "kubeconfig", "self_managed", "auto_mode"}
    assert {*driver_plan.MANAGED_ONLY, *others} == EbsCsiAddonArgs.__annotations__.keys()


def test_an_addon_of_this_stack_is_not_given_up_by_the_argument_existing() -> None:
    def register(stack: str) -> Recording:
        tags = {OWNER_TAG: f"eks-rocketmq/{stack}"}
        fakes = fake_addon({"serviceAccountRoleArn": THEIRS, "arn": "arn", "tags": tags})
        return run(program({**ARGS, "existing": True}), preview=True, fakes=fakes)

    with rejects(("existing", "managed-by-this-stack")):
        register("test")
    assert register("other").outputs["role"] == THEIRS


def test_an_existing_addon_can_have_its_role_from_an_association() -> None:
    associations = [
        {"serviceAccount": "ebs-csi-node-sa", "roleArn": "arn:aws:iam::1:role/node"},
        {"serviceAccount": "ebs-csi-controller-sa", "roleArn": THEIRS},
    ]
    cluster = f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/prod"
    trust = build_trust_policy(build_pod_identity_statements(cluster, [("kube-system", "ebs-csi-controller-sa")]))
    fakes = fake_addon({"serviceAccountRoleArn": "", "podIdentityAssociations": associations}).answering(
        "aws:iam/getRole:getRole", lambda _: {"arn": THEIRS, "assumeRolePolicy": trust}
    )
    assert run(program({**ARGS, "existing": True}), fakes=fakes).outputs["role"] == THEIRS


@pytest.mark.parametrize("preview", [True, False])
def test_a_missing_addon_is_rejected(preview: bool) -> None:
    missing = ProviderError("reading EKS Add-On (prod:aws-ebs-csi-driver): couldn't find resource")
    message = "addon aws-ebs-csi-driver of cluster 'prod' cannot be read: .*find resource\n.*leave existing out"
    with pytest.raises(pulumi.RunError, match=message):
        run(program({**ARGS, "existing": True}), preview=preview, fakes=fake_addon(missing))


@pytest.mark.parametrize(
    "answer",
    [
        {"serviceAccountRoleArn": "", "podIdentityAssociations": []},
        {"podIdentityAssociations": [{"serviceAccount": "ebs-csi-node-sa", "roleArn": "arn:aws:iam::1:role/n"}]},
    ],
)
@pytest.mark.parametrize("preview", [True, False])
def test_an_existing_addon_without_a_role_is_rejected(preview: bool, answer: Any) -> None:
    with rejects(("existing", "driver-without-role")):
        run(program({**ARGS, "existing": True}), preview=preview, fakes=fake_addon(answer))


@pytest.mark.parametrize(
    ("changed", "path", "code"),
    [
        ({"permissions": "legcy"}, "permissions", "choice"),
        ({"identity": "pod-identity"}, "identity", "choice"),
        ({"resolve_conflicts_on_create": "PRESERVE"}, "resolve_conflicts_on_create", "choice"),
        ({"resolve_conflicts_on_update": "overwrite"}, "resolve_conflicts_on_update", "choice"),
        ({"snapshots": True}, "snapshots", "snapshots-included"),
        ({"most_recent": True}, "kubernetes_version", "most-recent-without-kubernetes-version"),
        ({"most_recent": True, "addon_version": "v1"}, "addon_version", "ignored-argument"),
        ({"addon_version": "latest"}, "addon_version", "addon-version"),
        (
            {"addon_version": "v1.57.1-eksbuild.1", "permissions": "cluster_scoped"},
            "addon_version",
            "driver-without-cluster-tags",
        ),
        ({"permissions_boundary": "foo"}, "permissions_boundary", "policy-arn"),
        ({"kms_key_arns": [KEY, "mine"]}, "kms_key_arns[1]", "kms-key-arn"),
        ({"kms_key_arns": [f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/mine"]}, "kms_key_arns[0]", "kms-key-arn"),
        ({"configuration": {"controller_replicas": 0}}, "configuration.controller_replicas", "range"),
        ({"configuration": {"controller_replica": 2}}, "configuration.controller_replica", "unknown-field"),
        ({"configuration": {"values": []}}, "configuration.values", "wrong-type"),
    ],
)
def test_invalid_arguments_are_rejected_at_preview(changed: dict[str, Any], path: str, code: str) -> None:
    with rejects((path, code)):
        run(program({**ARGS, **changed}), preview=True)


def test_an_invalid_output_is_rejected_when_its_value_is_known() -> None:
    def register() -> None:
        EbsCsiAddon("ebs-csi", {**ARGS, "kms_key_arns": [KEY, pulumi.Output.from_input("mine")]})

    with rejects(("kms_key_arns[1]", "kms-key-arn")):
        run(register, preview=True)
    with rejects(("cluster_name", "cluster-name")):
        run(program({**ARGS, "permissions": "generated", "cluster_name": "pr*"}), preview=True)


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        (lambda: {"issuer": pulumi.Output.from_input(3)}, "issuer"),
        (lambda: {"kms_key_arns": [KEY, pulumi.Output.from_input({"arn": KEY})]}, "kms_key_arns[1]"),
        (lambda: {"kms_key_arns": [pulumi.Output.secret(3)]}, "kms_key_arns[0]"),
        (lambda: {"permissions": "generated", "cluster_name": pulumi.Output.from_input(3)}, "cluster_name"),
        (lambda: {"existing": True, "cluster_name": pulumi.Output.from_input(3)}, "cluster_name"),
    ],
)
def test_an_output_of_another_type_is_rejected(changed: Callable[[], dict[str, Any]], path: str) -> None:
    def register() -> None:
        args: Any = {**ARGS, **changed()}
        EbsCsiAddon("ebs-csi", args)

    with rejects((path, "wrong-type")):
        run(register)


@pytest.mark.parametrize("missing", [("issuer",), ("issuer", "provider_arn")])
def test_irsa_requires_issuer_and_provider_arn(missing: tuple[str, ...]) -> None:
    args = {key: value for key, value in ARGS.items() if key not in missing}
    with rejects(*((name, "irsa-without-issuer") for name in missing)):
        run(program(args), preview=True)
