"""Command `python -m sandbox.engine.aws`."""

import logging

from sandbox.engine.aws.stand_in import AwsStandIn
from sandbox.engine.provider.serving import port_argument, serve
from sandbox.layout import AWS_PROVIDER_PORT

if __name__ == "__main__":
    # At INFO level, botocore logs the credentials source and the endpoint of every client.
    logging.getLogger("botocore").setLevel(logging.WARNING)
    serve(AwsStandIn, port_argument("aws", AWS_PROVIDER_PORT))
