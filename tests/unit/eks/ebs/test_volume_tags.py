"""Checks before narrower permissions of the driver: the tags that the new policy requires exist, and are set."""

import asyncio
from typing import Any

import pulumi
import pytest
from pulumi import ResourceHookArgs
from pulumi.output import Unknown

from eks_rocketmq import EbsCsiAddon
from eks_rocketmq.eks.account import aws_create_checks
from eks_rocketmq.lookups import check_hooks
from eks_rocketmq.lookups.create_checks import SKIP_VARIABLE
from tests.unit.harness import UNKNOWN, Recording, Registration, run
from tests.unit.harness.fakes import ACCOUNT, ISSUER
from tests.unit.harness.rejections import list_rejections
from tests.unit.kubernetes_api import Api

PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER.removeprefix('https://')}"
ARGS = {"cluster_name": "prod", "issuer": ISSUER, "provider_arn": PROVIDER, "role_name": "eks-ebs-csi-driver"}
DRIVER, CLUSTER = {"ebs.csi.aws.com/cluster": "true"}, {"kubernetes.io/cluster/prod": "owned"}
SCOPED, CLAIM = {"ebs.csi.aws.com/cluster-name": "prod"}, {"kubernetes.io/created-for/pvc/name": "data"}
VOLUMES = "/api/v1/persistentvolumes"
Tags = dict[str, str]


class Account:
    """Account whose volumes have these tags. It is the session, its client and the paginator."""

    def __init__(self, tags: dict[str, Tags]) -> None:
        self.tags = tags
        self.requests: list[list[str]] = []

    def client(self, service: str) -> "Account":
        assert service == "ec2"
        return self

    def get_paginator(self, operation: str) -> "Account":
        assert operation == "describe_volumes"
        return self

    def paginate(self, Filters: list[dict[str, Any]]) -> list[dict[str, Any]]:  # noqa: N803 - the name in boto3
        (only,) = Filters
        assert only["Name"] == "volume-id"
        self.requests.append(only["Values"])
        found = [(id_, self.tags[id_]) for id_ in only["Values"] if id_ in self.tags]
        as_pairs = {id_: [{"Key": key, "Value": value} for key, value in tags.items()] for id_, tags in found}
        return [{"Volumes": [{"VolumeId": id_, **({"Tags": tags} if tags else {})}]} for id_, tags in as_pairs.items()]


def build_volume(name: str, **source: Any) -> dict[str, Any]:
    spec = {"capacity": {"storage": "1Gi"}, "persistentVolumeReclaimPolicy": "Delete", **source}
    return {"metadata": {"name": name, "uid": name}, "spec": spec, "status": {"phase": "Bound"}}


def build_csi_volume(id_: str, driver: str = "ebs.csi.aws.com") -> dict[str, Any]:
    return build_volume(id_, csi={"driver": driver, "volumeHandle": id_})


@pytest.fixture
def warnings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines: list[str] = []
    check_hooks.warn_once.cache_clear()
    monkeypatch.setattr(check_hooks.pulumi.log, "warn", lines.append)
    return lines


def deploy(permissions: str, **more: Any) -> Recording:
    def register() -> None:
        args: Any = {**ARGS, "permissions": permissions, **more}
        if args.get("kubeconfig") is UNKNOWN:
            args["kubeconfig"] = pulumi.Output.from_input(Unknown())
        EbsCsiAddon("ebs-csi", args)

    return run(register, preview=True)


def get_policy(recording: Recording) -> Registration:
    """Return the attachment or the inline policy that allows the driver its volumes."""
    (policy,) = [*recording.by_type("RolePolicyAttachment"), *recording.by_type("RolePolicy")]
    return policy


def create_policy(
    monkeypatch: pytest.MonkeyPatch, api: Api, permissions: str, volumes: dict[str, Tags], **more: Any
) -> Account:
    """Run the check before the create of the policy, in a cluster with these volumes."""
    account = Account(volumes)
    monkeypatch.setattr(aws_create_checks, "create_session", lambda _: account)
    for id_ in volumes:
        api.objects.setdefault(f"{VOLUMES}/{id_}", build_csi_volume(id_))
    run_hook(deploy(permissions, **{"kubeconfig": api.kubeconfig, **more}))
    return account


def run_hook(recording: Recording) -> None:
    policy = get_policy(recording)
    args = ResourceHookArgs(policy.urn, "", policy.name, policy.type, new_inputs=policy.inputs)
    assert len(policy.before_create) == 2
    for hook in policy.before_create:
        asyncio.run(recording.hooks[hook](args))


ALLOWED: dict[str, list[Tags]] = {
    "v2": [DRIVER, CLAIM],
    "cluster_scoped": [SCOPED],
    "generated": [{**DRIVER, **CLUSTER}],
}
REFUSED: dict[str, list[Tags]] = {
    "v2": [{}, CLUSTER],
    "cluster_scoped": [{**DRIVER, **CLUSTER, **CLAIM}, {"ebs.csi.aws.com/cluster-name": "other"}],
    "generated": [{**DRIVER, **SCOPED}, {**CLUSTER, **CLAIM}],
}


@pytest.mark.parametrize(("permissions", "tags"), [(each, tags) for each, all_ in ALLOWED.items() for tags in all_])
def test_volumes_with_the_required_tags_are_accepted(
    api: Api, monkeypatch: pytest.MonkeyPatch, warnings: list[str], permissions: str, tags: Tags
) -> None:
    create_policy(monkeypatch, api, permissions, {"vol-1": tags})
    assert warnings == []


@pytest.mark.parametrize(("permissions", "tags"), [(each, tags) for each, all_ in REFUSED.items() for tags in all_])
def test_volumes_that_the_driver_could_no_longer_attach_are_rejected(
    api: Api, monkeypatch: pytest.MonkeyPatch, permissions: str, tags: Tags
) -> None:
    accepted = ALLOWED[permissions][0]
    with pytest.raises(RuntimeError) as error:
        create_policy(monkeypatch, api, permissions, {"vol-1": accepted, "vol-2": tags})
    assert list_rejections(error.value) == [("permissions", "volumes-without-tags")]
    assert "vol-2" in str(error.value)
    assert "vol-1" not in str(error.value)
    monkeypatch.setenv(SKIP_VARIABLE, "1")
    create_policy(monkeypatch, api, permissions, {"vol-2": tags})


def test_at_most_five_volumes_are_listed(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RuntimeError) as error:
        create_policy(monkeypatch, api, "generated", {f"vol-{index}": {} for index in range(7)})
    assert str(error.value) == (
        "permissions: with 'generated', the driver could not attach 7 of the 7 volumes of cluster 'prod', which lack a "
        "tag: vol-0, vol-1, vol-2, vol-3, vol-4 and 2 others. A pod with such a volume would not start on another "
        "node. Accepted: volumes with the tags ebs.csi.aws.com/cluster = true, kubernetes.io/cluster/prod = owned. "
        "Run `aws ec2 create-tags --resources vol-0 vol-1 vol-2 vol-3 vol-4 … --tags "
        "Key=ebs.csi.aws.com/cluster,Value=true "
        "Key=kubernetes.io/cluster/prod,Value=owned`, or keep the former value until you have tagged them."
    )


def test_only_existing_ebs_volumes_of_the_cluster_are_checked(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    others = {
        "efs": build_csi_volume("fs-1", "efs.csi.aws.com"),
        "deleted": build_csi_volume("vol-deleted"),
        "in-tree": build_volume("in-tree", awsElasticBlockStore={"volumeID": "aws://ap-southeast-1a/vol-in-tree"}),
    }
    api.objects = {f"{VOLUMES}/{name}": volume for name, volume in others.items()}
    # Another cluster has this volume.
    account = Account({"vol-in-tree": SCOPED, "vol-other": {}})
    monkeypatch.setattr(aws_create_checks, "create_session", lambda _: account)
    run_hook(deploy("cluster_scoped", kubeconfig=api.kubeconfig))
    assert account.requests == [["vol-deleted", "vol-in-tree"]]


def test_many_volumes_are_read_in_several_requests(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    account = create_policy(monkeypatch, api, "v2", {f"vol-{index:03}": DRIVER for index in range(201)})
    assert [len(ids) for ids in account.requests] == [200, 1]


def test_a_cluster_without_volumes_makes_no_request_to_aws(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    assert create_policy(monkeypatch, api, "generated", {}).requests == []


def test_nothing_is_checked_in_a_cluster_that_does_not_exist_yet(
    api: Api, monkeypatch: pytest.MonkeyPatch, warnings: list[str]
) -> None:
    assert create_policy(monkeypatch, api, "v2", {"vol-1": {}}, kubeconfig=UNKNOWN).requests == []
    assert get_policy(deploy("v2")).before_create == ()
    assert warnings == []


def test_a_missing_permission_is_a_warning(api: Api, monkeypatch: pytest.MonkeyPatch, warnings: list[str]) -> None:
    def deny(*_: object) -> None:
        msg = "UnauthorizedOperation: ec2:DescribeVolumes"
        raise PermissionError(msg)

    monkeypatch.setattr(Account, "get_paginator", deny)
    create_policy(monkeypatch, api, "v2", {"vol-1": {}})
    assert warnings == [
        "cannot tell whether the volumes of the cluster have the tags that the 'v2' permissions require "
        "(UnauthorizedOperation: ec2:DescribeVolumes); going on without that check"
    ]


def test_the_policy_for_all_volumes_is_not_checked(api: Api) -> None:
    assert get_policy(deploy("legacy", kubeconfig=api.kubeconfig)).before_create == ()


SELF_MANAGED: dict[str, Any] = {"self_managed": {}}
TAGS = "--k8s-tag-cluster-id=prod"
OLD, NEW = "v1.57.1", "v1.58.0"


def serve_driver(api: Api, *arguments: str, version: str = NEW) -> None:
    containers = [{"name": "ebs-plugin", "image": f"registry/aws-ebs-csi-driver:{version}", "args": [*arguments]}]
    api.objects["/apis/apps/v1/namespaces/kube-system/deployments/ebs-csi-controller"] = {
        "metadata": {"name": "ebs-csi-controller", "namespace": "kube-system"},
        "spec": {
            "selector": {"matchLabels": {}},
            "template": {"spec": {"serviceAccountName": "ebs-csi-controller-sa", "containers": containers}},
        },
    }
    account = {"metadata": {"name": "ebs-csi-controller-sa"}}
    api.objects["/api/v1/namespaces/kube-system/serviceaccounts/ebs-csi-controller-sa"] = account


@pytest.mark.parametrize("more", [{}, SELF_MANAGED])
@pytest.mark.parametrize(
    ("permissions", "arguments", "version", "accepted"),
    [
        ("v2", [], OLD, True),
        ("generated", [TAGS], OLD, True),
        ("generated", [], NEW, False),
        ("generated", ["--k8s-tag-cluster-id=other"], NEW, False),
        ("cluster_scoped", [TAGS], NEW, True),
        ("cluster_scoped", [TAGS], OLD, False),
        ("cluster_scoped", [], NEW, False),
        ("cluster_scoped", ["--extra-tags=team=mq,ebs.csi.aws.com/cluster-name=prod"], OLD, True),
        # The value of the variable is unknown.
        ("generated", ["--k8s-tag-cluster-id=$(CLUSTER)"], NEW, True),
    ],
)
def test_a_driver_that_does_not_set_the_required_tags_is_rejected(
    api: Api,
    monkeypatch: pytest.MonkeyPatch,
    more: dict[str, Any],
    permissions: str,
    arguments: list[str],
    version: str,
    accepted: bool,
) -> None:
    serve_driver(api, *arguments, version=version)
    if accepted:
        create_policy(monkeypatch, api, permissions, {}, **more)
        return
    with pytest.raises(RuntimeError) as error:
        create_policy(monkeypatch, api, permissions, {}, **more)
    assert list_rejections(error.value) == [("permissions", "driver-without-tags")]


@pytest.mark.parametrize(
    "version",
    [{"addon_version": "v1.58.0-eksbuild.1"}, {"most_recent": True, "kubernetes_version": "1.35"}],
)
def test_the_tags_of_an_addon_that_the_update_changes_are_not_checked(
    api: Api, monkeypatch: pytest.MonkeyPatch, version: dict[str, Any]
) -> None:
    serve_driver(api, TAGS, version=OLD)
    create_policy(monkeypatch, api, "cluster_scoped", {}, **version)


def test_a_driver_that_cannot_be_read_is_a_warning(
    api: Api, monkeypatch: pytest.MonkeyPatch, warnings: list[str]
) -> None:
    path = "/apis/apps/v1/namespaces/kube-system/deployments/ebs-csi-controller"
    api.refuse("GET", path, 403, "Forbidden", "deployments is forbidden")
    create_policy(monkeypatch, api, "generated", {})
    (line,) = warnings
    assert line.startswith("cannot tell whether the driver sets the tags that the 'generated' permissions require (")
