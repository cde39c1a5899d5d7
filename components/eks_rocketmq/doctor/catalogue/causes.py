"""Causes of Pending claims as data: the cause, how it is checked, and the fix. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

_UPDATE = "`pulumi up -s STACK`"
_ADOPT = "`eks-rocketmq adopt -s STACK`"
_CREATED = "for a cluster that the stack creates"
_EXISTING = "For an existing one, none"
_PATH = (
    "the messages of the driver, then the network path from its nodes: default route, VPC endpoint, private DNS, and "
    "the security groups of the endpoint"
)


@dataclass(frozen=True)
class Cause:
    """Cause of a failure. Its id is the id of the finding."""

    id_: str
    text: str
    check: str
    """What `doctor` compares."""
    settings: str
    """Fix with settings of this library."""
    fix: str
    """Fix without this library, in one sentence. The finding has the exact commands."""


_CAUSES = (
    Cause(
        "cluster-not-active",
        "the cluster is not active",
        "`status` of DescribeCluster",
        "none; EKS must finish first",
        "wait until the status is ACTIVE, or repair what EKS reports",
    ),
    Cause(
        "driver-missing",
        "the cluster has no EBS CSI driver",
        "a Deployment of the driver exists, if a claim or the option `--addon aws-ebs-csi-driver` needs it",
        f"leave `ebsCsi` at its default, which installs the addon; then {_UPDATE}",
        "install the addon `aws-ebs-csi-driver`",
    ),
    Cause(
        "service-account-missing",
        "the service account does not exist",
        "the service account of the pods exists",
        f"leave `ebsCsi` at its default, which installs the addon; then {_UPDATE}",
        "install the driver again, which creates its service account",
    ),
    Cause(
        "oidc-provider-missing",
        "the account has no IAM OIDC provider for the issuer of this cluster, for example because the "
        "cluster was replaced",
        "the account's providers contain the issuer of DescribeCluster",
        f"`oidc: {{}}`, which registers the provider; then {_ADOPT} and {_UPDATE}",
        "create the IAM OIDC provider with exactly the issuer of the cluster",
    ),
    Cause(
        "oidc-provider-dual-stack",
        "the provider was created for the dual-stack URL of the issuer, which no token contains",
        "a provider has the cluster's id with another host",
        f"`oidc: {{}}`, which registers the issuer as DescribeCluster returns it; then {_UPDATE}",
        "create the IAM OIDC provider with exactly the issuer of the cluster",
    ),
    Cause(
        "oidc-provider-audience",
        "the client ids of the provider lack the audience of the token; it is `sts.amazonaws.com` in every "
        "partition, also in China",
        "the provider's client ids contain the audience of the projected token",
        f"leave `oidc.clientIds` at its default, or add the audience to it; then {_UPDATE}",
        "add the audience to the client ids of the provider",
    ),
    Cause(
        "oidc-thumbprint",
        "a proxy or a private certificate authority presents another certificate for the issuer",
        "the message of STS",
        f"`oidc.thumbprints` with the thumbprint of that certificate authority; then {_UPDATE}",
        "exclude the issuer from the proxy, or update the thumbprint of the provider",
    ),
    Cause(
        "no-identity",
        "the service account has no role: no annotation and no Pod Identity association",
        "annotation of the service account, role of the addon, Pod Identity associations",
        f"leave `ebsCsi.identity` at its default `irsa`, or set `pod_identity`; then {_UPDATE}",
        "give the addon a role",
    ),
    Cause(
        "role-arn-malformed",
        "the annotation of the service account is no ARN of a role in this partition",
        "the annotation `eks.amazonaws.com/role-arn` is the ARN of a role",
        f"leave the annotation to the addon (`ebsCsi.roleName`); then {_UPDATE}",
        "write the ARN of the role into the addon or the annotation",
    ),
    Cause(
        "role-other-account",
        "the role belongs to another account, which has no provider or no trust for this cluster",
        "account in the annotation, and the answer of STS",
        f"leave the annotation to the addon (`ebsCsi.roleName`); then {_UPDATE}",
        "use a role of the cluster's account, or register the provider in the other account too",
    ),
    Cause(
        "role-missing",
        "the role does not exist",
        "GetRole for the role of the annotation or the association",
        f"`ebsCsi.roleName`; then {_UPDATE}, which creates the role",
        "create the role with the trust policy that `doctor` prints, or write the whole ARN of an existing role",
    ),
    Cause(
        "trust-condition-key",
        "a condition key of the trust policy begins with `https://` or `oidc-provider/`, or names another "
        "issuer; it matches no token",
        "trust policy evaluated against the JWT claims of the token",
        f"{_ADOPT}, then {_UPDATE}; the components write the key without `https://`",
        "write the key as the issuer without `https://`, and add `:aud`",
    ),
    Cause(
        "trust-subject",
        "the trust policy allows another namespace or service account",
        "trust policy evaluated against the JWT claim `sub`",
        f"driver: {_ADOPT}; `IrsaRole`: correct `service_accounts`; then {_UPDATE}",
        "write `system:serviceaccount:NAMESPACE:NAME` as the value of `:sub`",
    ),
    Cause(
        "trust-audience",
        "the trust policy requires another audience",
        "trust policy evaluated against the JWT claim `aud`",
        f"driver: {_ADOPT}; `IrsaRole`: correct `audience`; then {_UPDATE}",
        "write `sts.amazonaws.com` as the value of `:aud`",
    ),
    Cause(
        "trust-provider",
        "the trust policy names another principal: the provider of another cluster, account or partition, or "
        "not Pod Identity",
        "`Principal` of the trust policy compared with the provider of the cluster",
        f"{_ADOPT}, then {_UPDATE}; the components write the principal",
        "write the provider of this cluster as `Federated` principal",
    ),
    Cause(
        "trust-action",
        "the trust policy does not allow the action, for example `sts:AssumeRole` instead of "
        "`sts:AssumeRoleWithWebIdentity`",
        "`Action` of the trust policy",
        f"{_ADOPT}, then {_UPDATE}; the components write the action",
        "write `sts:AssumeRoleWithWebIdentity`, or `sts:AssumeRole` and `sts:TagSession` for Pod Identity",
    ),
    Cause(
        "trust-deny",
        "a Deny statement of the trust policy matches the token",
        "trust policy evaluated against the JWT claims of the token",
        f"{_ADOPT}, then {_UPDATE}; the components write no Deny statement",
        "exclude the service account from the Deny statement; remove it only if it is for this account alone",
    ),
    Cause(
        "trust-condition",
        "another condition of the trust policy excludes the request, or the policy is malformed or empty",
        "trust policy evaluated against the request",
        f"{_ADOPT}, then {_UPDATE}; the components write the trust policy",
        "remove the condition",
    ),
    Cause(
        "webhook-missing",
        "the webhook that gives pods their role does not exist",
        "MutatingWebhookConfiguration `pod-identity-webhook`, and the environment of the pods",
        "none; EKS installs the webhook",
        "restore the webhook, which EKS manages; open a case with AWS if it does not come back",
    ),
    Cause(
        "pods-without-role",
        "the pods are older than the annotation or the association; the webhook acts when a pod is created",
        "role and token in the environment of the running pods",
        f"{_UPDATE} restarts the pods of a driver that it manages",
        "restart the pods",
    ),
    Cause(
        "imds-hop-limit",
        "the driver uses the role of the node, and the hop limit of the instance metadata service keeps pods from it",
        "hop limit of the instances, when the service account has no role",
        f"leave `ebsCsi.identity` at its default; then {_UPDATE}. A role of its own needs no instance metadata",
        "give the addon a role of its own",
    ),
    Cause(
        "credentials-endpoint",
        "the credentials endpoint does not answer",
        "the messages of the driver, and the DaemonSet `eks-pod-identity-agent`",
        f"`ebsCsi.identity`, and {_CREATED} `addons.podIdentityAgent`; then {_UPDATE}",
        "repair the agent or the network policy between pod and agent",
    ),
    Cause(
        "pod-identity-agent-missing",
        "the Pod Identity agent is not installed or not ready",
        "ready pods of the DaemonSet `eks-pod-identity-agent`; if some are ready, also the messages of the driver",
        f"{_CREATED}, `addons.podIdentityAgent`; then {_UPDATE}. {_EXISTING}",
        "install the addon `eks-pod-identity-agent`",
    ),
    Cause(
        "sts-unreachable",
        "STS cannot be reached, because of the default route, the VPC endpoint or its security group, calls of the "
        "global endpoint, DNS, or a network filter",
        _PATH,
        f"{_CREATED}, `network.nat`, or `network.interfaceEndpoints` with `sts`; then {_UPDATE}. {_EXISTING}",
        "the finding has the command: it allows the nodes in the security group of the endpoint, enables private DNS, "
        "creates an endpoint or a route, or lets the pods call the regional endpoint",
    ),
    Cause(
        "ec2-unreachable",
        "the EC2 API cannot be reached, because of the default route, the VPC endpoint or its security group, DNS, or "
        "a network filter",
        _PATH,
        f"{_CREATED}, `network.nat`, or `network.interfaceEndpoints` with `ec2`; then {_UPDATE}. {_EXISTING}",
        "the finding has the command: it allows the nodes in the security group of the endpoint, enables private DNS, "
        "or creates an endpoint or a route",
    ),
    Cause(
        "driver-start-blocked",
        "version 1.47.0 of the driver waits for STS without a message",
        "version of the driver, and the end of its log",
        f"`ebsCsi.addonVersion` with a later version; then {_UPDATE}",
        "update the addon, and make STS reachable",
    ),
    Cause(
        "driver-too-old",
        "the driver is too old for Pod Identity",
        "version of the driver by the image of its controller, or else of the addon: Pod Identity needs 1.26.0",
        f"`ebsCsi.addonVersion` with a later version, or `ebsCsi.identity: irsa`; then {_UPDATE}",
        "update the addon",
    ),
    Cause(
        "permissions-missing",
        "the policies of the role do not allow an action that the driver needs",
        "SimulatePrincipalPolicy, or the policies evaluated with the tags that the arguments and the version of the "
        "driver set; `ec2:ModifyVolume` and `ec2:DescribeVolumesModifications` only while a claim is to grow",
        f"`ebsCsi.permissions`; then {_UPDATE}",
        "attach the managed policy AmazonEBSCSIDriverPolicyV2",
    ),
    Cause(
        "permissions-boundary",
        "the permissions boundary of the role does not allow an action that the driver needs",
        "the boundary evaluated like a policy; SimulatePrincipalPolicy if the boundary cannot be read",
        f"`ebsCsi.permissionsBoundary` with a wider policy; then {_UPDATE}",
        "allow the action in the boundary",
    ),
    Cause(
        "permissions-organization",
        "a service control policy of the organization denies an action that the driver needs",
        "SimulatePrincipalPolicy, or the message of EC2",
        "none; the organization decides",
        "ask the administrators of the organization to allow the action for the role",
    ),
    Cause(
        "permissions-snapshot",
        "the role may create volumes, but not from snapshots, or only from those with certain tags",
        "the policies evaluated for the resource `snapshot/*`, when a claim has a snapshot as its source; the message "
        "of EC2, when they require tags of the snapshot",
        f"`ebsCsi.permissions`; then {_UPDATE}",
        "allow `ec2:CreateVolume` on `arn:aws:ec2:*::snapshot/*`; AmazonEBSCSIDriverPolicyV2 allows it for snapshots "
        "with the tag `ebs.csi.aws.com/cluster` = `true`",
    ),
    Cause(
        "controller-not-running",
        "the controller of the driver does not run, for a reason outside the identity chain",
        "ready replicas of the controller",
        f"`ebsCsi.configuration.controllerTolerations` or `ebsCsi.configuration.controllerResources`; then {_UPDATE}",
        "look at the events and logs of the controller's pods",
    ),
    Cause(
        "node-plugin-missing",
        "the node plugin of the driver is not registered on a node, for example because of a taint",
        "CSINode of the node of a pod that waits; CSINode of each node if a claim waits or pods of the DaemonSet "
        "`ebs-csi-node` are not ready",
        f"`ebsCsi.configuration.tolerateAllTaints`; then {_UPDATE}",
        "let the DaemonSet `ebs-csi-node` tolerate the taints of the node",
    ),
    Cause(
        "class-missing",
        "the StorageClass of the claim does not exist",
        "StorageClass that the claim names",
        f"`storage.className` of an existing class, or `storage.create: true`; then {_UPDATE}",
        "create the class, or create the claim again with an existing one",
    ),
    Cause(
        "no-default-class",
        "the claim names no class, and the cluster has no default class; clusters have none since Kubernetes 1.30",
        "annotation `storageclass.kubernetes.io/is-default-class`",
        f"`storage.className`, and `storage.default: true` to make that class the default; then {_UPDATE}",
        "make one class the default",
    ),
    Cause(
        "class-of-another-driver",
        "the class belongs to another driver: `ebs.csi.eks.amazonaws.com` is EKS Auto Mode, "
        "`ebs.csi.aws.com` is the addon",
        "provisioner of the class compared with the drivers of the cluster",
        f"`ebsCsi.autoMode: true` for Auto Mode, else its default; `storage.className` of a class of that "
        f"driver; then {_UPDATE}",
        "create a class with the provisioner of the installed driver, and claims with that class",
    ),
    Cause(
        "kms-key-missing",
        "the KMS key of the class, or the default key of the account, does not exist",
        "DescribeKey for the parameter `kmsKeyId`, else for GetEbsDefaultKmsKeyId",
        f"`storage.kmsKeyId` with an existing key; then {_UPDATE}",
        "create the class again with an existing key, or choose another default key",
    ),
    Cause(
        "kms-key-disabled",
        "the KMS key of the class, or the default key of the account, is disabled, or its deletion is scheduled",
        "`KeyState` of DescribeKey for the parameter `kmsKeyId`, else for GetEbsDefaultKmsKeyId",
        f"`storage.kmsKeyId` with an enabled key; then {_UPDATE}",
        "enable the key, or cancel its deletion",
    ),
    Cause(
        "kms-permission",
        "the role may not use the KMS key: the policies lack `kms:CreateGrant` or another action, or the key "
        "policy excludes it",
        "policies of the role and key policy evaluated for the key, with their Deny statements",
        f"`ebsCsi.kmsKeyArns` with the key; then {_UPDATE}",
        "allow the actions of KMS for the key in a policy of the role",
    ),
    Cause(
        "volume-quota",
        "a quota of the account for EBS is used up",
        "the message of EC2",
        "smaller `storage` of the broker groups, or another `storage.volumeType`",
        "delete unused volumes, or request a higher quota",
    ),
    Cause(
        "claim-unused",
        "no pod uses the claim, and its class waits for the first one",
        "pods that use the claim",
        "none; the claim is not at fault",
        "create the pod, or delete the claim",
    ),
    Cause(
        "pod-not-scheduled",
        "the pod that uses the claim cannot be scheduled; storage is not the cause",
        "events of the pod",
        f"`rocketmq.brokerGroups` with smaller `memory` or `cpu`, `rocketmq.pods`, or, {_CREATED}, more `nodeGroups`; "
        f"then {_UPDATE}",
        "add nodes that the pod fits on, or change its requests, affinity or tolerations",
    ),
    Cause(
        "no-node-in-zone",
        "the zone of the volume has no node that takes pods",
        "node affinity of the volume compared with the zones of the nodes",
        f"{_CREATED}, `nodeGroups` with a node group in that zone; then {_UPDATE}. {_EXISTING}",
        "add a node in the zone of the volume",
    ),
    Cause(
        "attach-limit",
        "the nodes have no free slot for another volume",
        "`allocatable` of CSINode compared with the attached volumes",
        f"{_CREATED}, `nodeGroups` with more nodes or another instance type; then {_UPDATE}. {_EXISTING}",
        "add nodes, or use an instance type with more slots",
    ),
    Cause(
        "multi-attach",
        "the volume is still attached to another node, which is dead or not drained",
        "VolumeAttachments of the volume, and the state of that node",
        "none; Kubernetes detaches it after six minutes",
        "wait six minutes, or set the out-of-service taint on the dead node",
    ),
    Cause(
        "filesystem-features",
        "the file system has features that the kernel of the node does not know; xfsprogs of the driver is newer",
        "the message of the node plugin, the kernel of the node, and the version of the driver: its xfs needs a kernel "
        "since 5.10, and from version 1.49 one since 5.19",
        f"`storage.fileSystem: ext4` for new volumes, or, {_CREATED}, `nodeGroups` with a newer AMI; then {_UPDATE}",
        "use nodes with a newer kernel, or a driver that formats with older features",
    ),
    Cause(
        "modification-rate",
        "the volume was modified too often: at most four times in 24 hours, and only after the previous modification",
        "events of the claim while it is resized, and DescribeVolumesModifications: EC2 has accepted no modification "
        "since",
        "none; the driver tries again",
        "wait; `aws ec2 describe-volumes-modifications` shows the previous modification",
    ),
)
CAUSES: Mapping[str, Cause] = {each.id_: each for each in _CAUSES}
