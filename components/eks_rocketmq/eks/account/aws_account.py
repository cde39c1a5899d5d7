"""Partition, region and account of a component's AWS provider."""

import pulumi_aws as aws
from pulumi import ComponentResource, InvokeOutputOptions, Output

from eks_rocketmq.eks.account.provider_functions import format_call, require_output_fields

_PARTITION = format_call("aws:index/getPartition:getPartition")
_REGION = format_call("aws:index/getRegion:getRegion")
_CALLER = format_call("aws:index/getCallerIdentity:getCallerIdentity")


def get_partition(component: ComponentResource) -> Output[str]:
    """Return the partition, such as `aws` or `aws-cn`."""
    result = aws.get_partition_output(opts=InvokeOutputOptions(parent=component))
    return require_output_fields(result, _PARTITION, "partition", component=component).partition


def get_region(component: ComponentResource) -> Output[str]:
    """Return the region, such as `eu-west-1`."""
    result = aws.get_region_output(opts=InvokeOutputOptions(parent=component))
    return require_output_fields(result, _REGION, "region", component=component).region


def get_caller_arn(component: ComponentResource) -> Output[str]:
    """Return the ARN of the caller, which contains partition and account."""
    return require_output_fields(_get_caller(component), _CALLER, "arn", component=component).arn


def get_account_id(component: ComponentResource) -> Output[str]:
    """Return the 12-digit ID of the account."""
    return require_output_fields(_get_caller(component), _CALLER, "account_id", component=component).account_id


def _get_caller(component: ComponentResource) -> Output[aws.GetCallerIdentityResult]:
    return aws.get_caller_identity_output(opts=InvokeOutputOptions(parent=component))
