"""`python -m sandbox.engine.eks --port 50054`: serve until SIGINT or SIGTERM; port 0 takes a free one and prints it."""

import argparse

from sandbox.engine.eks.serving import serve
from sandbox.place import EKS_PROVIDER_PORT

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m sandbox.engine.eks", description=__doc__)
    parser.add_argument("--port", type=int, default=EKS_PROVIDER_PORT, help="on 127.0.0.1; 0 for a free one")
    serve(parser.parse_args().port)
