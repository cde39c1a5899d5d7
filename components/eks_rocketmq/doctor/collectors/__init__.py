"""Collectors of facts from AWS and from the Kubernetes API. Read only."""
