"""Command `python -m sandbox.engine.random`."""

from sandbox.engine.provider.serving import parse_port, serve
from sandbox.engine.random.stand_in import RandomStandIn

if __name__ == "__main__":
    serve(RandomStandIn, parse_port())
