"""The EBS CSI driver as EKS runs it: present exactly while the addon `aws-ebs-csi-driver` is in the EKS API."""

from sandbox.ebs_csi.service import AddonError, start, stop

__all__ = ["AddonError", "start", "stop"]
