"""Command `python -m sandbox.engine.eks`."""

from sandbox.engine.eks.serving import serve
from sandbox.engine.provider.serving import port_argument
from sandbox.layout import EKS_PROVIDER_PORT

if __name__ == "__main__":
    serve(port_argument("eks", EKS_PROVIDER_PORT))
