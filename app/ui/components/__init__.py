"""Pieces of pages: each draws one thing from one reply of the API."""
