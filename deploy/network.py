"""The networks as a service of their own, on Ray Serve: ``make cluster``.

Questions of all app processes that come within a few milliseconds are answered in one batch. More machines:
start Ray on each (``ray start --address=...``), and let ``--replicas`` be the number of processor cores.
"""

from __future__ import annotations

import argparse
import asyncio

import ray
import torch
from ray import serve
from ray.serve.config import HTTPOptions
from starlette.requests import Request
from starlette.responses import Response

from diffusion.remote import MOST, Networks

#: Questions in one batch, and seconds that the first of them waits for others.
BATCH, WAIT = 8, 0.002
#: Bytes of a question at most, its header included.
LARGEST = 4 * MOST + 65536


@serve.deployment(ray_actor_options={"num_cpus": 1}, max_ongoing_requests=64)
class Network:
    """One replica: one processor core, all networks."""

    def __init__(self) -> None:
        torch.set_num_threads(1)
        self._networks = Networks()

    @serve.batch(max_batch_size=BATCH, batch_wait_timeout_s=WAIT)
    async def _look(self, questions: list[bytes]) -> list[tuple[int, bytes]]:
        return await asyncio.to_thread(self._networks.answer, questions)

    async def __call__(self, request: Request) -> Response:
        """Answer one POST."""
        if request.method != "POST" or int(request.headers.get("content-length", LARGEST + 1)) > LARGEST:
            return Response(status_code=413)
        status, body = await self._look(await request.body())
        return Response(body, status, media_type="application/octet-stream")


def main() -> None:
    """Start it, and serve until it is stopped."""
    parser = argparse.ArgumentParser(prog="python -m deploy.network", description=__doc__)
    parser.add_argument(
        "--host", default="127.0.0.1", help="it trusts whoever reaches it: never a public one"
    )
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--replicas", type=int, default=1, help="one a processor core")
    parser.add_argument("--address", help="of a Ray cluster that runs; a local one is started when not given")
    options = parser.parse_args()
    ray.init(
        address=options.address,
        include_dashboard=False,
        **({} if options.address else {"num_cpus": options.replicas + 1}),
    )
    serve.start(http_options=HTTPOptions(host=options.host, port=options.port))
    serve.run(Network.options(num_replicas=options.replicas).bind(), route_prefix="/denoise", blocking=True)


if __name__ == "__main__":
    main()
