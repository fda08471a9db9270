"""The HTTP side: API, live stream, accounts and the page. ``app`` shows every route; ``context`` says what it needs."""
