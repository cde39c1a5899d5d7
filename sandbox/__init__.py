"""The whole of eks-rocketmq for real on one machine: engine, AWS APIs, Kubernetes nodes, images."""
