"""Command `python -m sandbox.engine.random`."""

from sandbox.engine.provider.serving import port_argument, serve
from sandbox.engine.random.stand_in import RandomStandIn
from sandbox.layout import RANDOM_PROVIDER_PORT

if __name__ == "__main__":
    serve(RandomStandIn, port_argument("random", RANDOM_PROVIDER_PORT))
