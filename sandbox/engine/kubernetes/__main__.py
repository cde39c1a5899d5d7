"""Serve the stand-in: `python -m sandbox.engine.kubernetes --port 50051`; port 0 takes a free one. Prints the port."""

import argparse

from sandbox.engine.kubernetes.stand_in import KubernetesStandIn
from sandbox.engine.provider.serving import serve
from sandbox.place import KUBERNETES_PROVIDER_PORT


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox.engine.kubernetes", description=__doc__)
    parser.add_argument("--port", type=int, default=KUBERNETES_PROVIDER_PORT, help="port on 127.0.0.1")
    serve(KubernetesStandIn, parser.parse_args().port)


if __name__ == "__main__":
    main()
