"""What menu workers share about each account: who may write, what was written, what it cost."""
