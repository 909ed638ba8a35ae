"""What people did in one go: sessions that end by a pause, open ones in the live store, closed ones told once."""
