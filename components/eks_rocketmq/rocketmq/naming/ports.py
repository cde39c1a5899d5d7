"""The ports that RocketMQ listens on, once."""

NAME_SERVER = 9876
CONTROLLER = 9878  # raft and the controllers' own requests share the port of the peer list
BROKER = 10911
BROKER_FAST = BROKER - 2  # always two below; members fetch topics and offsets from the master through it
BROKER_HA = BROKER + 1
PROXY_REMOTING = 8080
PROXY_GRPC = 8081
METRICS = 5557  # in brokers, controllers and proxies
DASHBOARD = 8082
DNS = 53
