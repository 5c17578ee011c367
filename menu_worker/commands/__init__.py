"""What the commands of `menu-worker` do, one module each. Their options are in cli."""
