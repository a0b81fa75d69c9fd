"""Singer target for Marketo: loads records through the bulk import API."""
