"""EKS clusters, new and existing."""
