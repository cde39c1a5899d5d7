"""Command `python -m sandbox.engine.aws`."""

import logging

from sandbox.engine.aws.stand_in import AwsStandIn
from sandbox.engine.provider.serving import parse_port, serve

if __name__ == "__main__":
    # At INFO level, botocore logs the credentials source and the endpoint of every client.
    logging.getLogger("botocore").setLevel(logging.WARNING)
    serve(AwsStandIn, parse_port())
