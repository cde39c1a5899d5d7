"""Commands of `eks-rocketmq`."""
