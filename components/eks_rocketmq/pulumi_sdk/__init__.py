"""Extensions of the Pulumi SDK, and its undocumented parts."""
