"""Command `python -m sandbox.engine.kubernetes`."""

from sandbox.engine.kubernetes.stand_in import KubernetesStandIn
from sandbox.engine.provider.serving import port_argument, serve
from sandbox.layout import KUBERNETES_PROVIDER_PORT

if __name__ == "__main__":
    serve(KubernetesStandIn, port_argument("kubernetes", KUBERNETES_PROVIDER_PORT))
