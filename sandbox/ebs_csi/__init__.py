"""The EBS CSI driver as on EKS: it runs while the addon `aws-ebs-csi-driver` exists in the EKS API."""

from sandbox.ebs_csi.addon_process import AddonError, start, stop

__all__ = ["AddonError", "start", "stop"]
