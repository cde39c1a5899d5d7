"""Command `python -m sandbox.engine.eks`."""

from sandbox.engine.eks.serving import serve
from sandbox.engine.provider.serving import parse_port

if __name__ == "__main__":
    serve(parse_port())
