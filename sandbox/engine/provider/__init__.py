"""gRPC server, property values, errors and log of a provider stand-in."""
