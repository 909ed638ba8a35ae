"""The web app: a client of the API, never of the stores, so that every rule the API keeps holds here too."""
