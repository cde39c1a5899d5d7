"""Names, labels and ports."""
