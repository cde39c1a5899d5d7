"""The self-managed EBS CSI driver, the driver of EKS Auto Mode, and their conflicts with the addon."""

import asyncio
from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from eks_rocketmq import EbsCsiAddon
from eks_rocketmq.eks.account import aws_create_checks
from eks_rocketmq.eks.ebs.self_managed_driver import get_restart_annotations
from eks_rocketmq.lookups.create_checks import OWNER_TAG
from sandbox.engine.kubernetes import kinds
from sandbox.engine.kubernetes.diff import difference
from sandbox.engine.kubernetes.state import Checkpoint
from tests.unit.harness import Fakes, ProviderError, Recording, run, run_stack
from tests.unit.harness.fakes import ACCOUNT, ISSUER, auto_mode_cluster
from tests.unit.harness.rejections import rejects
from tests.unit.harness.trust import Token, admits
from tests.unit.kubernetes_api import Api
from tests.unit.stack.settings_case import prod

PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER.removeprefix('https://')}"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/eks-ebs-csi-driver"
OTHER = f"arn:aws:iam::{ACCOUNT}:role/other"
ARGS = {"cluster_name": "prod", "issuer": ISSUER, "provider_arn": PROVIDER, "role_name": "eks-ebs-csi-driver"}
KINDS: dict[str, dict[str, Any]] = {"self_managed": {"self_managed": {}}, "auto_mode": {"auto_mode": True}}
RESTARTED = "eks-rocketmq/restarted-for-role"
SYSTEM = "/api/v1/namespaces/kube-system"
DEPLOYMENTS = "/apis/apps/v1/namespaces/kube-system/deployments"


def program(**more: Any) -> Callable[[], None]:
    def register() -> None:
        args: Any = {**ARGS, **more}
        driver = EbsCsiAddon("ebs-csi", args)
        pulumi.export("role", driver.role_arn)
        pulumi.export("version", driver.addon_version)

    return register


def controller(name: str = "ebs-csi-controller", *, labels: Any = None, image: str = "", template: Any = None) -> Any:
    return {
        "metadata": {"name": name, "namespace": "kube-system", "labels": labels or {}},
        "spec": {
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}, **({"annotations": template} if template else {})},
                "spec": {
                    "serviceAccountName": "ebs-csi-controller-sa",
                    "containers": [{"name": "ebs-plugin", "image": image}],
                },
            },
        },
    }


def pod(role: str | None, account: str = "ebs-csi-controller-sa", **metadata: str) -> Any:
    variables = [{"name": "AWS_ROLE_ARN", "value": role}] if role else []
    containers = [{"name": "csi-provisioner"}, {"name": "ebs-plugin", "env": variables}]
    return {"metadata": metadata, "spec": {"serviceAccountName": account, "containers": containers}}


def install_driver(api: Api, *roles: str | None, template: Any = None) -> dict[str, Any]:
    """Serve a cluster with a driver whose pods have these roles, and return the arguments for it."""
    api.objects = {
        f"{DEPLOYMENTS}/ebs-csi-controller": controller(template=template),
        f"{SYSTEM}/serviceaccounts/ebs-csi-controller-sa": {"metadata": {"name": "ebs-csi-controller-sa"}},
        **{f"{SYSTEM}/pods/{number}": pod(role) for number, role in enumerate(roles)},
    }
    return {"self_managed": {}, "kubeconfig": api.kubeconfig}


def read_pod_annotations(recording: Recording) -> Any:
    inputs = recording.one("DeploymentPatch").inputs
    return inputs["spec"]["template"]["metadata"]["annotations"] if "spec" in inputs else {}


@pytest.mark.parametrize("preview", [True, False])
def test_a_self_managed_driver_gets_a_role_and_an_annotation_but_no_addon(api: Api, preview: bool) -> None:
    recording = run(program(**install_driver(api, None, None)), preview=preview)
    assert recording.inventory() == {
        "aws:iam/role:Role": 1,
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment": 1,
        "eks-rocketmq:index:EbsCsiAddon": 1,
        "eks-rocketmq:index:IrsaRole": 1,
        "kubernetes:apps/v1:DeploymentPatch": 1,
        "kubernetes:core/v1:ServiceAccountPatch": 1,
    }
    trust = recording.one("Role").inputs["assumeRolePolicy"]
    assert admits(trust, Token(ISSUER, "system:serviceaccount:kube-system:ebs-csi-controller-sa"))
    account, deployment = recording.one("ServiceAccountPatch"), recording.one("DeploymentPatch")
    assert recording.one("RolePolicyAttachment").urn in account.dependencies
    # The annotation's value does not imply this dependency, so it is explicit.
    assert deployment.explicit_dependencies == {account.urn}
    if not preview:
        annotations = {"eks.amazonaws.com/role-arn": ROLE, "pulumi.com/patchForce": "true"}
        assert account.inputs["metadata"] == {
            **{"name": "ebs-csi-controller-sa", "namespace": "kube-system"},
            "annotations": annotations,
        }
        assert read_pod_annotations(recording) == {RESTARTED: ROLE}
        assert recording.outputs == {"role": ROLE, "version": ""}


@pytest.mark.parametrize(
    ("roles", "template", "expected"),
    [
        ([ROLE, ROLE], {}, {}),  # annotated manually with the right role, then restarted
        ([ROLE, None], {}, {RESTARTED: ROLE}),  # one pod started before the annotation was set
        ([OTHER], {}, {RESTARTED: ROLE}),
        ([ROLE], {RESTARTED: ROLE}, {RESTARTED: ROLE}),  # the second run must not remove the restart annotation
        ([OTHER], {RESTARTED: OTHER}, {RESTARTED: ROLE}),
    ],
)
def test_pods_are_restarted_only_when_they_run_without_the_role(
    api: Api, roles: list[str | None], template: dict[str, str], expected: dict[str, str]
) -> None:
    given = install_driver(api, *roles, template=template)
    # Terminating pods and pods of another service account are ignored.
    api.objects[f"{SYSTEM}/pods/ends"] = pod(None, deletionTimestamp="2026-11-24T10:00:00Z")
    api.objects[f"{SYSTEM}/pods/node"] = pod(None, "ebs-csi-node-sa")
    assert read_pod_annotations(run(program(**given))) == expected


@pytest.mark.parametrize("roles", [[ROLE], [None]])
def test_the_second_run_changes_nothing(api: Api, roles: list[str | None]) -> None:
    """Compare the inputs with the same fields of the live object, as the Kubernetes provider does."""
    recording = run(program(**install_driver(api, *roles)))
    inputs: Any = recording.one("DeploymentPatch").inputs
    live = controller(template=read_pod_annotations(recording))
    kind = kinds.of("kubernetes:apps/v1:DeploymentPatch")
    assert difference(kind, Checkpoint(inputs, live, "apps/v1", "m"), inputs, (), []).changes == {}


def test_pods_are_restarted_once_when_their_role_cannot_be_read(api: Api) -> None:
    assert read_pod_annotations(run(program(self_managed={}))) == {RESTARTED: ROLE}
    given = install_driver(api, ROLE)
    api.refuse("GET", f"{DEPLOYMENTS}/ebs-csi-controller", 403, "Forbidden", "no")
    recording = run(program(**given))
    assert read_pod_annotations(recording) == {RESTARTED: ROLE}
    ((severity, text),) = recording.log
    assert severity == "WARNING"
    assert "cannot read the role of the pods of kube-system/ebs-csi-controller" in text
    assert get_restart_annotations(ROLE, ROLE, [ROLE]) == {RESTARTED: ROLE}


@pytest.mark.parametrize(
    ("name", "code"), [("deployment", "driver-object-missing"), ("service_account", "driver-service-account")]
)
@pytest.mark.parametrize("secret", [False, True])
def test_a_wrong_deployment_or_service_account_name_is_rejected_at_preview(
    api: Api, name: str, code: str, secret: bool
) -> None:
    install_driver(api, None)

    def register() -> None:
        kubeconfig = pulumi.Output.secret(api.kubeconfig) if secret else api.kubeconfig
        program(self_managed={name: "csi"}, kubeconfig=kubeconfig)()

    with rejects((f"self_managed.{name}", code)):
        run(register, preview=True)


def fake_addon(owner: str) -> Fakes:
    """Return a cluster with EKS Auto Mode and an addon that the stack `owner` manages."""
    addon = {"addonVersion": "v1.60.0-eksbuild.1", "arn": "arn", "tags": {OWNER_TAG: f"eks-rocketmq/{owner}"}}
    fakes = Fakes().answering("aws:eks/getCluster:getCluster", auto_mode_cluster)
    return fakes.answering("aws:eks/getAddon:getAddon", lambda _: addon)


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize("kind", ["self_managed", "auto_mode"])
def test_an_addon_of_this_stack_is_not_given_up_by_another_driver_kind(kind: str, preview: bool) -> None:
    with rejects((kind, "managed-by-this-stack")):
        run(program(**KINDS[kind]), preview=preview, fakes=fake_addon("test"))


def test_a_stack_that_gives_up_its_addon_is_told_the_setting_and_how_to_keep_the_driver() -> None:
    with pytest.raises(pulumi.RunError) as raised:
        run_stack("prod", preview=True, overrides={"ebsCsi": {"selfManaged": {}}}, fakes=fake_addon("prod"))
    assert str(raised.value) == (
        "ebsCsi.selfManaged: this stack manages addon aws-ebs-csi-driver of cluster 'prod', so `pulumi up` would "
        "delete the addon. Leave ebsCsi.selfManaged out. To keep the driver without EKS, run `aws eks delete-addon "
        "--cluster-name prod --addon-name aws-ebs-csi-driver --preserve` first."
    )


def test_a_self_managed_driver_is_rejected_in_a_cluster_with_the_addon_of_others() -> None:
    with rejects(("self_managed", "self-managed-addon")):
        run(program(self_managed={}), preview=True, fakes=fake_addon("other"))
    # A cluster can have both drivers.
    assert run(program(auto_mode=True), preview=True, fakes=fake_addon("other")).outputs["role"] == ""


@pytest.mark.parametrize("kind", ["self_managed", "auto_mode"])
def test_an_addon_that_cannot_be_read_is_a_warning(kind: str) -> None:
    def deny(_: object) -> dict[str, Any]:
        msg = "api error AccessDeniedException: not authorized to perform: eks:DescribeAddon"
        raise ProviderError(msg)

    recording = run(program(**KINDS[kind]), fakes=fake_auto_mode().answering("aws:eks/getAddon:getAddon", deny))
    ((severity, text),) = recording.log
    assert (severity, text.partition(":")[0]) == ("WARNING", kind)
    assert "it is not known whether cluster 'prod' has the addon aws-ebs-csi-driver (" in text
    assert text.endswith("Allow eks:DescribeAddon. If this stack manages the addon, `pulumi up` deletes it.")


@pytest.mark.parametrize(
    ("more", "path", "code"),
    [
        ({"existing": True}, "existing", "several-driver-kinds"),
        ({"auto_mode": True}, "self_managed", "several-driver-kinds"),
        ({"addon_version": "v1.62.0-eksbuild.1"}, "addon_version", "ignored-argument"),
        ({"preserve": True}, "preserve", "ignored-argument"),
        ({"identity": "pod_identity"}, "identity", "self-managed-pod-identity"),
        ({"self_managed": {"namespace": "Kube"}}, "self_managed.namespace", "dns-label"),
    ],
)
def test_arguments_of_other_driver_kinds_are_rejected(more: dict[str, Any], path: str, code: str) -> None:
    with rejects((path, code)):
        run(program(**{"self_managed": {}, **more}))


def call_create_hook(monkeypatch: pytest.MonkeyPatch, recording: Recording) -> None:
    """Call the create hook of the addon as the engine does, when AWS has no addon."""
    monkeypatch.setattr(aws_create_checks, "find_resource", lambda *_: None)
    addon = recording.one("Addon")
    assert "ebs-csi-addon-driver-preflight" in addon.before_create
    args = pulumi.ResourceHookArgs(urn=addon.urn, id="", name=addon.name, type=addon.type, new_inputs=addon.inputs)
    asyncio.run(recording.hooks["ebs-csi-addon-driver-preflight"](args))


@pytest.mark.parametrize(
    "other",
    [
        controller(),
        controller("storage", labels={"app.kubernetes.io/name": "aws-ebs-csi-driver"}),
        controller("storage", image="registry:5000/mirror/aws-ebs-csi-driver:v1.62.0"),
        controller("storage", image="public.ecr.aws/ebs-csi-driver/aws-ebs-csi-driver@sha256:1"),
    ],
)
def test_the_addon_is_rejected_when_a_self_managed_driver_exists(
    api: Api, monkeypatch: pytest.MonkeyPatch, other: dict[str, Any]
) -> None:
    api.objects = {"/apis/apps/v1/deployments/other": other}
    recording = run(program(kubeconfig=api.kubeconfig), preview=True)
    with pytest.raises(RuntimeError) as raised:
        call_create_hook(monkeypatch, recording)
    first, *solutions = str(raised.value).splitlines()
    assert first == (
        f"An EBS CSI driver runs in cluster 'prod' as Deployment 'kube-system/{other['metadata']['name']}', and EKS "
        "does not manage it. The addon would be installed over its objects. Choose one:"
    )
    assert [line.split()[0] for line in solutions if line[2] != " "] == ["self-managed", "create", "existing"]
    assert "set self_managed\n" in str(raised.value)
    assert "set existing to true" in str(raised.value)


@pytest.mark.parametrize(
    "other",
    [
        controller("coredns", image="coredns:1"),
        controller(labels={"app.kubernetes.io/managed-by": "EKS"}),  # left by an addon that was deleted with preserve
    ],
)
def test_the_addon_is_accepted_when_no_self_managed_driver_exists(
    api: Api, monkeypatch: pytest.MonkeyPatch, other: dict[str, Any]
) -> None:
    api.objects = {"/apis/apps/v1/deployments/other": other}
    call_create_hook(monkeypatch, run(program(kubeconfig=api.kubeconfig), preview=True))


def test_the_addon_in_an_auto_mode_cluster_logs_a_warning(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    api.objects = {"/apis/storage.k8s.io/v1/csidrivers/ebs.csi.eks.amazonaws.com": {"metadata": {}}}
    warnings: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", warnings.append)
    call_create_hook(monkeypatch, run(program(kubeconfig=api.kubeconfig), preview=True))
    (text,) = warnings
    assert "two drivers run in it" in text
    assert "ebs.csi.eks.amazonaws.com are served by Auto Mode" in text


AGENT = "/apis/apps/v1/namespaces/kube-system/daemonsets/eks-pod-identity-agent"
AGENT_WARNING = (
    "the cluster has no agent of EKS Pod Identity (DaemonSet kube-system/eks-pod-identity-agent). Without it, the EBS "
    "CSI driver gets no credentials, and `pulumi up` waits 20 minutes for its addon and fails. Install addon "
    "eks-pod-identity-agent before or with this one, or set identity to 'irsa'"
)
AUTO_MODE = "/apis/storage.k8s.io/v1/csidrivers/ebs.csi.eks.amazonaws.com"


@pytest.mark.parametrize(
    ("identity", "found", "expected"),
    [("pod_identity", None, 1), ("pod_identity", AGENT, 0), ("pod_identity", AUTO_MODE, 0), ("irsa", None, 0)],
)
def test_pod_identity_without_its_agent_is_a_warning(
    api: Api, monkeypatch: pytest.MonkeyPatch, identity: str, found: str | None, expected: int
) -> None:
    api.objects = {found: {"metadata": {}}} if found else {}
    warnings: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", warnings.append)
    recording = run(program(kubeconfig=api.kubeconfig, identity=identity), preview=True)
    addon = recording.one("Addon")
    args = pulumi.ResourceHookArgs(urn=addon.urn, id="", name=addon.name, type=addon.type, new_inputs=addon.inputs)
    for hook in addon.before_create:
        if hook.endswith("-agent"):
            asyncio.run(recording.hooks[hook](args))
    assert warnings == [AGENT_WARNING] * expected


def test_auto_mode_registers_neither_addon_nor_role() -> None:
    fakes = Fakes().answering("aws:eks/getCluster:getCluster", auto_mode_cluster)
    recording = run(program(auto_mode=True), preview=True, fakes=fakes)
    assert recording.inventory() == {"eks-rocketmq:index:EbsCsiAddon": 1}
    assert recording.outputs == {"role": "", "version": ""}
    with rejects(("auto_mode", "cluster-without-auto-mode")):
        run(program(auto_mode=True), preview=True)


def build_auto_mode_class(id_: str) -> dict[str, Any]:
    return {
        "metadata": {"name": id_},
        "provisioner": "ebs.csi.eks.amazonaws.com",
        "volumeBindingMode": "WaitForFirstConsumer",
    }


def fake_auto_mode() -> Fakes:
    kind = "kubernetes:storage.k8s.io/v1:StorageClass"
    return Fakes().answering("aws:eks/getCluster:getCluster", auto_mode_cluster).reading(kind, build_auto_mode_class)


def test_a_stack_with_auto_mode_uses_the_auto_mode_provisioner() -> None:
    given = {"ebsCsi": {"autoMode": True, "roleName": None}, "storage": {"className": "auto"}}
    recording = run_stack("prod", overrides=given, fakes=fake_auto_mode())
    assert recording.by_type("Addon") == recording.by_type("Role") == []
    assert recording.outputs["ebsCsiRoleArn"] == ""
    assert "trustPolicy" not in recording.outputs["verify"]
    new = {**given, "storage": {"className": "auto", "create": True, "autoMode": True}}
    storage_class = run_stack("prod", overrides=new, fakes=fake_auto_mode()).one("StorageClass").inputs
    assert storage_class["provisioner"] == "ebs.csi.eks.amazonaws.com"
    assert storage_class["allowedTopologies"] == [
        {"matchLabelExpressions": [{"key": "eks.amazonaws.com/compute-type", "values": ["auto"]}]}
    ]


@pytest.mark.parametrize(
    ("auto", "fakes", "message"),
    [
        (
            False,
            fake_auto_mode(),
            "'gp2' has the provisioner 'ebs.csi.eks.amazonaws.com' of EKS Auto Mode",
        ),
        (
            True,
            Fakes().answering("aws:eks/getCluster:getCluster", auto_mode_cluster),
            "'gp2' has the provisioner 'kubernetes.io/aws-ebs' of the EBS CSI driver",
        ),
    ],
)
def test_a_storage_class_of_the_other_driver_is_rejected(auto: bool, fakes: Fakes, message: str) -> None:
    given = {"ebsCsi": {"autoMode": auto, "roleName": None}, "storage": {"autoMode": auto}}
    with pytest.raises(pulumi.RunError, match=message):
        run_stack("prod", preview=True, overrides=given, fakes=fakes)


def test_a_stack_with_a_self_managed_driver_uses_the_given_names() -> None:
    names = {"namespace": "storage", "serviceAccount": "sa", "deployment": "controller"}
    recording = run_stack("prod", preview=True, overrides={"ebsCsi": {"selfManaged": names}})
    account = recording.one("ServiceAccountPatch")
    assert account.inputs["metadata"]["namespace"] == "storage"
    assert account.inputs["metadata"]["name"] == "sa"
    assert account.provider.rpartition("::")[0] == recording.one("pulumi:providers:kubernetes").urn


@pytest.mark.parametrize(
    ("given", "path", "code"),
    [
        ({"existing": True, "selfManaged": {}}, "existing", "several-driver-kinds"),
        ({"autoMode": True, "preserve": True}, "preserve", "ignored-argument"),
        ({"autoMode": True, "permissions": "v2"}, "permissions", "ignored-argument"),
    ],
)
def test_stack_settings_of_other_driver_kinds_are_rejected(given: dict[str, Any], path: str, code: str) -> None:
    with rejects((f"ebs_csi.{path}", code)):
        prod(ebsCsi={"roleName": None, **given})


@pytest.mark.parametrize(
    ("addon", "resource", "overrides", "meanwhile"),
    [
        ("ebs-csi-addon", "ebs-csi-addon", {}, "no volume is created or attached:"),
        ("addons-before-nodes-vpc-cni", "vpc-cni", {}, "because addons.preserve is true:"),
        ("addons-before-nodes-vpc-cni", "vpc-cni", {"addons": {"preserve": False}}, "and no new pod starts:"),
    ],
    ids=["driver", "vpc-cni", "vpc-cni-without-preserve"],
)
def test_removing_the_role_of_an_addon_requires_a_replacement(
    addon: str, resource: str, overrides: dict[str, Any], meanwhile: str
) -> None:
    """EKS rejects the update: https://github.com/hashicorp/terraform-provider-aws/issues/30645."""
    recording = run_stack("staging", preview=True, overrides=overrides)
    registered = next(each for each in recording.by_type("Addon") if each.name == addon)
    assert registered.delete_before_replace, "a cluster cannot have two addons of the same name"
    hook = recording.hooks[f"{addon}-role-removal"]

    stack_tags = {"eks-rocketmq/stack": "eks-rocketmq/staging"}

    def update(old: str, tags: dict[str, str] = stack_tags, **new: str) -> None:
        asyncio.run(
            hook(
                pulumi.ResourceHookArgs(
                    urn=registered.urn,
                    id=f"prod:{resource}",
                    name=addon,
                    type=registered.type,
                    old_outputs={"serviceAccountRoleArn": old, "tagsAll": tags},
                    new_inputs=new,
                )
            )
        )

    update("", clusterName="prod")
    update(ROLE, serviceAccountRoleArn=OTHER)
    with pytest.raises(RuntimeError) as raised:
        update(ROLE, clusterName="prod")
    assert str(raised.value).startswith(
        f"Addon 'prod:{resource}' has the IAM role '{ROLE}', and this update removes it."
    )
    replace = f"{meanwhile}\n            pulumi up -s staging --replace '{registered.urn}'"
    assert replace in str(raised.value)
    with pytest.raises(RuntimeError) as raised:
        update(ROLE, {}, clusterName="prod")
    first = "pulumi up -s staging, with the role kept, as the addon was only imported; then"
    assert f"{meanwhile}\n            {first}\n            pulumi up -s staging --replace" in str(raised.value)


def test_the_storage_class_of_a_new_cluster_is_read_after_its_nodes() -> None:
    adopted = {"className": "gp2", "create": None, "volumeType": None, "reclaimPolicy": None}
    recording = run_stack("staging", overrides={"storage": adopted})
    storage = recording.one("EbsStorageClass")
    groups = {each.urn for each in recording.by_type("NodeGroup") if each.custom}
    assert groups
    assert groups <= storage.dependencies
