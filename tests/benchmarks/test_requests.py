"""Benchmarks that send our own prompts: they have to follow when a prompt gets another variable."""

import asyncio

from benchmarks import embedded_slots, overhead
from longdoc.engines.scripted import ScriptedEngine


def test_the_requests_of_a_benchmark_can_be_rendered() -> None:
    engine = ScriptedEngine()
    requests = asyncio.run(embedded_slots.segment_requests(engine, count=2, answer_tokens=16))
    assert [request.max_tokens for request in requests] == [16, 16]
    assert overhead.request(1) != overhead.request(2)
