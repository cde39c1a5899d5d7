"""From an AWS account to a StorageClass that works. Knows nothing of RocketMQ."""
