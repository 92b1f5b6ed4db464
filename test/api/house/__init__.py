"""What the API tests share: one client, the contract's schema, the operators' command, a world of tenants."""
