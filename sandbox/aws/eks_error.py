"""Refusals of EKS."""


class EksError(Exception):
    """EKS refuses the request. Message and `code` are AWS's, `status` is the HTTP status."""

    def __init__(self, message: str, code: str = "InvalidParameterException", status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


def not_found(message: str) -> EksError:
    return EksError(message, "ResourceNotFoundException", 404)


def in_use(message: str) -> EksError:
    return EksError(message, "ResourceInUseException", 409)
