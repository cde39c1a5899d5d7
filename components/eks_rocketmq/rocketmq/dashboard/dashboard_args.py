"""Arguments of the web console."""

from typing import NotRequired, TypedDict

from eks_rocketmq.rocketmq.network.network_policy_args import PeerArgs


class DashboardArgs(TypedDict):
    """The web console (apache/rocketmq-dashboard), with a login, inside the cluster. What `pods` says for all roles
    holds for it. Open it with `kubectl -n rocketmq port-forward service/rocketmq-dashboard 8082`."""

    login_secret: str
    """Name of a Secret of the namespace with the key `users.properties`: a line for each user, `name=password,1` for an
    administrator, `name=password` for one who only looks. It is read at start."""
    credentials_secret: NotRequired[str]
    """Name of a Secret with the keys `accessKey` and `secretKey`, as whom the console speaks to brokers; needed with
    `access`. Default: none."""
    version: NotRequired[str]
    """Tag of the image. Default: `2.1.0`."""
    image: NotRequired[str]
    """Image without tag, in the layout of the official one. Default: `apacherocketmq/rocketmq-dashboard`."""
    image_digest: NotRequired[str]
    """Digest of the image, `sha256:…`, which then decides instead of the tag. Default: none."""
    memory: NotRequired[str]
    """Memory limit, at least `512Mi`. Default: `1Gi`."""
    cpu: NotRequired[str]
    """CPU request. Default: `100m`."""
    clients: NotRequired[list[PeerArgs]]
    """Who may reach port 8082 beside `kubectl port-forward`, such as an ingress controller. Default: no one."""
