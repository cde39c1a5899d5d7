"""Sandbox: engine, AWS APIs, Kubernetes nodes and RocketMQ on one machine."""
