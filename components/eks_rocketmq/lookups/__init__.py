"""Lookups in AWS and Kubernetes, and the checks before a create that use them."""
