"""Tables of a JPEG stream: a wrong byte in one changes every pixel, and no decoder complains (ITU-T T.81 B.2.4).

Encoders number each symbol once, and most write the tables of annex K, which hold every symbol that there can be.
"""

from __future__ import annotations

_QUANTISATION, _HUFFMAN = 0xDB, 0xC4
_PEAK = 8
_MOST_DC, _MOST_AC = 16, 10
_RUNS = frozenset(range(0x00, 0x100, 0x10))
"""AC symbols without a coefficient: end of block, of several blocks (progressive), and sixteen zeros."""


def fault(marker: int, body: bytes) -> str:
    """What cannot be in the tables of one marker segment; empty where they may be right, and for other segments."""
    if marker == _QUANTISATION:
        return _quantisation_fault(body)
    return _huffman_fault(body) if marker == _HUFFMAN else ""


def _quantisation_fault(body: bytes) -> str:
    while body:
        width = 2 if body[0] >> 4 else 1
        end = 1 + 64 * width
        steps = [body[at : at + width] for at in range(1, end, width)]
        if len(body) < end or not all(map(any, steps)):
            return "a quantisation table is cut off or has a step of zero"
        if _stands_out([int.from_bytes(step, "big") for step in steps]):
            return "a step of a quantisation table stands out among its neighbours"
        body = body[end:]
    return ""


def _stands_out(steps: list[int]) -> bool:
    """Steps grow along the zigzag, or jump once; one far above both its sides is a wrong byte."""
    around = (max(steps[max(at - 2, 0) : at] + steps[at + 1 : at + 3]) for at in range(len(steps)))
    return any(step > _PEAK * most for step, most in zip(steps, around, strict=True))


def _huffman_fault(body: bytes) -> str:
    while body:
        counts = body[1:17]
        end = 17 + sum(counts)
        symbols = body[17:end]
        if len(counts) < 16 or len(symbols) < end - 17:
            return "a Huffman table is cut off"
        of_ac = body[0] >> 4
        possible = all(each in _RUNS or each & 0x0F <= _MOST_AC for each in symbols) if of_ac else True
        if len(set(symbols)) < len(symbols) or not possible or (not of_ac and max(symbols, default=0) > _MOST_DC):
            return "a Huffman table has a symbol twice, or one that there is not"
        body = body[end:]
    return ""
