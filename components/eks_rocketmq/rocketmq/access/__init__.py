"""Access control: users, permissions, and the Secrets with the passwords."""
