"""The phone page in a real browser, against the emulator and an account's server on loopback."""
