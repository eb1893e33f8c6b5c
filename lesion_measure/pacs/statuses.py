"""Statuses of a C-STORE response (PS3.4 B.2.3, PS3.7 C)."""

from __future__ import annotations

SUCCESS = 0x0000
DUPLICATE = 0x0111
OUT_OF_RESOURCES = 0xA700
OTHER_OBJECT = 0xA900
CANNOT_UNDERSTAND = 0xC000
