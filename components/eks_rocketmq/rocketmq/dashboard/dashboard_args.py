"""Arguments of the web console."""

from typing import NotRequired, TypedDict

from eks_rocketmq.rocketmq.network.network_policy_args import PeerArgs


class DashboardArgs(TypedDict):
    """Web console (apache/rocketmq-dashboard) with a login, inside the cluster. The settings in `pods` of RocketMq
    apply to it. Open it with `kubectl -n rocketmq port-forward service/rocketmq-dashboard 8082`."""

    login_secret: str
    """Name of a Secret in the namespace with the key `users.properties`. The file has a line for each user:
    `name=password,1` for an administrator, `name=password` for a user who cannot change topics, groups and brokers.
    Such a user can still send messages, resend dead letters and read the configuration of the brokers. The console
    reads the file at startup."""
    credentials_secret: NotRequired[str]
    """Name of a Secret with the keys `accessKey` and `secretKey`. The console authenticates to brokers with them.
    Required with `access`. Default: none."""
    version: NotRequired[str]
    """Tag of the image. Default: `2.1.0`."""
    image: NotRequired[str]
    """Image without tag, in the layout of the official image. Default: `apacherocketmq/rocketmq-dashboard`."""
    image_digest: NotRequired[str]
    """Digest of the image, `sha256:…`. It overrides the tag. Default: none."""
    memory: NotRequired[str]
    """Memory limit, at least `512Mi`. Default: `1Gi`."""
    cpu: NotRequired[str]
    """CPU request. Default: `100m`."""
    clients: NotRequired[list[PeerArgs]]
    """Peers that may connect to port 8082, such as an ingress controller. `kubectl port-forward` always works.
    Default: none."""
