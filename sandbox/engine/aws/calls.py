"""API calls, and their errors as the AWS SDK for Go words them."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from sandbox.engine.provider.failures import ProviderError

_Result = TypeVar("_Result")


class AwsError(Exception):
    """Error of an API call. `code` is AWS's error code; the text is worded as in the Go SDK."""

    def __init__(self, text: str, code: str) -> None:
        super().__init__(text)
        self.code = code

    @property
    def missing(self) -> bool:
        """Whether the resource does not exist."""
        # S3 answers 404 alone to a request whose answer has no body.
        return self.code.startswith(("NoSuch", "404")) or self.code.endswith(("NotFound", "NotFoundException"))


def call(client: Any, operation: str, /, **arguments: object) -> dict[str, Any]:  # noqa: ANN401 - made by boto3 at run time
    """Call an API operation such as `CreateRole`; arguments that are None are not sent.

    Raises AwsError when AWS rejects the call or cannot be reached.
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
            _error_text(error, model.service_id, operation, modelled), error.response["Error"]["Code"]
        ) from error
    except BotoCoreError as error:
        text = (
            f"operation error {model.service_id}: {operation}, https response error StatusCode: 0, RequestID: , {error}"
        )
        raise AwsError(text, "") from error


def unless_missing(request: Callable[[], _Result]) -> _Result | None:
    """Return the answer; None when the resource does not exist."""
    try:
        return request()
    except AwsError as error:
        if error.missing:
            return None
        raise


def failed(action: str, error: Exception) -> ProviderError:
    """Return the provider's error for an action such as `creating IAM Role (x)`."""
    return ProviderError(f"1 error occurred:\n\t* {action}: {error}\n\n")


@contextmanager
def errors_of(action: str) -> Generator[None]:
    """Raise the provider's error for an action when an API call in it fails."""
    try:
        yield
    except AwsError as error:
        raise failed(action, error) from error


def _error_text(error: ClientError, service: str, operation: str, modelled: set[str]) -> str:
    details, about = error.response["Error"], error.response["ResponseMetadata"]
    # The Go SDK has a type for each error in the operation's model and a general one for the rest.
    prefix = "" if details["Code"] in modelled else "api error "
    return (
        f"operation error {service}: {operation}, https response error StatusCode: {about['HTTPStatusCode']}, "
        f"RequestID: {about.get('RequestId', '')}, {prefix}{details['Code']}: {details['Message']}"
    )
