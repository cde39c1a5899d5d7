"""Components for EKS and its EBS storage. This package imports nothing of RocketMQ."""
