"""Ways into the cluster for the people of the story: forwarded ports that come back when the pod behind them goes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final

import aiohttp
from aiohttp import ClientHandlerType, ClientRequest, ClientResponse

from deploy.k8s.checks.kubectl import Cluster
from deploy.k8s.checks.render import kubectl
from deploy.local.ports import free_port

_AGAIN_S: Final = 0.5
_ATTEMPTS: Final = 240
_REPEATABLE: Final = frozenset({"GET", "HEAD"})


@asynccontextmanager
async def forwarded(cluster: Cluster, namespace: str, service: str, port: int) -> AsyncIterator[str]:
    """Yield the URL of a Service's port on this machine; kubectl is started anew whenever it ends."""
    own = free_port()
    command = (kubectl(), f"--kubeconfig={cluster.kubeconfig}", "-n", namespace)
    arguments = ("port-forward", f"service/{service}", f"{own}:{port}")

    async def keep() -> None:
        quiet = asyncio.subprocess.DEVNULL
        while True:
            child = await asyncio.create_subprocess_exec(*command, *arguments, stdout=quiet, stderr=quiet)
            try:
                await child.wait()
            finally:
                if child.returncode is None:
                    child.kill()
                    await child.wait()
            await asyncio.sleep(_AGAIN_S)

    task = asyncio.create_task(keep())
    try:
        yield f"http://127.0.0.1:{own}"
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def patient(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    """Ask again while nobody listens, and, where asking changes nothing, after an answer that was cut off."""
    for _ in range(_ATTEMPTS):
        try:
            return await handler(request)
        except aiohttp.ClientConnectorError:
            pass
        except aiohttp.ClientConnectionError:
            if request.method not in _REPEATABLE:
                raise
        await asyncio.sleep(_AGAIN_S)
    return await handler(request)


def in_thread(work: Callable[..., Any], *arguments: Any) -> Coroutine[Any, Any, Any]:
    """Return the work of a function that waits for the cluster, to be awaited while the load goes on."""
    return asyncio.to_thread(work, *arguments)
