"""The commands that show whether the chain holds, from the identity to the brokers. Pure."""

from eks_rocketmq.rocketmq.naming import labels, ports
from eks_rocketmq.rocketmq.pods.pod_spec import CONFIG_DIRECTORY

_CLUSTER_INFO = 106  # request code of RocketMQ's protocol: every broker that has registered, by cluster and group


def verification_commands(*, cluster_arn: str, provider_arn: str, role_arn: str, namespace: str) -> dict[str, str]:
    """Commands by what they show, in the order of the chain.

    `role_arn` is the role of the EBS CSI driver, or empty for that of EKS Auto Mode.
    """
    region, cluster = cluster_arn.split(":")[3], cluster_arn.rsplit("/", 1)[-1]
    role = role_arn.rsplit("/", 1)[-1]
    kubectl = f"kubectl -n {namespace}"
    # Not RocketMQ's own admin tool: its JVM takes more than the whole container of a name server.
    ask = f"bash {CONFIG_DIRECTORY}/ask.sh 127.0.0.1:{ports.NAME_SERVER} {_CLUSTER_INFO}"
    return {
        "kubeconfig": f"aws eks update-kubeconfig --region {region} --name {cluster}",
        "oidcProvider": f"aws iam get-open-id-connect-provider --open-id-connect-provider-arn {provider_arn}",
        **(
            {"trustPolicy": f"aws iam get-role --role-name {role} --query Role.AssumeRolePolicyDocument"}
            if role
            else {}
        ),
        "claims": f"{kubectl} get pvc -l app={labels.format_app_label(labels.BROKER)}",
        "pods": f"{kubectl} get pods -o wide",
        "brokers": f"{kubectl} exec {labels.format_app_label(labels.NAME_SERVER)}-0 -- {ask}",
    }
