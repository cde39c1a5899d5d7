"""Whether nodes can pull the images of a stack. Pure."""

import re

from eks_rocketmq.eks.network.network_args import NetworkArgs
from eks_rocketmq.rocketmq.dashboard.dashboard_plan import DASHBOARD_IMAGE
from eks_rocketmq.rocketmq.plan import DEFAULT_IMAGE
from eks_rocketmq.rocketmq.rocketmq_args import RocketMqArgs
from eks_rocketmq.stack.arn_checks import partition_of

_ECR = re.compile(r"\d{12}\.dkr[.-]ecr(-fips)?\.(?P<region>[a-z0-9-]+)\.")
_PUBLIC_REGISTRIES = (
    *(".docker.io", ".gcr.io", ".ghcr.io", ".pkg.dev", ".public.ecr.aws", ".quay.io", ".registry.k8s.io"),
    ".mcr.microsoft.com",
)


def check_images(network: NetworkArgs | None, rocketmq: RocketMqArgs, region: str | None) -> None:
    """Refuses images that no node can pull.

    Args:
        network: of a new cluster; nothing is known of the network of one that exists.
        rocketmq: what runs.
        region: the stack's region, where it is known.

    Raises:
        ValueError: naming the image and what is accepted.
    """
    images = {"image": rocketmq.get("image", DEFAULT_IMAGE)}
    if "dashboard" in rocketmq:
        images["dashboard.image"] = rocketmq["dashboard"].get("image", DASHBOARD_IMAGE)
    enclosed = network is not None and network.get("nat") == "none"
    for what, image in images.items():
        repository = _ECR.match(image)
        if repository and region and partition_of(repository["region"]) != partition_of(region):
            msg = (
                f"{what} is {image!r}, in ECR of another partition than aws:region, {region!r}: no node may pull it. "
                "Accepted is a registry that nodes reach. Copy the image into ECR of that region and name that"
            )
            raise ValueError(msg)
        if enclosed and repository and region and repository["region"] != region:
            msg = (
                f"{what} is {image!r} and network.nat is 'none'; endpoints of ECR reach repositories of {region!r} "
                "only: copy the image into a repository of that region and name that, or take nat 'single'"
            )
            raise ValueError(msg)
        if enclosed and _is_public(image):
            msg = (
                f"{what} is {image!r} and network.nat is 'none'; no node reaches that registry: copy the image into a "
                "repository of ECR and name that, or take nat 'single'"
            )
            raise ValueError(msg)


def _is_public(image: str) -> bool:
    host, slash, _ = image.partition("/")
    named = slash and (set(host) & {".", ":"} or host == "localhost")
    return not named or f".{host}".endswith(_PUBLIC_REGISTRIES)
