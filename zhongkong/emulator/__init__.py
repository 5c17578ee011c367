"""WeChat itself, on your machine: a model of the platform, and an HTTP face around it."""
