"""Who else needs a segment's gateway: one question, asked by preflight before a wave and by the proof of emptiness."""

from hcx_waves.gateway_users.question import GatewayFacts, Tenant, dhcp_served_by, who_needs

__all__ = ["GatewayFacts", "Tenant", "dhcp_served_by", "who_needs"]
