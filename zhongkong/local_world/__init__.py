"""`zhongkong up`: the whole system on one machine, every part in a process of its own.

No service and no emulator is imported here: they are started as their users start them.
"""
