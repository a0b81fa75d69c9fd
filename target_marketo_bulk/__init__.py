"""Singer target for Marketo leads, loaded through the bulk import API."""
