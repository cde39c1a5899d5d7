"""EKS addons of both stages: identities, versions, configuration and rejected arguments."""

import json
from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from eks_rocketmq import ClusterAddons
from tests.unit.harness import Recording, run
from tests.unit.harness.fakes import ACCOUNT, ISSUER, REGION
from tests.unit.harness.rejections import rejects
from tests.unit.harness.trust import PodIdentity, Token, admits

PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER.removeprefix('https://')}"
CNI_POLICY = "arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy"
IRSA = {"role_name": "prod-vpc-cni", "issuer": ISSUER, "provider_arn": PROVIDER}
BEFORE: dict[str, Any] = {"cluster_name": "prod", "stage": "before_nodes", "vpc_cni": IRSA}
AFTER: dict[str, Any] = {"cluster_name": "prod", "stage": "after_nodes"}
GET_VERSION = "aws:eks/getAddonVersion:getAddonVersion"


def program(args: Any) -> Callable[[], None]:
    def register() -> None:
        pulumi.export("versions", ClusterAddons("base", args).versions)

    return register


def read_configuration(recording: Recording) -> Any:
    return json.loads(recording.one("Addon", "base-vpc-cni").inputs["configurationValues"])


@pytest.fixture(scope="module", params=[True, False], ids=["preview", "update"])
def before(request: pytest.FixtureRequest) -> Recording:
    return run(program(BEFORE), preview=request.param)


def test_the_before_nodes_stage_installs_kube_proxy_and_vpc_cni(before: Recording) -> None:
    assert before.inventory() == {
        "aws:eks/addon:Addon": 2,
        "aws:iam/role:Role": 1,
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment": 1,
        "eks-rocketmq:index:ClusterAddons": 1,
        "eks-rocketmq:index:IrsaRole": 1,
    }
    assert [addon.inputs["addonName"] for addon in before.by_type("Addon")] == ["kube-proxy", "vpc-cni"]
    component = before.one("ClusterAddons")
    assert {addon.parent for addon in before.by_type("Addon")} == {component.urn}
    assert before.one("IrsaRole").parent == component.urn


def test_an_addon_overwrites_conflicts_and_is_preserved_on_deletion(before: Recording) -> None:
    assert dict(before.one("Addon", "base-kube-proxy").inputs) == {
        "addonName": "kube-proxy",
        "clusterName": "prod",
        "preserve": True,
        "resolveConflictsOnCreate": "OVERWRITE",
        "resolveConflictsOnUpdate": "OVERWRITE",
        "tags": {"eks-rocketmq/stack": "eks-rocketmq/test"},
    }
    for addon in before.by_type("Addon"):
        assert addon.before_create == (f"{addon.name}-preflight",)


def test_vpc_cni_has_its_own_role_and_depends_on_the_policy(before: Recording) -> None:
    trust = before.one("Role").inputs["assumeRolePolicy"]
    assert admits(trust, Token(ISSUER, "system:serviceaccount:kube-system:aws-node"))
    assert not admits(trust, Token(ISSUER, "system:serviceaccount:kube-system:other"))
    policy = before.one("RolePolicyAttachment")
    assert policy.inputs["policyArn"] == CNI_POLICY
    cni = before.one("Addon", "base-vpc-cni")
    assert policy.urn in cni.dependencies
    assert before.one("Role").urn in cni.property_dependencies["serviceAccountRoleArn"]
    assert "serviceAccountRoleArn" not in before.one("Addon", "base-kube-proxy").inputs


def test_network_policies_are_enabled_by_default(before: Recording) -> None:
    assert read_configuration(before) == {"enableNetworkPolicy": "true"}
    off = run(program({**BEFORE, "vpc_cni": {**IRSA, "network_policy": False, "prefix_delegation": True}}))
    assert read_configuration(off) == {
        "enableNetworkPolicy": "false",
        "env": {"ENABLE_PREFIX_DELEGATION": "true", "WARM_PREFIX_TARGET": "1"},
    }


def test_custom_configuration_is_merged_over_the_defaults_with_sorted_keys() -> None:
    configuration = {"env": {"WARM_PREFIX_TARGET": "2", "A": "b"}, "a": 1}
    addons = [{"name": "vpc-cni", "configuration": configuration}, {"name": "kube-proxy"}]
    recording = run(program({**BEFORE, "addons": addons, "vpc_cni": {**IRSA, "prefix_delegation": True}}))
    assert read_configuration(recording) == {
        "a": 1,
        "enableNetworkPolicy": "true",
        "env": {"A": "b", "ENABLE_PREFIX_DELEGATION": "true", "WARM_PREFIX_TARGET": "2"},
    }
    text = recording.one("Addon", "base-vpc-cni").inputs["configurationValues"]
    assert text == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))


def test_the_after_nodes_stage_installs_coredns() -> None:
    recording = run(program({**AFTER, "preserve": False, "tags": {"team": "messaging"}}), preview=True)
    assert recording.inventory() == {"aws:eks/addon:Addon": 1, "eks-rocketmq:index:ClusterAddons": 1}
    addon = recording.one("Addon").inputs
    assert (addon["addonName"], addon["preserve"], addon["tags"]["team"]) == ("coredns", False, "messaging")
    assert "configurationValues" not in addon


def test_other_addons_are_installed_in_the_after_nodes_stage() -> None:
    recording = run(program({**AFTER, "addons": [{"name": "metrics-server"}, {"name": "coredns"}]}))
    assert [addon.name for addon in recording.by_type("Addon")] == ["base-coredns", "base-metrics-server"]
    assert sorted(recording.outputs["versions"]) == ["coredns", "metrics-server"]


@pytest.mark.parametrize("preview", [True, False])
def test_vpc_cni_can_use_eks_pod_identity(preview: bool) -> None:
    arn = f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/prod"
    identity = {"identity": "pod_identity", "role_name": "prod-vpc-cni", "cluster_arn": arn}
    recording = run(program({**BEFORE, "pod_identity_agent": True, "vpc_cni": identity}), preview=preview)
    assert [addon.inputs["addonName"] for addon in recording.by_type("Addon")] == [
        "eks-pod-identity-agent",
        "kube-proxy",
        "vpc-cni",
    ]
    trust = recording.one("Role").inputs["assumeRolePolicy"]
    assert admits(trust, PodIdentity(arn, "kube-system", "aws-node"))
    assert not admits(trust, PodIdentity(arn, "kube-system", "other"))
    assert recording.by_type("PodIdentityAssociation") == []
    cni = recording.one("Addon", "base-vpc-cni")
    (association,) = cni.inputs["podIdentityAssociations"]
    assert association["serviceAccount"] == "aws-node"
    assert recording.one("Role").urn in cni.property_dependencies["podIdentityAssociations"]
    assert recording.one("RolePolicyAttachment").urn in cni.dependencies
    assert "serviceAccountRoleArn" not in cni.inputs


def test_vpc_cni_can_use_the_node_role() -> None:
    # Programs may pass issuer and provider_arn of the cluster with every identity.
    cluster_args = {key: value for key, value in IRSA.items() if key != "role_name"}
    recording = run(program({**BEFORE, "vpc_cni": {"identity": "node", **cluster_args}}))
    assert recording.by_type("Role") == []
    assert "serviceAccountRoleArn" not in recording.one("Addon", "base-vpc-cni").inputs


def test_vpc_cni_identity_is_not_required_without_vpc_cni() -> None:
    recording = run(program({"cluster_name": "prod", "stage": "before_nodes", "addons": [{"name": "kube-proxy"}]}))
    assert recording.inventory() == {"aws:eks/addon:Addon": 1, "eks-rocketmq:index:ClusterAddons": 1}


@pytest.mark.parametrize("preview", [True, False])
def test_addon_version_is_the_installed_the_pinned_or_the_resolved_one(preview: bool) -> None:
    pinned = [{"name": "coredns", "version": "v1.12.4-eksbuild.1"}, {"name": "metrics-server"}]
    expected = {"installed": None, "default": "v1.35.1-eksbuild.1", "latest": "v1.35.9-eksbuild.1"}
    for versions, resolved in expected.items():
        args = {**AFTER, "addons": pinned, "versions": versions, "kubernetes_version": "1.35"}
        recording = run(program(args), preview=preview)
        assert recording.one("Addon", "base-coredns").inputs["addonVersion"] == "v1.12.4-eksbuild.1"
        assert recording.one("Addon", "base-metrics-server").inputs.get("addonVersion") == resolved
        lookups = [a["addonName"] for token, a in recording.invokes if token == GET_VERSION]
        assert lookups == ([] if resolved is None else ["metrics-server"])


@pytest.mark.parametrize(
    ("args", "rejections"),
    [
        ({**BEFORE, "stage": "before-nodes"}, [("stage", "choice")]),
        ({**BEFORE, "addons": [{"name": "coredns"}], "vpc_cni": IRSA}, [("vpc_cni", "vpc-cni-not-installed")]),
        (
            {"cluster_name": "prod", "stage": "before_nodes", "addons": [{"name": "coredns"}]},
            [("addons['coredns']", "addon-after-nodes")],
        ),
        ({**AFTER, "addons": [{"name": "vpc-cni"}]}, [("addons['vpc-cni']", "addon-before-nodes")]),
        ({**AFTER, "addons": [{"name": "kube-proxy"}]}, [("addons['kube-proxy']", "addon-before-nodes")]),
        ({**AFTER, "pod_identity_agent": True}, [("pod_identity_agent", "addon-before-nodes")]),
        ({**AFTER, "vpc_cni": IRSA}, [("vpc_cni", "vpc-cni-not-installed")]),
        ({"cluster_name": "prod", "stage": "before_nodes"}, [("vpc_cni", "vpc-cni-missing")]),
        (
            {**BEFORE, "vpc_cni": {"identity": "irsa", "role_name": "r"}},
            [("vpc_cni.issuer", "vpc-cni-field-missing"), ("vpc_cni.provider_arn", "vpc-cni-field-missing")],
        ),
        ({**BEFORE, "vpc_cni": {"identity": "pod-identity"}}, [("vpc_cni.identity", "choice")]),
        (
            {**BEFORE, "vpc_cni": {"identity": "pod_identity"}},
            [("vpc_cni.role_name", "vpc-cni-field-missing"), ("vpc_cni.cluster_arn", "vpc-cni-field-missing")],
        ),
        (
            {**BEFORE, "vpc_cni": {"identity": "pod_identity", "role_name": "r", "cluster_arn": "a"}},
            [("vpc_cni.identity", "vpc-cni-agent")],
        ),
        ({**BEFORE, "vpc_cni": {**IRSA, "identity": "node"}}, [("vpc_cni.role_name", "ignored-argument")]),
        (
            {**AFTER, "addons": [{"name": "aws-ebs-csi-driver"}]},
            [("addons['aws-ebs-csi-driver']", "addon-with-component")],
        ),
        ({**AFTER, "addons": [{"name": "Core DNS"}]}, [("addons['Core DNS'].name", "addon-name")]),
        ({**AFTER, "addons": [{"name": "coredns"}] * 2}, [("addons", "duplicate")]),
        (
            {**AFTER, "addons": [{"name": "coredns", "version": "1.12"}]},
            [("addons['coredns'].version", "addon-version")],
        ),
        (
            {
                **AFTER,
                "addons": [
                    {
                        "name": "coredns",
                        "configuration": {"resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}},
                    }
                ],
            },
            [("addons['coredns'].configuration['resources']['requests']['cpu']", "request-above-limit")],
        ),
        (
            {**AFTER, "addons": [{"name": "coredns", "configuration": {"tolerations": [{"operator": "In"}]}}]},
            [("addons['coredns'].configuration['tolerations'][0]['operator']", "choice")],
        ),
        (
            {**AFTER, "addons": [{"name": "coredns", "configuration": {"zones": {"eu-west-1a"}}}]},
            [("addons['coredns'].configuration", "values-no-json")],
        ),
        ({**AFTER, "versions": "newest"}, [("versions", "choice")]),
        ({**AFTER, "versions": "latest"}, [("versions", "addon-versions-lookup")]),
    ],
)
def test_invalid_addon_arguments_are_rejected_before_any_resource_is_registered(
    args: dict[str, Any], rejections: list[tuple[str, str]]
) -> None:
    recording = Recording(preview=True)
    with rejects(*rejections):
        run(program(args), preview=True, recording=recording)
    assert [r.urn for r in recording.resources.values() if r.custom] == []


@pytest.mark.parametrize(
    ("changed", "path", "code"),
    [
        ({"role_name": "r" * 65}, "vpc_cni.role_name", "role-name"),
        ({"issuer": "issuer"}, "vpc_cni.issuer", "oidc-issuer"),
    ],
)
def test_a_role_error_has_the_path_of_the_vpc_cni_argument(changed: dict[str, str], path: str, code: str) -> None:
    with rejects((path, code)):
        run(program({**BEFORE, "vpc_cni": {**IRSA, **changed}}), preview=True)


@pytest.mark.parametrize(
    ("changed", "path", "code"),
    [
        (lambda: {"issuer": pulumi.Output.from_input("issuer")}, "issuer", "oidc-issuer"),
        (lambda: {"issuer": pulumi.Output.secret("issuer")}, "issuer", "secret-value"),
        (lambda: {"issuer": pulumi.Output.from_input(f"{ISSUER}0")}, "provider_arn", "provider-of-another-issuer"),
        (lambda: {"provider_arn": pulumi.Output.from_input(3)}, "provider_arn", "wrong-type"),
        (lambda: {"identity": "pod_identity", "cluster_arn": "prod"}, "cluster_arn", "cluster-arn"),
        (
            lambda: {"identity": "pod_identity", "cluster_arn": pulumi.Output.from_input("prod")},
            "cluster_arn",
            "cluster-arn",
        ),
    ],
)
def test_a_role_error_of_an_output_has_the_path_of_the_vpc_cni_argument(
    changed: Callable[[], dict[str, object]], path: str, code: str
) -> None:
    def register() -> None:
        args: Any = {**BEFORE, "pod_identity_agent": True, "vpc_cni": {**IRSA, **changed()}}
        ClusterAddons("base", args)

    with rejects((f"vpc_cni.{path}", code)):
        run(register)
