"""EBS CSI driver and StorageClass."""
