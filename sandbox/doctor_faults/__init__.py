"""Faults of the doctor's catalogue, made on a running sandbox: `sandbox break NAME` and `sandbox mend`."""
