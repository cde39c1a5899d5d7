"""Whether nodes can pull the images of a stack. Pure."""

import re
from collections.abc import Iterator

from eks_rocketmq.args.errors import ArgumentError, raise_all
from eks_rocketmq.eks.network.network_args import NetworkArgs
from eks_rocketmq.rocketmq.dashboard.dashboard_plan import DASHBOARD_IMAGE
from eks_rocketmq.rocketmq.plan import DEFAULT_IMAGE
from eks_rocketmq.rocketmq.rocketmq_args import RocketMqArgs
from eks_rocketmq.stack.arn_checks import get_partition
from eks_rocketmq.stack.stack_paths import NETWORK, ROCKETMQ, get_setting_path

_ECR = re.compile(r"\d{12}\.dkr[.-]ecr(-fips)?\.(?P<region>[a-z0-9-]+)\.")
_PUBLIC_REGISTRIES = (
    *(".docker.io", ".gcr.io", ".ghcr.io", ".pkg.dev", ".public.ecr.aws", ".quay.io", ".registry.k8s.io"),
    ".mcr.microsoft.com",
)


@raise_all
def check_images(network: NetworkArgs | None, rocketmq: RocketMqArgs, region: str | None) -> Iterator[ArgumentError]:
    """Reject images that no node can pull. `network` is None for an existing cluster, `region` if it is unknown."""
    images = {ROCKETMQ / "image": rocketmq.get("image", DEFAULT_IMAGE)}
    if "dashboard" in rocketmq:
        images[ROCKETMQ / "dashboard" / "image"] = rocketmq["dashboard"].get("image", DASHBOARD_IMAGE)
    enclosed = network is not None and network.get("nat") == "none"
    for path, image in images.items():
        repository = _ECR.match(image)
        if repository and region and get_partition(repository["region"]) != get_partition(region):
            yield ArgumentError(
                path,
                "image-partition",
                "{given!r} is in ECR of another partition than {setting}, {region!r}, and nodes cannot pull it",
                accepted="an image in a registry that the nodes can reach",
                remedy="Copy the image into ECR of that region and name the copy",
                given=image,
                setting=get_setting_path("aws:region"),
                region=region,
            )
        elif enclosed and repository and region and repository["region"] != region:
            yield ArgumentError(
                path,
                "image-region",
                "{given!r} is not in {region!r}, and {nat} is 'none': endpoints of ECR reach one region only",
                remedy="Copy the image into a repository of {region!r} and name it, or set {nat} to 'single'",
                given=image,
                region=region,
                nat=NETWORK / "nat",
            )
        elif enclosed and _is_public(image):
            yield ArgumentError(
                path,
                "image-unreachable",
                "{given!r} is in a public registry, and {nat} is 'none': nodes cannot reach the registry",
                remedy="Copy the image into a repository of ECR and name the copy, or set {nat} to 'single'",
                given=image,
                nat=NETWORK / "nat",
            )


def _is_public(image: str) -> bool:
    host, slash, _ = image.partition("/")
    named = slash and (set(host) & {".", ":"} or host == "localhost")
    return not named or f".{host}".endswith(_PUBLIC_REGISTRIES)
