"""Plan of the web console. Pure."""

from dataclasses import dataclass

from eks_rocketmq.args.argument_path import ARGS
from eks_rocketmq.args.errors import ArgumentError
from eks_rocketmq.args.validation import (
    format_image_reference,
    parse_bytes,
    validate_cpu,
    validate_digest,
    validate_dns_subdomain,
    validate_image,
    validate_image_tag,
)
from eks_rocketmq.rocketmq.dashboard.dashboard_args import DashboardArgs

DASHBOARD_IMAGE = "apacherocketmq/rocketmq-dashboard"
_MIN_MEMORY = 512 * 1024**2


@dataclass(frozen=True)
class DashboardPlan:
    """Validated settings of the web console."""

    image: str
    memory: int
    """Limit in MiB."""
    cpu: str
    login_secret: str
    credentials_secret: str | None


def plan_dashboard(args: DashboardArgs) -> DashboardPlan:
    """Return the plan of the web console.

    Raise ValueError for the first argument that is not accepted.
    """
    path = ARGS / "dashboard"
    memory = parse_bytes(args.get("memory", "1Gi"), path / "memory")
    if memory < _MIN_MEMORY:
        raise ArgumentError(
            path / "memory",
            "dashboard-memory",
            "{given!r} is too little for the web console",
            accepted="'512Mi' or more",
            given=args.get("memory"),
        )
    credentials = args.get("credentials_secret")
    return DashboardPlan(
        image=format_image_reference(
            validate_image(args.get("image", DASHBOARD_IMAGE), path / "image"),
            validate_image_tag(args.get("version", "2.1.0"), path / "version"),
            validate_digest(args["image_digest"], path / "image_digest") if "image_digest" in args else None,
        ),
        memory=memory // 1024**2,
        cpu=validate_cpu(args.get("cpu", "100m"), path / "cpu"),
        login_secret=validate_dns_subdomain(args["login_secret"], path / "login_secret"),
        credentials_secret=None
        if credentials is None
        else validate_dns_subdomain(credentials, path / "credentials_secret"),
    )
