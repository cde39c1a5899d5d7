"""The commands that show whether the chain holds, from the identity to the message. Pure."""


def verification_commands(
    *, cluster_arn: str, provider_arn: str, role_arn: str, namespace: str, addresses: str
) -> dict[str, str]:
    """Commands by what they show, in the order of the chain.

    Args:
        cluster_arn: ARN of the cluster, which holds region and name.
        provider_arn: IAM OIDC provider.
        role_arn: role of the EBS CSI driver.
        namespace: where RocketMQ runs.
        addresses: name servers, as `host:port;host:port`.
    """
    region, cluster = cluster_arn.split(":")[3], cluster_arn.rsplit("/", 1)[-1]
    role = role_arn.rsplit("/", 1)[-1]
    kubectl = f"kubectl -n {namespace}"
    return {
        "kubeconfig": f"aws eks update-kubeconfig --region {region} --name {cluster}",
        "oidcProvider": f"aws iam get-open-id-connect-provider --open-id-connect-provider-arn {provider_arn}",
        "trustPolicy": f"aws iam get-role --role-name {role} --query Role.AssumeRolePolicyDocument",
        "claims": f"{kubectl} get pvc -l app=rocketmq-broker",
        "pods": f"{kubectl} get pods -o wide",
        "brokers": (f"{kubectl} exec rocketmq-nameserver-0 -- bash mqadmin clusterList -n '{addresses}'"),
    }
