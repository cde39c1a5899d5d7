"""Configuration files of RocketMQ: keys, durability profiles, memory."""
