"""Migrations of the two HCX managers: mobility groups, replication, switchover and their records."""
