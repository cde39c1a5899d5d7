"""Quantities of Kubernetes, such as `100Gi`. Pure."""

from decimal import Decimal, InvalidOperation

_UNITS = {
    "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50,
    "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15, "m": Decimal("0.001"),
}  # fmt: skip


def parse_quantity(text: str) -> int:
    """Return a quantity of Kubernetes, such as `100Gi`, in bytes; 0 if it cannot be read."""
    unit = next((each for each in _UNITS if text.endswith(each)), "")
    try:
        return int(Decimal(text.removesuffix(unit)) * _UNITS.get(unit, 1))
    except InvalidOperation:
        return 0
