"""Refusals of AWS."""


class RefusedError(Exception):
    """AWS refuses the request. `code` and message are AWS's, `status` is the HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


def invalid(message: str) -> RefusedError:
    """Return the refusal of EKS for a value."""
    return RefusedError("InvalidParameterException", message)


def not_found(message: str) -> RefusedError:
    return RefusedError("ResourceNotFoundException", message, 404)


def in_use(message: str) -> RefusedError:
    return RefusedError("ResourceInUseException", message, 409)
