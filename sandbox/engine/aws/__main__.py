"""`python -m sandbox.engine.aws --port 50052`: serve until SIGINT or SIGTERM; port 0 takes a free one and prints it."""

import argparse
import logging

from sandbox.engine.aws.stand_in import AwsStandIn
from sandbox.engine.provider.serving import serve
from sandbox.place import AWS_PROVIDER_PORT

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m sandbox.engine.aws", description=__doc__)
    parser.add_argument("--port", type=int, default=AWS_PROVIDER_PORT, help="on 127.0.0.1; 0 for a free one")
    # It tells of every client where it found credentials and endpoint.
    logging.getLogger("botocore").setLevel(logging.WARNING)
    serve(AwsStandIn, parser.parse_args().port)
