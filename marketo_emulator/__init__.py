"""A loopback Marketo to test against: a second, independent reading of its documentation."""
