"""Process of a stand-in."""

import argparse
import logging
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import grpc
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import provider_pb2_grpc

from sandbox.engine.provider.engine_log import EngineLog
from sandbox.engine.provider.servicer import Servicer, StandIn

# A waiting operation blocks its thread; the engine sends up to `--parallel` requests at a time.
_THREADS = 128
_GRACE_SECONDS = 2.0


def parse_port() -> int:
    """Return the port of the command line of `python -m sandbox.engine.PACKAGE`."""
    parser = argparse.ArgumentParser(description="Serve a stand-in until SIGINT or SIGTERM; print the port.")
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1; 0 for a free one")
    return parser.parse_args().port


def serve(kind: Callable[[EngineLog, threading.Event], StandIn], port: int) -> None:
    """Serve on 127.0.0.1 until SIGINT or SIGTERM; print the port. At the end, cancel waiting operations.

    Raises SystemExit with a message when the port is in use.
    """
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    servicer = Servicer(kind)
    server = grpc.server(ThreadPoolExecutor(_THREADS), options=[*_GRPC_CHANNEL_OPTIONS, ("grpc.so_reuseport", 0)])
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    try:
        bound = server.add_insecure_port(f"127.0.0.1:{port}")
    except RuntimeError as error:
        raise SystemExit(
            f"127.0.0.1:{port} is in use: end the process that listens there, or give another port"
        ) from error
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    server.start()
    print(bound, flush=True)
    stopping.wait()
    servicer.cancel_all()
    server.stop(_GRACE_SECONDS).wait()
