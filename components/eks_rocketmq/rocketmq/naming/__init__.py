"""Names, labels and ports of Kubernetes objects and RocketMQ resources."""
