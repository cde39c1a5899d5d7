"""Messages through the deployed RocketMQ, as an application would send them: official client, proxy, acknowledged."""
