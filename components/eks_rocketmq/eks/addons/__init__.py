"""EKS addons and their identities."""
