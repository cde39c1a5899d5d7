"""What a caller may say on top of a RocketMQ: its network, its metrics, clients from outside, the web console."""

from typing import NotRequired, TypedDict


class PeerArgs(TypedDict):
    """Whom a NetworkPolicy lets through: pods by their labels and those of their namespaces, or addresses."""

    namespace_labels: NotRequired[dict[str, str]]
    """Labels of the peers' namespaces, such as `{"kubernetes.io/metadata.name": "shop"}`; `{}` is every namespace.
    Default: RocketMQ's own namespace."""
    pod_labels: NotRequired[dict[str, str]]
    """Labels of the peers' pods. Default: every pod of those namespaces."""
    cidr: NotRequired[str]
    """Addresses such as `10.0.0.0/16`, instead of labels: for what is not a pod of the cluster. Default: none."""


class NetworkPoliciesArgs(TypedDict):
    """Who may talk to whom. Policies need a network plugin that enforces them."""

    enabled: NotRequired[bool]
    """Whether NetworkPolicies are made. Without them everyone in the cluster reaches the controllers and name servers,
    which know no passwords. Default: true."""
    clients: NotRequired[list[PeerArgs]]
    """Who may talk to the proxies. Behind a load balancer the policies see its addresses, or the clients' where it
    keeps them: name them here as `cidr`. Default: everyone."""
    egress: NotRequired[bool]
    """Whether the policies also close what the pods open themselves, except what the roles need of each other, and DNS.
    Default: false."""
    dns: NotRequired[list[PeerArgs]]
    """Who answers DNS, with `egress`. With a cache on each node name its address as well, such as `169.254.20.10/32`.
    Default: pods labelled `k8s-app: kube-dns` in any namespace."""


class AlertsArgs(TypedDict):
    """Alert rules, as a PrometheusRule of the Prometheus operator."""

    labels: NotRequired[dict[str, str]]
    """Labels of the PrometheusRule, by which a Prometheus picks its rules. Default: `monitor_labels`."""
    alert_labels: NotRequired[dict[str, str]]
    """Labels of every alert beside `severity` and `broker_group`, such as `{"team": "messaging"}`. Default: none."""
    runbook_url: NotRequired[str]
    """Address of the page whose anchors the alerts point to. Default: `docs/operations.md`, to be read in the
    repository."""
    kubernetes_metrics: NotRequired[bool]
    """Whether the Prometheus also has the metrics of the kubelets and of kube-state-metrics, as kube-prometheus-stack
    does. Without them there are no alerts on members out of sync and on restarts, and the disk is measured against the
    declared `storage`, which is too small once a claim was grown by hand. Default: true."""
    disk_used_percent: NotRequired[int]
    """Used part of a broker's volume, in percent, that warns. RocketMQ begins to delete messages early at 85 and
    refuses writes at 90; 85 is critical. Default: 75."""
    consumer_lag_messages: NotRequired[int]
    """Messages that a consumer group has before it and that warn. Default: 100000."""
    consumer_lag_seconds: NotRequired[int]
    """Age in seconds of the oldest message that a consumer group has not taken, and that warns. Default: 600."""
    send_latency_milliseconds: NotRequired[int]
    """99th percentile of what brokers take to answer a send, in milliseconds, that warns. Brokers count in buckets that
    end at 1, 3, 5, 7, 10, 100, 1000, 2000 and 3000; in between it is an estimate. Default: 500."""


class GrafanaDashboardArgs(TypedDict):
    """A Grafana dashboard in a ConfigMap, which Grafana's sidecar loads."""

    labels: NotRequired[dict[str, str]]
    """Labels by which the sidecar finds it. Default: `{"grafana_dashboard": "1"}`."""
    annotations: NotRequired[dict[str, str]]
    """Annotations, such as `{"grafana_folder": "RocketMQ"}`. Default: none."""


class MonitoringArgs(TypedDict):
    """Who reads the metrics and what is made of them. Brokers, controllers and proxies always have them, on port 5557
    in the text form of Prometheus; name servers have none."""

    monitor: NotRequired[str]
    """What tells a Prometheus operator to scrape: `pod` makes a PodMonitor, `service` a ServiceMonitor, `none` leaves
    it to you. The first two need the operator's CRDs in the cluster. Default: `none`."""
    monitor_labels: NotRequired[dict[str, str]]
    """Labels of the monitor, by which a Prometheus picks it, such as `{"release": "kube-prometheus-stack"}`. Default:
    none."""
    interval: NotRequired[str]
    """How often to scrape, such as `30s`. Default: `30s`."""
    scrapers: NotRequired[list[PeerArgs]]
    """Who may reach the metrics, such as Prometheus' namespace. Default: every pod of the cluster."""
    alerts: NotRequired[AlertsArgs]
    """Alert rules; `{}` takes all defaults. Needs the CRDs of the Prometheus operator. Default: none are made."""
    grafana_dashboard: NotRequired[GrafanaDashboardArgs]
    """A Grafana dashboard; `{}` takes all defaults. Default: none is made."""


class ExternalArgs(TypedDict):
    """A second Service for the proxies, for clients outside of the cluster. gRPC clients get their own address back in
    every answer, so any address and port that leads to a proxy works."""

    type: NotRequired[str]
    """`LoadBalancer` or `NodePort`. A load balancer without `load_balancer_class`, `source_ranges` or an annotation
    that says whether it is internal is refused: clouds would put it on the internet. Default: `LoadBalancer`."""
    port: NotRequired[int]
    """Port for gRPC clients. Default: 8081."""
    node_port: NotRequired[int]
    """Port for gRPC clients on every node, 30000 to 32767. Default: Kubernetes picks one."""
    hostname: NotRequired[str]
    """Name under which clients reach it; stands in `external_endpoint` and in the annotation that external-dns reads.
    Default: the load balancer's own."""
    remoting: NotRequired[bool]
    """Whether clients that speak remoting may come in as well, on port 8080. The proxies then send *all* of them, those
    in the cluster too, to `hostname`, which must be given. Default: false."""
    annotations: NotRequired[dict[str, str]]
    """Annotations by which the cloud makes the load balancer. For AWS `networkLoadBalancer` of a stack file writes
    them, and in Python `network_load_balancer` of `eks_rocketmq.eks.load_balancer`. Default: none."""
    load_balancer_class: NotRequired[str]
    """Which controller makes the load balancer, such as `service.k8s.aws/nlb`. Changing this replaces the load
    balancer. Default: the cluster's own."""
    source_ranges: NotRequired[list[str]]
    """Addresses that the load balancer lets in, such as `["10.0.0.0/8"]`. Default: all."""
    traffic_policy: NotRequired[str]
    """`Cluster`, or `Local`, which keeps clients' addresses and sends them only to nodes that run a proxy. Default:
    `Cluster`."""


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
