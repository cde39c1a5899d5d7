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
ANY_IPV4 = "0.0.0.0/0"
"""Destination of a default route."""
