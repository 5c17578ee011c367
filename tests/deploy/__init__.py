"""What is shipped under deploy/ is valid, safe by default, and works as it says."""
