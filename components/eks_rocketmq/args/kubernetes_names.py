"""Names that Kubernetes, EKS and EC2 define. Pure."""

from typing import Annotated, Literal

from eks_rocketmq.args.field_metadata import Enumeration

TaintEffect = Annotated[Literal["NoSchedule", "NoExecute", "PreferNoSchedule"], Enumeration("TaintEffect")]

ZONE = "topology.kubernetes.io/zone"
"""Label of a node."""
ROLE_ANNOTATION = "eks.amazonaws.com/role-arn"
"""Annotation of a service account, which the pod identity webhook of EKS reads at the creation of a pod."""
EBS_CSI = "aws-ebs-csi-driver"
POD_IDENTITY_AGENT = "eks-pod-identity-agent"
"""EKS addons."""
EBS_DRIVER = "ebs.csi.aws.com"
EBS_DRIVERS = (EBS_DRIVER, "kubernetes.io/aws-ebs")
"""Provisioners that the EBS CSI driver serves: its own, and the in-tree one by CSI migration."""
CLUSTER_NAME_TAG = "ebs.csi.aws.com/cluster-name"
CLUSTER_NAME_TAG_FROM = (1, 58)
"""Tag that the EBS CSI driver sets on volumes, and the first version that does: its pull request 2899."""
AUTO_MODE_DRIVER = "ebs.csi.eks.amazonaws.com"
"""Provisioner of EKS Auto Mode: https://docs.aws.amazon.com/eks/latest/userguide/create-storage-class.html"""
ANY_IPV4 = "0.0.0.0/0"
"""Destination of a default route."""
