"""Configuration of RocketMQ: keys, durability profiles, memory, TLS."""
