"""The EBS CSI driver with an identity that works."""

from collections.abc import Callable

import pulumi
import pytest

from eks_rocketmq import EbsCsiAddon, EbsCsiAddonArgs
from tests.unit.harness import Fakes, Recording, run
from tests.unit.harness.fakes import ACCOUNT, ISSUER
from tests.unit.harness.trust import Token, admits

PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER.removeprefix('https://')}"
ARGS: EbsCsiAddonArgs = {
    "cluster_name": "prod",
    "issuer": ISSUER,
    "provider_arn": PROVIDER,
    "role_name": "eks-ebs-csi-driver",
}


def program(args: EbsCsiAddonArgs = ARGS) -> Callable[[], None]:
    def make() -> None:
        driver = EbsCsiAddon("ebs-csi", args)
        pulumi.export("role", driver.role_arn)
        pulumi.export("version", driver.addon_version)

    return make


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


def test_the_addon_runs_as_the_role_and_its_role_wins() -> None:
    assert run(program()).one("Addon").inputs == {
        "clusterName": "prod",
        "addonName": "aws-ebs-csi-driver",
        "serviceAccountRoleArn": f"arn:aws:iam::{ACCOUNT}:role/eks-ebs-csi-driver",
        "resolveConflictsOnCreate": "OVERWRITE",
        "resolveConflictsOnUpdate": "OVERWRITE",
        "tags": {"eks-rocketmq/stack": "eks-rocketmq/test"},
    }


def test_the_addon_waits_for_the_roles_policy_which_no_input_names(recording: Recording) -> None:
    assert recording.one("Addon").explicit_dependencies == {recording.one("RolePolicyAttachment").urn}


def test_the_drivers_service_account_and_no_other_takes_the_role(recording: Recording) -> None:
    trust = recording.one("Role").inputs["assumeRolePolicy"]
    assert admits(trust, Token(ISSUER, "system:serviceaccount:kube-system:ebs-csi-controller-sa"))
    assert not admits(trust, Token(ISSUER, "system:serviceaccount:kube-system:ebs-csi-node-sa"))


@pytest.mark.parametrize(
    ("permissions", "policy"),
    [("legacy", "service-role/AmazonEBSCSIDriverPolicy"), ("v2", "AmazonEBSCSIDriverPolicyV2")],
)
def test_permissions_choose_the_managed_policy(permissions: str, policy: str) -> None:
    recording = run(program({**ARGS, "permissions": permissions}))
    assert recording.one("RolePolicyAttachment").inputs["policyArn"] == f"arn:aws:iam::aws:policy/{policy}"


def test_version_and_tags_are_passed_on() -> None:
    recording = run(program({**ARGS, "addon_version": "v1.58.0-eksbuild.1", "tags": {"team": "messaging"}}))
    assert recording.one("Addon").inputs["addonVersion"] == "v1.58.0-eksbuild.1"
    assert recording.one("Addon").inputs["tags"]["team"] == "messaging"
    assert recording.one("Role").inputs["tags"]["team"] == "messaging"


@pytest.mark.parametrize("preview", [True, False])
def test_an_existing_driver_is_read_and_neither_it_nor_its_role_is_managed(preview: bool) -> None:
    answer = {"serviceAccountRoleArn": "arn:aws:iam::1:role/theirs", "addonVersion": "v1.60.0-eksbuild.1"}
    fakes = Fakes().answering("aws:eks/getAddon:getAddon", lambda _: answer)
    recording = run(program({**ARGS, "existing": True}), preview=preview, fakes=fakes)
    assert recording.inventory() == {"eks-rocketmq:index:EbsCsiAddon": 1}
    assert recording.outputs == {"role": "arn:aws:iam::1:role/theirs", "version": "v1.60.0-eksbuild.1"}


def test_unknown_permissions_are_refused_with_the_nearest_name() -> None:
    with pytest.raises(
        ValueError, match=r"permissions is 'legcy'; accepted are 'legacy' and 'v2'; did you mean 'legacy'\?"
    ):
        run(program({**ARGS, "permissions": "legcy"}), preview=True)
