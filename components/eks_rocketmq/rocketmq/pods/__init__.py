"""Pods, their settings, and the Kubernetes resources of a workload."""
