from eks_rocketmq import Network

network = Network("network", {"cluster_name": "prod"})
