"""Checks of the doctor: pure functions of facts, in chains."""
