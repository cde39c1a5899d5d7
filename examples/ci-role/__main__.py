"""AWS resources of the pipelines: state, role for previews, role for deployments."""

import ci_policies as policies
import pulumi
import pulumi_aws as aws
from ci_components import NewCluster, PipelineRole, StateStore

from eks_rocketmq import ClusterOidcProvider

config = pulumi.Config()
repository = config.require("repository")
caller, region = aws.get_caller_identity(), aws.get_region().region
cluster, namespace = config.require("clusterName"), config.require("namespace")
account = policies.Account(caller.arn, region, cluster, config.require_object("roleNames"), namespace)
existing = config.require("githubProvider") == "existing"
github = ClusterOidcProvider("github", {"issuer": policies.ISSUER, "existing": existing})
state = StateStore("state", config.require("stateBucket"), policies.PREFIX)
documents = pulumi.Output.all(state.bucket_arn, state.key_arn).apply(lambda arns: policies.documents(account, *arns))
boundary = aws.iam.Policy("boundary", name=policies.BOUNDARY, policy=documents["boundary"])
driver_boundary = aws.iam.Policy("driver-boundary", name=policies.DRIVER_BOUNDARY, policy=documents["driver boundary"])
new = NewCluster("new-cluster", account, stack) if (stack := config.require("newClusterStack")) else None
look, change = account.access if config.require_bool("accessEntries") else (None, None)
preview = PipelineRole(
    "preview",
    {
        "role_name": policies.PREVIEW_ROLE,
        "provider_arn": github.arn,
        "subjects": policies.preview_subjects(repository),
        "policy": documents["preview"],
        "cluster_access": look,
    },
)
deploy = PipelineRole(
    "deploy",
    {
        "role_name": policies.DEPLOY_ROLE,
        "provider_arn": github.arn,
        "subjects": policies.deploy_subjects(repository, config.require("environment")),
        "policy": documents["deploy"],
        "cluster_access": change,
        "boundary_arn": boundary.arn,
        "more_policies": {**policies.by_name(config.require_object("deployPolicies")), **(new.policies if new else {})},
    },
)
# Repository variables by the names that the workflows read, and values for `pulumi stack init` and for stack files.
variables = policies.variables(region, preview.arn, deploy.arn, state.bucket, state.key_alias)
for name, value in {**variables, "driverBoundary": driver_boundary.arn, **(new.settings if new else {})}.items():
    pulumi.export(name, value)
