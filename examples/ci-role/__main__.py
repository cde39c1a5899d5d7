"""The account's side of the pipelines: where the state is kept, who may preview and who may update."""

from typing import Any

import ci_policies as policies
import pulumi
import pulumi_aws as aws
from ci_components import PipelineRole, PipelineRoleArgs, StateStore

from eks_rocketmq import ClusterOidcProvider

config, project = pulumi.Config(), pulumi.get_project()
repository, cluster = config.require("repository"), config.require("clusterName")
caller, region = aws.get_caller_identity(), aws.get_region().region
account = policies.Account(caller.arn, region, project, cluster, config.require_object("roleNames"))
previews = policies.preview_subjects(repository)
deploys = policies.deploy_subjects(repository, config.require("environment"))

existing = config.require("githubProvider") == "existing"
github = ClusterOidcProvider("github", {"issuer": policies.ISSUER, "existing": existing})
state = StateStore("state", config.require("stateBucket"), project)


def document(make: Any) -> pulumi.Output[str]:  # noqa: ANN401 - a function of ci_policies
    """A policy, once bucket and key have their ARNs."""
    return pulumi.Output.all(state.bucket_arn, state.key_arn).apply(lambda known: make(account, *known))


boundary = aws.iam.Policy("boundary", name=account.boundary, policy=document(policies.deploy_boundary))
preview_args: PipelineRoleArgs = {
    "role_name": account.preview_role,
    "provider_arn": github.arn,
    "subjects": previews,
    "policy": document(policies.preview_policy),
    "cluster_name": cluster,
    # It reads Secrets too: a refresh compares them.
    "cluster_policy_arn": account.cluster_policy("AmazonEKSAdminViewPolicy"),
}
preview = PipelineRole("preview", preview_args)
deploy_args: PipelineRoleArgs = {
    "role_name": account.deploy_role,
    "provider_arn": github.arn,
    "subjects": deploys,
    "policy": document(policies.deploy_policy),
    "cluster_name": cluster,
    "cluster_policy_arn": account.cluster_policy("AmazonEKSClusterAdminPolicy"),
    "boundary_arn": boundary.arn,
    "more_policies": config.require_object("deployPolicies"),
}
deploy = PipelineRole("deploy", deploy_args)

# Repository variables, under the names that the workflows read; the last one is for `pulumi stack init`.
pulumi.export("AWS_REGION", region)
pulumi.export("AWS_PREVIEW_ROLE", preview.arn)
pulumi.export("AWS_DEPLOY_ROLE", deploy.arn)
pulumi.export("PULUMI_BACKEND_URL", pulumi.Output.concat("s3://", state.bucket, f"?region={region}"))
pulumi.export("secretsProvider", pulumi.Output.concat("awskms:///", state.key_alias, f"?region={region}"))
