"""Stand-in for the released `random` provider: passwords and nothing else."""
