"""Apache RocketMQ on any Kubernetes cluster with a StorageClass. Imports nothing from AWS."""
