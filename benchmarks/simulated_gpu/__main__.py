"""Run the simulated GPU as a server: `python -m benchmarks.simulated_gpu --port 8000`. Prints its address."""

from __future__ import annotations

import argparse
import asyncio
import contextlib

from benchmarks.simulated_gpu.api import Api, ApiSettings
from benchmarks.simulated_gpu.faults import Fault, FaultPlan, Refusals
from benchmarks.simulated_gpu.http_server import serve
from benchmarks.simulated_gpu.pacing import PacedGpu
from benchmarks.simulated_gpu.settings import GpuSettings, StepCost
from benchmarks.simulated_gpu.texts import AnswerRule


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.simulated_gpu", description="An OpenAI-compatible server that simulates a GPU."
    )
    gpu, cost, api = GpuSettings(), StepCost(), ApiSettings()
    parser.add_argument("--port", type=int, default=8000, help="0 takes a free one")
    parser.add_argument("--time-scale", type=float, default=1.0, help="engine seconds in one second")
    parser.add_argument("--sequences", type=int, default=gpu.sequences, help="sequences at once")
    parser.add_argument("--step-tokens", type=int, default=gpu.step_tokens, help="tokens in one step")
    parser.add_argument("--cached-blocks", type=int, default=gpu.cached_blocks, help="of 16 tokens; 0 for no cache")
    parser.add_argument("--window", type=int, default=api.window, help="tokens of a prompt and its answer")
    parser.add_argument("--prefill-rate", type=float, default=round(1 / cost.prefill), help="prompt tokens a second")
    parser.add_argument("--decode-base", type=float, default=cost.base, help="seconds of any step")
    parser.add_argument("--decode-sequence", type=float, default=cost.sequence, help="seconds more for a sequence")
    parser.add_argument("--decode-kv", type=float, default=cost.kv, help="seconds more for a token of context")
    parser.add_argument("--shortest", type=float, default=api.answers.shortest, help="answers, as a share of the limit")
    parser.add_argument("--longest", type=float, default=api.answers.longest, help="above 1 answers are cut off")
    parser.add_argument("--refuse-above", type=int, help="429 with more requests than this at once")
    parser.add_argument("--retry-after", type=float, help="seconds that a refusal asks to wait")
    parser.add_argument("--fault", action="append", type=Fault, default=[], choices=list(Fault))
    parser.add_argument("--fault-rate", type=float, default=0.1, help="share of the requests that fail")
    parser.add_argument("--seed", type=int, default=1, help="of faults and of answers")
    parser.add_argument("--record", action="store_true", help="keep what was done, for /record")
    return parser


def _gpu_settings(given: argparse.Namespace) -> GpuSettings:
    cost = StepCost(given.decode_base, given.decode_sequence, 1 / given.prefill_rate, given.decode_kv)
    return GpuSettings(given.sequences, given.step_tokens, given.cached_blocks, cost)


def _api_settings(given: argparse.Namespace) -> ApiSettings:
    return ApiSettings(
        window=given.window,
        answers=AnswerRule(given.shortest, given.longest, given.seed),
        faults=FaultPlan(tuple(given.fault), given.fault_rate, given.seed),
        refusals=Refusals(given.refuse_above, given.retry_after),
        recorded=given.record,
    )


async def _run(given: argparse.Namespace) -> None:
    api = Api(PacedGpu(_gpu_settings(given), time_scale=given.time_scale), _api_settings(given))
    server = await serve(api.handle, port=given.port)
    host, port = server.sockets[0].getsockname()
    print(f"http://{host}:{port}/v1", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_run(_parser().parse_args()))
