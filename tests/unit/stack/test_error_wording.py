"""Wording of each error and warning of the stack program, in Python's spelling."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import pytest

from eks_rocketmq.args.errors import ArgumentMessage
from eks_rocketmq.eks.ebs.ebs_csi_addon_args import EbsCsiAddonArgs
from eks_rocketmq.eks.ebs.storage_class_args import EbsStorageClassArgs
from eks_rocketmq.stack import component_settings, secret_checks, stack_file, stack_yaml
from eks_rocketmq.stack.cross_checks import warn_about_key
from eks_rocketmq.stack.new_cluster import NewCluster
from eks_rocketmq.stack.new_cluster_checks import find_creator_entry, find_lockout
from tests.unit.harness import PROJECT
from tests.unit.harness.rejections import Wording, check_wording
from tests.unit.stack_case import node_group, parse_stack

ROLE = "arn:aws:iam::140023393377:role/team"
CREATOR = "arn:aws:iam::140023393377:user/ci"
KEY = "arn:aws:kms:eu-west-1:140023393377:key/11111111-2222-3333-4444-555555555555"
ECR = "140023393377.dkr.ecr"
MANY_PROXIES = {"rocketmq": {"proxies": {"replicas": 20}}}
"""More proxies than fit on the nodes without an autoscaler."""
WARNINGS = ["key-without-grant", "not-in-a-new-cluster", "no-autoscaler-yet", "creator-locked-out", "creator-entry"]


def prod(**changed: Any) -> Callable[[], object]:
    return lambda: parse_stack("prod", changed)


def staging(**changed: Any) -> Callable[[], object]:
    return lambda: parse_stack("staging", changed)


def entry(policy: str, **changed: Any) -> dict[str, Any]:
    return {"name": "team", "principalArn": ROLE, "policies": [{"policy": policy, **changed}]}


def keys(*names: str) -> Callable[[], object]:
    return lambda: stack_file.check_keys(names, PROJECT)


def list_missing_objects(**changed: Any) -> Sequence[ArgumentMessage]:
    cluster = parse_stack("staging", {"rocketmq": changed}).cluster
    assert isinstance(cluster, NewCluster)
    return cluster.missing_objects


def locations(text: str) -> Callable[[], object]:
    return lambda: stack_file.check_locations(read(text), PROJECT)


def read(text: str, encoding: str = "utf-8") -> stack_yaml.StackFile:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "Pulumi.prod.yaml"
        file.write_text(text, encoding)
        return stack_yaml.read(file)


def encrypted(given: Mapping[str, str], *encrypted_keys: str) -> Callable[[], object]:
    return lambda: secret_checks.check_encrypted(given, encrypted_keys, None)


WORDING = [
    Wording(
        "arn-partition",
        prod(cluster={"roleArn": ROLE.replace("aws", "aws-cn")}),
        "cluster.role_arn: 'arn:aws-cn:iam::140023393377:role/team' belongs to partition 'aws-cn', and "
        "aws:region is 'ap-southeast-1'. Accepted: an ARN that begins with 'arn:aws:'.",
    ),
    Wording(
        "arn-region",
        staging(cluster={"secretsKmsKeyArn": KEY}),
        "cluster.secrets_kms_key_arn: "
        "'arn:aws:kms:eu-west-1:140023393377:key/11111111-2222-3333-4444-555555555555' belongs to region "
        "'eu-west-1'. Accepted: an ARN of aws:region, 'ap-southeast-1', because KMS keys encrypt in their own "
        "region only.",
    ),
    Wording(
        "arn-account",
        staging(network={"permissionsBoundary": "arn:aws:iam::111122223333:policy/team"}),
        "network.permissions_boundary: 'arn:aws:iam::111122223333:policy/team' belongs to account 111122223333. "
        "Accepted: an ARN of 140023393377, the account of aws:allowedAccountIds, because IAM attaches policies "
        "of the role's account only.",
    ),
    Wording(
        "set-by-the-stack",
        prod(storage={"kubeconfig": "{}"}),
        "storage.kubeconfig: the stack sets this argument itself. Leave it out.",
    ),
    Wording(
        "service-block-overlap",
        staging(cluster={"serviceCidr": "10.20.0.0/20"}),
        "cluster.service_cidr: '10.20.0.0/20' overlaps '10.20.0.0/16', the block of network.cidr_block. "
        "Accepted: a block outside the VPC's own. Take another block, or leave the argument out and EKS chooses "
        "it.",
    ),
    Wording(
        "role-name-twice",
        staging(ebsCsi={"roleName": "staging-vpc-cni"}),
        "ebs_csi.role_name: 'staging-vpc-cni' is also the name of the pod network's role, "
        "addons.vpc_cni.role_name or its default. Accepted: two different names.",
    ),
    Wording(
        "role-without-access",
        staging(cluster={"roleArn": ROLE, "creatorIsAdmin": False}),
        "cluster.role_arn: 'arn:aws:iam::140023393377:role/team' gets no access to the cluster: "
        "cluster.creator_is_admin is false, and it is in none of cluster.access_entries. Add an entry for the "
        "role, or name another one. Its default is the last role of aws:assumeRoles.",
    ),
    Wording(
        "role-without-admin",
        staging(
            cluster={
                "roleArn": ROLE,
                "creatorIsAdmin": False,
                "accessEntries": [
                    entry("AmazonEKSViewPolicy"),
                    {**entry("AmazonEKSClusterAdminPolicy"), "name": "ci", "principalArn": CREATOR},
                ],
            }
        ),
        "cluster.access_entries['team']: the entry does not allow cluster.role_arn, "
        "'arn:aws:iam::140023393377:role/team', to create the namespaces and StorageClasses of this stack. "
        "Accepted: the policy 'AmazonEKSClusterAdminPolicy' without namespaces. Add the policy. A Kubernetes "
        "group does not help, because a new cluster has no RBAC binding for it.",
    ),
    Wording(
        "namespace-of-every-cluster",
        prod(rocketmq={"namespace": "kube-system"}),
        "rocketmq.namespace: every cluster has the namespace 'kube-system', and rocketmq.create_namespace is "
        "true. Choose another name, or set rocketmq.create_namespace to false.",
    ),
    Wording(
        "balancer-needs-auto-mode",
        staging(networkLoadBalancer={"autoMode": True}),
        "network_load_balancer.auto_mode: the new cluster does not have EKS Auto Mode. Accepted: false, with the "
        "AWS Load Balancer Controller in the cluster.",
    ),
    Wording(
        "version-skew",
        staging(**node_group(version="1.31")),
        "node_groups['general'].version: '1.31' does not work with cluster.version '1.35'. Accepted: 1.32 to "
        "1.35, the version of the control plane and the 3 before it.",
    ),
    Wording(
        "nodes-without-cni-policy",
        staging(addons={"vpcCni": {"identity": "node"}}),
        "node_groups['general'].managed_policies: 'AmazonEKS_CNI_Policy' is missing, and addons.vpc_cni.identity "
        "is 'node': pods get no address, and nodes do not become ready. Add 'AmazonEKS_CNI_Policy', or set "
        "addons.vpc_cni.identity to 'irsa'.",
    ),
    Wording(
        "no-node-groups",
        staging(nodeGroups=None),
        "node_groups: the cluster has no nodes for RocketMQ and the addons. Accepted: one group or more.",
    ),
    Wording(
        "no-nodes",
        staging(**node_group(desiredSize=0)),
        "node_groups: node_groups.desired_size is 0 in every group, and EKS waits for the pods of coredns and of "
        "the EBS CSI driver. Accepted: 1 or more in one of the groups.",
    ),
    Wording(
        "too-few-zones",
        staging(network={"zoneCount": 2}),
        "network.zone_count: the network has 2 zones, and rocketmq.profile 'strict' spreads the members of a "
        "group over 3. Accepted: 3 or more, or as many names in network.zones. Add zones, or choose another "
        "value of rocketmq.profile.",
    ),
    Wording(
        "zone-of-other-region",
        staging(rocketmq={"proxies": {"pods": {"zones": ["eu-west-1a"]}}}),
        "rocketmq.proxies.pods.zones: 'eu-west-1a' is no zone of aws:region, 'ap-southeast-1'. Accepted: "
        "zones such as 'ap-southeast-1a'.",
    ),
    Wording(
        "zone-without-network",
        staging(
            network={"zoneCount": None, "zones": [f"ap-southeast-1{zone}" for zone in "abc"]},
            rocketmq={"proxies": {"pods": {"zones": ["ap-southeast-1d"]}}},
        ),
        "rocketmq.proxies.pods.zones: 'ap-southeast-1d' is no zone of the network. Accepted: ap-southeast-1a, "
        "ap-southeast-1b, ap-southeast-1c.",
    ),
    Wording(
        "pod-identity-without-agent",
        staging(ebsCsi={"identity": "pod_identity"}),
        "ebs_csi.identity: 'pod_identity' needs the agent of EKS Pod Identity, which the new cluster does not "
        "have. Set addons.pod_identity_agent to true, or take 'irsa'.",
    ),
    Wording(
        "volume-too-small-for-iops",
        staging(storage={"volumeType": "gp3", "iops": 30000}, rocketmq={"controllers": {"storageClass": "gp2"}}),
        "rocketmq.broker_groups['broker-a'].storage: '50Gi' is too small for storage.iops. Accepted: 60Gi or "
        "more. Raise the size, or lower storage.iops.",
    ),
    Wording(
        "volume-too-large",
        staging(rocketmq={"controllers": {"storage": "16385Gi"}}),
        "rocketmq.controllers.storage: '16385Gi' is larger than an EBS volume of storage can be. Accepted: 16384Gi or "
        "less. Lower the size, and add broker groups for more messages.",
    ),
    Wording(
        "local-zone",
        staging(network={"zones": ["ap-southeast-1a", "ap-southeast-1b", "ap-southeast-1-bkk-1a"], "zoneCount": None}),
        "network.zones: 'ap-southeast-1-bkk-1a' is a local zone, and EKS places no control plane there. Accepted: "
        "zones such as 'ap-southeast-1a'.",
    ),
    Wording(
        "addon-without-pods",
        staging(addons={"addons": [{"name": "coredns", "configuration": {"replicaCount": 0}}]}),
        "addons.addons: coredns has 0 replicas, and RocketMQ needs it. Accepted: a replicaCount of 1 or more.",
    ),
    Wording(
        "existing-in-new-cluster",
        staging(oidc={"existing": True}),
        "oidc.existing: a new cluster does not have it. Leave the argument out, and the stack creates what the "
        "cluster needs.",
    ),
    Wording(
        "class-in-new-cluster",
        staging(
            storage={"className": "fast", "create": None, "volumeType": None, "reclaimPolicy": None},
        ),
        "storage.class_name: a new cluster has no StorageClass 'fast'. Accepted: 'gp2', which EKS creates, or "
        "any name with storage.create true.",
    ),
    Wording(
        "image-partition",
        prod(rocketmq={"image": f"{ECR}.cn-north-1.amazonaws.com.cn/rocketmq"}),
        "rocketmq.image: '140023393377.dkr.ecr.cn-north-1.amazonaws.com.cn/rocketmq' is in ECR of another "
        "partition than aws:region, 'ap-southeast-1', and nodes cannot pull it. Accepted: an image in a registry "
        "that the nodes can reach. Copy the image into ECR of that region and name the copy.",
    ),
    Wording(
        "image-region",
        staging(network={"nat": "none"}, rocketmq={"image": f"{ECR}.eu-west-1.amazonaws.com/rocketmq"}),
        "rocketmq.image: '140023393377.dkr.ecr.eu-west-1.amazonaws.com/rocketmq' is not in 'ap-southeast-1', and "
        "network.nat is 'none': endpoints of ECR reach one region only. Copy the image into a repository of "
        "'ap-southeast-1' and name it, or set network.nat to 'single'.",
    ),
    Wording(
        "image-unreachable",
        staging(network={"nat": "none"}),
        "rocketmq.image: 'apache/rocketmq' is in a public registry, and network.nat is 'none': nodes cannot "
        "reach the registry. Copy the image into a repository of ECR and name the copy, or set network.nat to "
        "'single'.",
    ),
    Wording(
        "set-by-load-balancer",
        prod(networkLoadBalancer={}, rocketmq={"external": {"type": "NodePort"}}),
        "rocketmq.external.type: network_load_balancer sets this too. Leave one of the two out.",
    ),
    Wording(
        "pods-without-nodes",
        staging(rocketmq={"proxies": {"pods": {"nodeSelector": {"pool": "mq"}}}}),
        "node_groups: the pods of the proxies select nodes by pool=mq, and no node has that. Accepted: node "
        "groups whose nodes can run all pods. Change labels, taints, instance_types, desired_size of a group, or "
        "rocketmq.pods, rocketmq.proxies.pods, rocketmq.proxies.cpu, rocketmq.proxies.memory, "
        "rocketmq.proxies.replicas.",
    ),
    Wording(
        "volumes-without-driver",
        staging(
            **node_group(taints=[{"key": "mq"}]),
            rocketmq={"pods": {"tolerations": [{"key": "mq"}]}},
            addons={"addons": [{"name": "coredns", "configuration": {"tolerations": [{"operator": "Exists"}]}}]},
            ebsCsi={"configuration": {"tolerateAllTaints": False, "controllerTolerations": [{"operator": "Exists"}]}},
        ),
        "ebs_csi.configuration: the pods of the controllers claim volumes, and no node can run the pods of the driver. "
        "Accepted: a driver that runs on all nodes of these pods. Leave ebs_csi.configuration.tolerate_all_taints at "
        "true, or tolerate the taints in ebs_csi.configuration.node_tolerations.",
    ),
    Wording(
        "nodes-too-small",
        staging(rocketmq={"proxies": {"replicas": 40}}),
        "node_groups: the pods of the name servers, the controllers, broker group 'broker-a', the proxies "
        "request 12 CPUs together, and the nodes for them have 5.79 CPUs at most. Accepted: node groups with "
        "enough CPU and memory for all pods. Raise desired_size, take larger instance_types, or lower cpu, "
        "memory, replicas of RocketMQ.",
    ),
    Wording(
        "encrypted-key",
        encrypted({}, "rocketmq"),
        "rocketmq: the value is encrypted. Accepted: plain text. Only rocketmq.access can be a secret. Set it "
        "again without --secret.",
    ),
    Wording(
        "encrypted-type",
        encrypted({"access": '"text"'}, "access"),
        "rocketmq.access: the value is encrypted and is no object. Accepted: an object.",
    ),
    Wording(
        "encrypted-value",
        encrypted({"access": '{"credentialGeneration": -1}'}, "access"),
        "rocketmq.access: an encrypted value is not accepted, and the error does not show it. Accepted: the "
        "fields of AccessArgs in components/README.md. Compare them with `pulumi config get access`.",
    ),
    Wording(
        "encrypted-roles",
        lambda: secret_checks.check_token_settings({}, roles_encrypted=True, profile_encrypted=False),
        "cluster.role_arn: a value is required, because aws:assumeRoles is encrypted and its last role would be "
        "shown. Accepted: the ARN of a role in plain text, or 'none' for no role. Set it, or set aws:assumeRoles "
        "again without --secret.",
    ),
    Wording(
        "token-of-another-identity",
        lambda: component_settings.read_cluster(
            {"clusterName": "orders", "version": "1.35"}, component_settings.AwsSettings(own_identity="aws:accessKey")
        ),
        "cluster.role_arn: a value is required, because aws:accessKey applies to the AWS provider, which creates the "
        "cluster, but not to `aws eks get-token`, which gets the token for it. Accepted: the ARN of a role with access "
        "to the cluster, or 'none' if the environment has the identity of aws:accessKey. Set it, or put the identity "
        "into the environment or a profile, and leave aws:accessKey out.",
    ),
    Wording(
        "encrypted-profile",
        lambda: secret_checks.check_token_settings({}, roles_encrypted=False, profile_encrypted=True),
        "cluster.profile: a value is required, because aws:profile is encrypted and the kubeconfig would show it. "
        "Accepted: the name of a profile in plain text. Set it, or set aws:profile again without --secret.",
    ),
    Wording(
        "plain-password",
        prod(access={"users": [{"name": "orders", "password": "correct-horse"}]}),
        "rocketmq.access.users['orders'].password: the password is in plain text. Leave it out and one is "
        "generated, or run `pulumi config set --path 'access.users[0].password' --secret`.",
    ),
    Wording(
        "part-of-new-cluster",
        prod(addons={"versions": "latest"}),
        "addons: the stack uses an existing cluster. Leave the key out, or set cluster.version to create a cluster.",
    ),
    Wording(
        "argument-of-new-cluster",
        prod(cluster={"zonalShift": True}),
        "cluster.zonal_shift: an existing cluster does not have this argument. Leave it out, or set "
        "cluster.version to create a cluster.",
    ),
    Wording("own-key", prod(rocketmq={"access": {}}), "rocketmq.access: this has its own key. Write rocketmq.access."),
    Wording(
        "no-account",
        lambda: stack_file.check_guard({"aws:allowedAccountIds": "[]"}, stack_yaml.StackFile()),
        "aws:allowedAccountIds: the list names no account, so the stack would run in any account. Accepted: "
        'account IDs of 12 digits in quotes, such as ["123456789012"]. Name one account or more, or leave the '
        "key out to run in any account.",
    ),
    Wording(
        "unknown-aws-key",
        keys("aws:allowedAccountId"),
        "aws:allowedAccountId: the AWS provider has no such setting. Did you mean 'allowedAccountIds'?",
    ),
    Wording("unknown-namespace", keys("awss:region"), "awss:region: unknown namespace 'awss'. Did you mean 'aws'?"),
    Wording(
        "outside-config",
        locations("storage: {}\n"),
        "storage: the key is outside `config:`, where nothing reads it. Write eks-rocketmq:storage below `config:`.",
    ),
    Wording(
        "no-namespace",
        locations("config:\n  storage: {}\n"),
        "storage: the key has no namespace. Write eks-rocketmq:storage.",
    ),
    Wording(
        "config-in-key",
        locations(f"config:\n  {PROJECT}:config:storage: {{}}\n"),
        "eks-rocketmq:config:storage: `config:` in a key is an older spelling. Write eks-rocketmq:storage.",
    ),
    Wording(
        "no-object",
        prod(oidc=["vault"]),
        "oidc: ['vault'] is no object. Accepted: an object. See docs/reference/settings.md.",
    ),
    Wording(
        "unknown-key",
        prod(storag={}),
        "storag: unknown key. Accepted: cluster, network, nodeGroups, addons, oidc, ebsCsi, storage, "
        "networkLoadBalancer, rocketmq, access. See docs/reference/settings.md. Did you mean storage?",
    ),
    Wording(
        "no-yaml",
        # The parser in Python and libyaml, which the tests use, both have this text.
        lambda: read("config:\n  - a\n  b\n"),
        "line 4, column 1: could not find expected ':'. Accepted: YAML that is indented "
        "with spaces. Correct the line, and put a text with special characters in quotes.",
    ),
    Wording(
        "too-deep",
        prod(oidc="[" * 65),
        "oidc: the value has too many levels of objects and lists. Accepted: up to 64 levels.",
    ),
    Wording(
        "unreadable-file",
        lambda: stack_yaml.read(Path(__file__).parent),
        "the file cannot be read (Is a directory). Accepted: a file that this user may read.",
    ),
    Wording(
        "no-utf-8",
        lambda: read("config: ä\n", "latin-1"),
        "the file has characters that YAML does not allow. Accepted: text in UTF-8. Save the file as UTF-8.",
    ),
]


@pytest.mark.parametrize("wording", WORDING, ids=lambda wording: wording.code)
def test_error_wording(wording: Wording) -> None:
    check_wording(wording)


def test_warning_wording_for_a_kms_key_without_grant() -> None:
    storage: EbsStorageClassArgs = {"class_name": "fast", "create": True, "kms_key_id": KEY}
    driver = cast("EbsCsiAddonArgs", {"existing": True})
    message = warn_about_key(driver, storage)
    assert message is not None
    assert message.code == "key-without-grant"
    assert message.render() == (
        "storage.kms_key_id: the stack does not change the role of an existing driver or of Auto Mode. Claims stay "
        "Pending unless the role or the policy of the key allows the driver to use the key. Allow kms:CreateGrant, "
        "kms:Decrypt and kms:GenerateDataKeyWithoutPlaintext through EC2."
    )


def test_message_wording_for_an_object_missing_in_a_new_cluster() -> None:
    (message,) = list_missing_objects(tls={"secretName": "certificate"})
    assert message.code == "not-in-a-new-cluster"
    assert message.render() == (
        "rocketmq.tls.secret_name: the cluster cannot have the Secret 'certificate' in namespace 'rocketmq' before "
        "this update has created it. Leave the argument out of the first `pulumi up`, install what is missing, and set "
        "it again."
    )


def test_message_wording_for_a_missing_autoscaler() -> None:
    cluster = parse_stack(
        "staging", node_group(autoscaled=True, minSize=0, desiredSize=1, maxSize=9) | MANY_PROXIES
    ).cluster
    assert isinstance(cluster, NewCluster)
    (message,) = cluster.missing_objects
    assert message.code == "no-autoscaler-yet"
    assert message.render() == (
        "node_groups: groups rely on an autoscaler, which the cluster cannot have before this update has created it. "
        "Without it, the pods of the name servers, the controllers, broker group 'broker-a', the proxies request 7 "
        "CPUs together, and the nodes for them have 5.79 CPUs at most. Leave autoscaled out of the first `pulumi up`, "
        "install the autoscaler, and set it again."
    )


def test_message_wording_for_a_creator_without_access() -> None:
    cluster: Any = {"role_arn": ROLE, "creator_is_admin": True}
    message = find_lockout(CREATOR, cluster)
    assert message is not None
    assert message.code == "creator-locked-out"
    assert message.render() == (
        f"cluster.access_entries: {ROLE!r} creates the objects of this stack in the cluster, and only {CREATOR!r} get "
        "AmazonEKSClusterAdminPolicy. Accepted: an identity with that policy. Add an entry for it, or change "
        "cluster.role_arn or cluster.creator_is_admin."
    )


def test_message_wording_for_an_access_entry_of_the_creator() -> None:
    cluster: Any = {"access_entries": [{"name": "team", "principal_arn": CREATOR}]}
    message = find_creator_entry(CREATOR, cluster)
    assert message is not None
    assert message.code == "creator-entry"
    text = (
        "creates the cluster, so EKS makes an access entry for it and rejects this one. Leave the entry out, or set "
        "cluster.creator_is_admin to false and give it AmazonEKSClusterAdminPolicy."
    )
    path = "cluster.access_entries['team'].principal_arn"
    assert message.render() == f"{path}: {CREATOR!r} {text}"
    hidden = find_creator_entry(CREATOR, cluster, hide_caller=True)
    assert hidden is not None
    assert hidden.render() == f"{path}: the identity of `pulumi up` {text}"
