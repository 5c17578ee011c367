"""What WeChat defines and the services share: codes, errors, answers, transport, hosts, limits.

No policy lives here: when to refresh, retry or alarm is decided by the services.
"""
