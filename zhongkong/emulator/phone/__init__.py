"""The phone page: a user's WeChat in the browser, and beside it what went over the wire."""
