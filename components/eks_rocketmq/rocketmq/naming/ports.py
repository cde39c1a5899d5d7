"""Ports of the RocketMQ processes."""

NAME_SERVER = 9876
CONTROLLER = 9878  # Raft and controller requests share the port of the peer list
BROKER = 10911
BROKER_FAST = BROKER - 2  # RocketMQ always uses this offset; members fetch topics and offsets from the master here
BROKER_HA = BROKER + 1
PROXY_REMOTING = 8080
PROXY_GRPC = 8081
METRICS = 5557  # of brokers, controllers and proxies
DASHBOARD = 8082
PROBES = 8090  # of the agent; only the kubelet connects to it
DNS = 53
