"""Pods and the Kubernetes objects around them."""
