"""What every provider stand-in needs to speak with the engine: the gRPC servicer, values, errors, status lines."""
