"""What must hold of the token core: whole replicas on virtual time, judged by WeChat's ledger."""
