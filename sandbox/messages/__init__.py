"""Messages through the deployed RocketMQ, with the official client and the proxy."""
