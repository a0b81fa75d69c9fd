"""One run: plan, take over, extract, and the state it leaves."""
