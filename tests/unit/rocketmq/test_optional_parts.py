"""External access and the web console."""

import json
from collections.abc import Mapping
from typing import Any

import kubernetes_validate
import pytest

from eks_rocketmq.eks.network.load_balancer import network_load_balancer
from eks_rocketmq.rocketmq.plan import plan
from eks_rocketmq.rocketmq.rocket_mq import RocketMq
from tests.unit.harness import Fakes, Recording, run
from tests.unit.harness.recording import UNKNOWN
from tests.unit.harness.rejections import rejects
from tests.unit.rocketmq_case import args, config, container, deploy, group, pod, workload

AWS = "service.beta.kubernetes.io/aws-load-balancer"
LOAD_BALANCER = {"load_balancer_class": "example.com/lb"}
DASHBOARD = {"login_secret": "login"}
SERVICE = "rocketmq-external-service"


class Cloud(Fakes):
    """Fake cloud that gives a LoadBalancer Service an address and a NodePort Service a port."""

    def create(self, type_: str, name: str, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        id_, outputs = super().create(type_, name, inputs)
        if name == SERVICE:
            is_load_balancer = inputs["spec"]["type"] == "LoadBalancer"
            outputs["status"] = {
                "loadBalancer": {"ingress": [{"hostname": "lb.cloud.example"}]} if is_load_balancer else {}
            }
            outputs["spec"] = {**inputs["spec"], "ports": [{**inputs["spec"]["ports"][0], "nodePort": 30123}]}
        return id_, outputs


def deploy_external(*, preview: bool = False, **external: Any) -> Recording:
    given = args(external={**LOAD_BALANCER, **external} if external.get("type") != "NodePort" else external)
    return run(lambda: RocketMq("rocketmq", given), preview=preview, fakes=Cloud())


def service(recording: Recording) -> Mapping[str, Any]:
    return recording.one("Service", SERVICE).inputs


def proxy_settings(recording: Recording) -> dict[str, Any]:
    return json.loads(config(recording, "rocketmq-proxy-config")["rmq-proxy.json"])


def endpoint(recording: Recording) -> Any:
    return recording.component_outputs[recording.one("RocketMq").urn].get("externalEndpoint")


def address(recording: Recording) -> Any:
    return recording.component_outputs[recording.one("RocketMq").urn].get("loadBalancerAddress")


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize(
    ("given", "added"),
    [
        ({"external": LOAD_BALANCER}, {"eks-rocketmq:index:ExternalAccess": 1, "kubernetes:core/v1:Service": 1}),
        (
            {"dashboard": DASHBOARD},
            {
                "eks-rocketmq:index:Dashboard": 1,
                "kubernetes:apps/v1:Deployment": 1,
                "kubernetes:core/v1:Service": 1,
                "kubernetes:networking.k8s.io/v1:NetworkPolicy": 1,
            },
        ),
    ],
)
def test_each_option_adds_only_its_own_objects(preview: bool, given: dict[str, Any], added: dict[str, int]) -> None:
    plain, full = deploy(preview=preview).inventory(), deploy(preview=preview, **given).inventory()
    assert {type_: count - plain.get(type_, 0) for type_, count in full.items() if count != plain.get(type_)} == added


def test_load_balancer_is_awaited_and_its_address_is_the_external_endpoint() -> None:
    recording = deploy_external()
    assert service(recording)["spec"] == {
        "type": "LoadBalancer",
        "selector": workload(recording, "rocketmq-proxy-deployment")["selector"]["matchLabels"],
        "externalTrafficPolicy": "Cluster",
        "ports": [{"name": "grpc", "port": 8081, "targetPort": 8081, "protocol": "TCP"}],
        "loadBalancerClass": "example.com/lb",
    }
    assert "annotations" not in service(recording)["metadata"]
    assert endpoint(recording) == "lb.cloud.example:8081"
    assert address(recording) == "lb.cloud.example"
    assert recording.one("Service", SERVICE).timeouts["create"] == "15m"


def test_external_addresses_are_unknown_in_a_preview() -> None:
    recording = deploy_external(preview=True)
    assert (endpoint(recording), address(recording)) == (UNKNOWN, UNKNOWN)


def test_external_addresses_are_none_without_external_access() -> None:
    assert (endpoint(deploy()), address(deploy())) == (None, None)


def test_external_service_is_created_after_the_proxies() -> None:
    recording = deploy_external()
    proxies = recording.one("Deployment", "rocketmq-proxy-deployment")
    assert recording.reaches(recording.one("Service", SERVICE), proxies)
    # The Service does not reference the Deployment. Only the explicit dependency orders them.
    assert proxies.urn in recording.one("ExternalAccess").explicit_dependencies


def test_hostname_is_set_for_external_dns_and_in_the_endpoint() -> None:
    recording = deploy_external(
        hostname="mq.example.com", port=443, annotations={"a/b": "c"}, source_ranges=["10.0.0.0/8"]
    )
    assert service(recording)["metadata"]["annotations"] == {
        "external-dns.alpha.kubernetes.io/hostname": "mq.example.com",
        "a/b": "c",
    }
    assert service(recording)["spec"]["loadBalancerSourceRanges"] == ["10.0.0.0/8"]
    assert endpoint(recording) == "mq.example.com:443"
    # The DNS record points to it.
    assert address(recording) == "lb.cloud.example"


def test_node_port_service_is_not_awaited_and_has_an_endpoint() -> None:
    recording = deploy_external(type="NodePort", node_port=30123, hostname="node.example.com", traffic_policy="Local")
    spec = service(recording)["spec"]
    assert (spec["type"], spec["ports"][0]["nodePort"], spec["externalTrafficPolicy"]) == ("NodePort", 30123, "Local")
    assert service(recording)["metadata"]["annotations"]["pulumi.com/skipAwait"] == "true"
    assert endpoint(recording) == "node.example.com:30123"
    assert address(recording) is None
    assert endpoint(deploy_external(type="NodePort")) == "<any node>:30123"


def test_proxies_return_the_port_of_the_client_request() -> None:
    assert "useEndpointPortFromRequest" not in proxy_settings(deploy())
    settings = proxy_settings(deploy_external())
    assert settings["useEndpointPortFromRequest"] is True
    assert "remotingAccessAddr" not in settings


def test_remoting_clients_get_the_external_hostname() -> None:
    recording = deploy_external(remoting=True, hostname="mq.example.com")
    assert proxy_settings(recording)["remotingAccessAddr"] == "mq.example.com"
    assert [p["port"] for p in service(recording)["spec"]["ports"]] == [8081, 8080]


def test_manifests_conform_to_the_kubernetes_schemas() -> None:
    recording = deploy(
        external={**network_load_balancer({}), "hostname": "mq.example.com"},
        dashboard={**DASHBOARD, "credentials_secret": "credentials"},
        network_policies={"egress": True},
    )
    for manifest in recording.manifests():
        kubernetes_validate.validate(manifest, "1.35", strict=True)


@pytest.mark.parametrize(
    ("external", "path", "code"),
    [
        ({}, "external", "external-visibility"),
        ({"annotations": {"team": "x"}}, "external", "external-visibility"),
        ({"annotations": {f"{AWS}-internal": ""}}, "external", "external-visibility"),
        ({**LOAD_BALANCER, "annotations": {"a b": "c"}}, "external.annotations", "qualified-name"),
        (
            {**LOAD_BALANCER, "annotations": {"pulumi.com/skipAwait": "true"}},
            "external.annotations",
            "set-by-deployment",
        ),
        ({"load_balancer_class": "A B!"}, "external.load_balancer_class", "qualified-name"),
        ({**LOAD_BALANCER, "type": "loadbalancer"}, "external.type", "choice"),
        ({**LOAD_BALANCER, "port": 0}, "external.port", "range"),
        ({"type": "NodePort", "node_port": 8081}, "external.node_port", "range"),
        ({**LOAD_BALANCER, "hostname": "https://mq"}, "external.hostname", "external-hostname"),
        ({**LOAD_BALANCER, "remoting": True}, "external.remoting", "remoting-without-hostname"),
        (
            {"type": "NodePort", "remoting": True, "hostname": "mq"},
            "external.remoting",
            "remoting-without-load-balancer",
        ),
        ({**LOAD_BALANCER, "remoting": True, "hostname": "mq", "port": 8080}, "external.port", "port-of-remoting"),
        (
            {"load_balancer_class": "example.com/lb", "annotations": {f"{AWS}-ssl-ports": "443,grpc"}},
            f"external.annotations['{AWS}-ssl-ports']",
            "tls-port",
        ),
        ({"type": "NodePort", "source_ranges": ["10.0.0.0/8"]}, "external.source_ranges", "ignored-argument"),
        ({"type": "NodePort", **LOAD_BALANCER}, "external.load_balancer_class", "ignored-argument"),
        ({"source_ranges": ["10.0.0.1/8"]}, "external.source_ranges[0]", "cidr-block"),
        ({"source_ranges": []}, "external.source_ranges", "empty-list"),
        ({**LOAD_BALANCER, "traffic_policy": "local"}, "external.traffic_policy", "choice"),
    ],
)
def test_invalid_external_arguments_are_rejected(external: dict[str, Any], path: str, code: str) -> None:
    with rejects((path, code)):
        plan(args(external=external))


@pytest.mark.parametrize(
    "external",
    [
        {"load_balancer_class": "service.k8s.aws/nlb"},
        {"source_ranges": ["10.0.0.0/8"]},
        *(
            {"annotations": {key: value}}
            for key, value in {
                f"{AWS}-scheme": "internal",
                f"{AWS}-internal": "true",
                "networking.gke.io/load-balancer-type": "Internal",
                "service.beta.kubernetes.io/azure-load-balancer-internal": "true",
                "service.beta.kubernetes.io/oci-load-balancer-internal": "true",
            }.items()
        ),
    ],
)
def test_load_balancer_with_declared_visibility_is_accepted(external: dict[str, Any]) -> None:
    assert plan(args(external=external)).external is not None


def test_proxy_keys_that_external_access_sets_are_rejected() -> None:
    with rejects(("proxies.config['useEndpointPortFromRequest']", "config-key-reserved")):
        plan(args(external=LOAD_BALANCER, proxies={"config": {"useEndpointPortFromRequest": False}}))
    plan(args(proxies={"config": {"useEndpointPortFromRequest": True}}))


def test_dashboard_requires_a_login_and_connects_to_the_cluster() -> None:
    recording = deploy(dashboard=DASHBOARD)
    main = container(recording, "rocketmq-dashboard-deployment")
    settings = dict(flag[2:].split("=", 1) for flag in main["command"] if flag.startswith("-Drocketmq"))
    planned = plan(args())
    assert settings["rocketmq.config.loginRequired"] == "true"
    assert settings["rocketmq.config.namesrvAddrs[0]"] == ";".join(planned.deployment.name_server_addresses)
    assert settings["rocketmq.config.proxyAddrs[0]"] == "rocketmq-proxy.rocketmq.svc:8080"
    assert settings["rocketmq.config.isVIPChannel"] == "false"
    assert main["image"] == "apacherocketmq/rocketmq-dashboard:2.1.0"
    assert main["command"][-2:] == ["-jar", "/rocketmq-dashboard.jar"]
    assert "-Dserver.port=8082" in main["command"]
    assert main["env"] == []


def test_dashboard_users_are_mounted_from_the_login_secret() -> None:
    spec = pod(deploy(dashboard=DASHBOARD), "rocketmq-dashboard-deployment")
    (main,) = spec["containers"]
    mount = next(m for m in main["volumeMounts"] if m["name"] == "login")
    data = next(flag for flag in main["command"] if "dataPath" in flag).split("=")[1]
    assert (mount["mountPath"], mount["subPath"]) == (f"{data}/users.properties", "users.properties")
    assert {v["name"]: v.get("secret") for v in spec["volumes"]}["login"] == {"secretName": "login"}
    assert {m["name"] for m in main["volumeMounts"]} == {v["name"] for v in spec["volumes"]}


def test_dashboard_secret_names_may_contain_dots() -> None:
    dashboard = plan(args(dashboard={"login_secret": "a.b", "credentials_secret": "c.d"})).dashboard
    assert dashboard is not None
    assert (dashboard.login_secret, dashboard.credentials_secret) == ("a.b", "c.d")


def test_dashboard_authenticates_to_brokers_with_the_credentials_secret() -> None:
    main = container(deploy(dashboard={**DASHBOARD, "credentials_secret": "c"}), "rocketmq-dashboard-deployment")
    assert {e["name"]: e["valueFrom"]["secretKeyRef"] for e in main["env"]} == {
        "ROCKETMQ_CONFIG_ACCESSKEY": {"name": "c", "key": "accessKey"},
        "ROCKETMQ_CONFIG_SECRETKEY": {"name": "c", "key": "secretKey"},
    }


def test_dashboard_pod_has_the_same_security_settings_as_proxies() -> None:
    recording = deploy(dashboard=DASHBOARD)
    dashboard_spec, proxy_spec = (pod(recording, f"rocketmq-{name}-deployment") for name in ("dashboard", "proxy"))
    for field in ("securityContext", "automountServiceAccountToken", "enableServiceLinks"):
        assert dashboard_spec[field] == proxy_spec[field]
    assert dashboard_spec["containers"][0]["securityContext"] == proxy_spec["containers"][0]["securityContext"]
    assert {"startupProbe", "livenessProbe", "readinessProbe"} <= set(dashboard_spec["containers"][0])


def test_pod_settings_of_all_roles_apply_to_the_dashboard() -> None:
    recording = deploy(
        dashboard={**DASHBOARD, "credentials_secret": "c"},
        image_pull_policy="Always",
        image_pull_secrets=["registry"],
        pods={
            "zones": ["a", "b", "c"],
            "node_selector": {"pool": "mq"},
            "tolerations": [{"key": "mq"}],
            "priority_class": "high",
            "labels": {"team": "mq"},
            "annotations": {"note": "n"},
            "environment": {"TZ": "UTC"},
            "java_options": ["-XX:+PrintGCDateStamps"],
        },
    )
    template = workload(recording, "rocketmq-dashboard-deployment")["template"]
    dashboard_spec, proxy_spec = template["spec"], pod(recording, "rocketmq-proxy-deployment")
    for field in ("nodeSelector", "tolerations", "priorityClassName", "imagePullSecrets", "affinity"):
        assert dashboard_spec[field] == proxy_spec[field]
    assert template["metadata"]["labels"]["team"] == "mq"
    assert template["metadata"]["labels"]["app"] == "rocketmq-dashboard"
    assert template["metadata"]["annotations"] == {"note": "n"}
    (main,) = dashboard_spec["containers"]
    assert main["imagePullPolicy"] == "Always"
    assert [e["name"] for e in main["env"]] == ["ROCKETMQ_CONFIG_ACCESSKEY", "ROCKETMQ_CONFIG_SECRETKEY", "TZ"]
    # The dashboard image has another JDK, which does not start with options of the JDK of RocketMQ.
    assert "-XX:+PrintGCDateStamps" not in main["command"]


@pytest.mark.parametrize("mode", ["permissive", "enforcing"])
def test_dashboard_uses_tls_when_tls_is_set(mode: str) -> None:
    recording = deploy(dashboard=DASHBOARD, tls={"secret_name": "certificates", "mode": mode})
    main = container(recording, "rocketmq-dashboard-deployment")
    # The first applies to the clients of the dashboard's pool, the second to clients that it creates for a user.
    assert {"-Drocketmq.config.useTLS=true", "-Dtls.enable=true"} <= set(main["command"])
    assert main["command"].index("-Dtls.enable=true") < main["command"].index("-jar")
    assert "certificates" not in str(pod(recording, "rocketmq-dashboard-deployment"))
    plain = container(deploy(dashboard=DASHBOARD), "rocketmq-dashboard-deployment")
    assert "TLS" not in str(plain["command"]).upper()


def test_dashboard_mounts_the_ca_certificate_but_not_the_private_key() -> None:
    tls = {"secret_name": "certificates", "authority": "ca.crt", "mode": "enforcing"}
    recording = deploy(dashboard=DASHBOARD, tls=tls)
    spec = pod(recording, "rocketmq-dashboard-deployment")
    (main,) = spec["containers"]
    (volume,) = (v["secret"] for v in spec["volumes"] if v["name"] == "tls")
    assert (volume["secretName"], volume["items"]) == ("certificates", [{"key": "ca.crt", "path": "ca.crt"}])
    (mount,) = (m for m in main["volumeMounts"] if m["name"] == "tls")
    assert f"-Dtls.client.trustCertPath={mount['mountPath']}/ca.crt" in main["command"]
    assert "-Dtls.client.authServer=true" in main["command"]
    assert not any("server" in flag for flag in main["command"] if flag.startswith("-Dtls"))
    for manifest in recording.manifests():
        kubernetes_validate.validate(manifest, "1.35", strict=True)


def test_dashboard_accepts_connections_only_from_declared_clients() -> None:
    def ingress(**added: Any) -> Any:
        recording = deploy(dashboard={**DASHBOARD, **added})
        return recording.one("NetworkPolicy", "rocketmq-dashboard-network-policy").inputs["spec"].get("ingress")

    assert ingress() is None
    assert ingress(clients=[{"pod_labels": {"app": "ingress"}}]) == [
        {"ports": [{"port": 8082, "protocol": "TCP"}], "from": [{"podSelector": {"matchLabels": {"app": "ingress"}}}]}
    ]


def test_dashboard_resources_and_image_are_configurable() -> None:
    digest = "sha256:" + "0" * 64
    given = {
        **DASHBOARD,
        "memory": "2Gi",
        "cpu": "1",
        "image": "mirror.example/d",
        "version": "3",
        "image_digest": digest,
    }
    main = container(deploy(dashboard=given), "rocketmq-dashboard-deployment")
    assert main["image"] == f"mirror.example/d:3@{digest}"
    assert main["resources"] == {"requests": {"cpu": "1", "memory": "2048Mi"}, "limits": {"memory": "2048Mi"}}
    assert "-Xmx1024m" in main["command"]


@pytest.mark.parametrize(
    ("changes", "path", "code"),
    [
        ({"dashboard": {}}, "dashboard.login_secret", "missing"),
        ({"dashboard": {"login_secret": "My_Login"}}, "dashboard.login_secret", "dns-subdomain"),
        (
            {"dashboard": {**DASHBOARD, "credentials_secret": "C"}},
            "dashboard.credentials_secret",
            "dns-subdomain",
        ),
        (
            {"dashboard": DASHBOARD, "access": {"users": [{"name": "orders"}]}},
            "dashboard.credentials_secret",
            "dashboard-credentials",
        ),
        (
            {"dashboard": DASHBOARD, "pods": {"environment": {"ROCKETMQ_CONFIG_ACCESSKEY": "k"}}},
            "pods.environment",
            "set-by-deployment",
        ),
        ({"dashboard": {**DASHBOARD, "memory": "256Mi"}}, "dashboard.memory", "dashboard-memory"),
        ({"dashboard": {**DASHBOARD, "cpu": "0"}}, "dashboard.cpu", "cpu"),
        ({"dashboard": {**DASHBOARD, "cpu": "0.0001"}}, "dashboard.cpu", "cpu"),
        ({"dashboard": {**DASHBOARD, "image": "d:2"}}, "dashboard.image", "image"),
        ({"dashboard": {**DASHBOARD, "version": "v 2"}}, "dashboard.version", "image-tag"),
        ({"dashboard": {**DASHBOARD, "image_digest": "latest"}}, "dashboard.image_digest", "image-digest"),
        (
            {"broker_groups": group(name="dashboard")},
            "broker_groups['dashboard'].name",
            "broker-group-name-reserved",
        ),
    ],
)
def test_invalid_dashboard_arguments_are_rejected(changes: dict[str, Any], path: str, code: str) -> None:
    with rejects((path, code)):
        plan(args(**changes))
