"""`python -m sandbox.engine.random --port 50053`: serve until SIGINT or SIGTERM; port 0 takes a free one, printed."""

import argparse

from sandbox.engine.provider.serving import serve
from sandbox.engine.random.stand_in import RandomStandIn
from sandbox.place import RANDOM_PROVIDER_PORT

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m sandbox.engine.random", description=__doc__)
    parser.add_argument("--port", type=int, default=RANDOM_PROVIDER_PORT, help="on 127.0.0.1; 0 for a free one")
    serve(RandomStandIn, parser.parse_args().port)
