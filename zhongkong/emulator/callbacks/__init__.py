"""Callbacks: what WeChat sends to an account's own server, and what it makes of the answers."""
