"""Calls to AWS, and their failures in the words of the SDK that the released provider is built with."""

from collections.abc import Callable
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from sandbox.engine.provider.failures import ProviderError

_Result = TypeVar("_Result")


class AwsError(Exception):
    """AWS refused a call. `code` is its error code; the text is worded as in the Go SDK."""

    def __init__(self, text: str, code: str) -> None:
        super().__init__(text)
        self.code = code

    @property
    def missing(self) -> bool:
        """Whether it says that there is no such thing."""
        # S3 answers 404 where it has no body to say more in.
        return self.code.startswith(("NoSuch", "404")) or self.code.endswith(("NotFound", "NotFoundException"))


def call(client: Any, operation: str, /, **arguments: object) -> dict[str, Any]:  # noqa: ANN401 - made by boto3 at run time
    """One API call by its AWS name, such as `CreateRole`; arguments that are None are left out.

    Raises AwsError when AWS refuses it or cannot be reached.
    """
    given = {key: value for key, value in arguments.items() if value is not None}
    model = client.meta.service_model
    try:
        return client._make_api_call(operation, given)
    except ClientError as error:
        modelled = {
            shape.metadata.get("error", {}).get("code", shape.name)
            for shape in model.operation_model(operation).error_shapes
        }
        raise AwsError(
            _refusal(error, model.service_id, operation, modelled), error.response["Error"]["Code"]
        ) from error
    except BotoCoreError as error:
        text = (
            f"operation error {model.service_id}: {operation}, https response error StatusCode: 0, RequestID: , {error}"
        )
        raise AwsError(text, "") from error


def unless_missing(request: Callable[[], _Result]) -> _Result | None:
    """The answer, or None when AWS says that there is no such thing."""
    try:
        return request()
    except AwsError as error:
        if error.missing:
            return None
        raise


def failed(doing: str, error: Exception) -> ProviderError:
    """The error of an operation as the provider shows it, such as `creating IAM Role (x): …`."""
    return ProviderError(f"1 error occurred:\n\t* {doing}: {error}\n\n")


def _refusal(error: ClientError, service: str, operation: str, modelled: set[str]) -> str:
    details, about = error.response["Error"], error.response["ResponseMetadata"]
    # The Go SDK has a type for each error in the operation's model and a general one for the rest.
    prefix = "" if details["Code"] in modelled else "api error "
    return (
        f"operation error {service}: {operation}, https response error StatusCode: {about['HTTPStatusCode']}, "
        f"RequestID: {about.get('RequestId', '')}, {prefix}{details['Code']}: {details['Message']}"
    )
