"""The EBS CSI driver and its StorageClass."""
