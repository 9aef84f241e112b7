"""One run of a wave as its tasks see it: file, plan, scope, approvals."""
