"""The commands of `eks-rocketmq`."""
