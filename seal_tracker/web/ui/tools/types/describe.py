"""The API's own description (OpenAPI), as the service would serve it, without a service: ``python describe.py > openapi.json``."""

from __future__ import annotations

import sys

import msgspec

from seal_tracker.web.app import ROUTES
from seal_tracker.web.openapi import describe

sys.stdout.buffer.write(msgspec.json.encode(describe(ROUTES, version="")))
