"""Versions that the sandbox builds or downloads. They and `toolchain/` decide the keys of the cache."""

PULUMI = "3.260.0"
KUBERNETES = "1.35.4"
KUBERNETES_MINOR = KUBERNETES.rpartition(".")[0]  # as EKS names the version of a cluster
RUNC = "1.3.4"
COREDNS = "1.14.7"
ROCKETMQ = "5.5.0"
OTHER_ROCKETMQS = ("5.4.0", "5.3.3")  # built on request: `make cache PARTS=image-rocketmq-5.4.0`
MINISTACK = "1.5.33"
BOTOCORE = "1.43.106"  # the release that ministack pins
NODE = "24.19.0"
AWSCLI = "1.46.3"
ROCKETMQ_CLIENT = "5.1.2"
MOTO = "5.2.5"
ACTIONLINT = "1.7.12"
PROMETHEUS = "0.316.0"  # as a Go module; the release is 3.16.0

PAUSE_IMAGE = "registry.sandbox.invalid/pause:1"
EBS_CSI_IMAGE = "registry.sandbox.invalid/ebs-csi:1"
COREDNS_IMAGE = f"registry.sandbox.invalid/coredns:{COREDNS}"


def rocketmq_image(version: str) -> str:
    """Return the reference of the official image of a version. The sandbox builds its own image under this name."""
    return f"docker.io/apache/rocketmq:{version}"
