"""Command `python -m sandbox.engine.kubernetes`."""

from sandbox.engine.kubernetes.stand_in import KubernetesStandIn
from sandbox.engine.provider.serving import parse_port, serve

if __name__ == "__main__":
    serve(KubernetesStandIn, parse_port())
