"""A simulator in a process of its own.

    python -m heketipy.executors.simulator.daemon --socket PATH [--state FILE]

Its nodes are there when the server that uses them is restarted or killed; a state file lets them survive the daemon.
"""

import argparse
import asyncio
import contextlib
import json
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from heketipy.executors.simulator import wire
from heketipy.executors.simulator.faults import Effect, Fault, on
from heketipy.executors.simulator.simulator import Simulator
from heketipy.executors.simulator.store import StateFile, dumped
from heketipy.executors.simulator.transport import SimulatorTransport

SAVE_AFTER = 0.2
"""Seconds between a change and its place in the state file."""


class Daemon:
    """Serves one simulator on a unix socket."""

    def __init__(self, simulator: Simulator, *, file: StateFile | None = None, latency: float = 0.0) -> None:
        self.simulator = simulator
        self.transport = SimulatorTransport(simulator, latency=latency)
        self.file = file
        self._saving: asyncio.TimerHandle | None = None
        self._serving: set[asyncio.Task[None]] = set()
        if file is not None:
            simulator.on_change = self._changed

    async def serve(self, path: Path) -> asyncio.Server:
        """Listen on a unix socket."""
        await asyncio.to_thread(path.unlink, missing_ok=True)
        return await asyncio.start_unix_server(self._accept, path, limit=wire.LIMIT)

    async def stop(self) -> None:
        """Hang up on everybody, and save."""
        for task in tuple(self._serving):
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)
        self.save()

    def save(self) -> None:
        """Write the state file now."""
        if self._saving is not None:
            self._saving.cancel()
            self._saving = None
        if self.file is not None:
            self.file.save(self.simulator.state)

    def _changed(self) -> None:
        if self._saving is None:
            self._saving = asyncio.get_running_loop().call_later(SAVE_AFTER, self.save)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._talk(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request; whoever hangs up meanwhile cancels it."""
        try:
            line = await reader.readline()
            if not line:
                return
            work = asyncio.ensure_future(self._answer(json.loads(line)))
            gone = asyncio.ensure_future(reader.read(1))
            await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
            gone.cancel()
            if not work.done():
                work.cancel()
            with contextlib.suppress(asyncio.CancelledError, OSError):
                writer.write(wire.line_of(await work))
                await writer.drain()
        finally:
            writer.close()

    async def _answer(self, request: dict[str, Any]) -> wire.Message:
        try:
            if "run" in request:
                return wire.results_message(list(await self.transport.run(*wire.read_batch(request["run"]))))
            if "execute" in request:
                host, argv, stdin = request["execute"]
                return wire.results_message([self.simulator.execute(host, argv, stdin)])
            return {"value": self._call(request["call"], request.get("args", []), request.get("options", {}))}
        except Exception as error:
            return wire.error_message(error)

    def _call(self, method: str, args: Sequence[Any], options: dict[str, Any]) -> Any:
        match method:
            case "leftovers":
                return self.simulator.leftovers()
            case "history":
                return [[ran.node, list(ran.argv), ran.status] for ran in self.simulator.history]
            case "state":
                return json.loads(dumped(self.simulator.state))
            case "add_fault":
                self.simulator.faults.add(fault_of(**options))
            case "clear_faults":
                self.simulator.faults.clear()
            case "add_node" | "add_disk" | "node_down" | "node_up" | "refuse_key":
                getattr(self.simulator, method)(*args, **options)
            case "glusterd_down" | "glusterd_up" | "blockd_down" | "blockd_up":
                getattr(self.simulator, method)(*args, **options)
            case "reboot":
                self.simulator.reboot(*args)
            case _:
                raise ValueError(f"no method {method}")
        self._changed()
        return None


def fault_of(effect: str, words: Sequence[str] = (), node: str = "", **rest: Any) -> Fault:
    """Return a fault told in JSON: its effect by name, and the words and the node that `on` takes."""
    return Fault(Effect(effect), on(*words, node=node), **rest)


async def serve(options: argparse.Namespace) -> None:
    """Serve until SIGTERM or SIGINT."""
    file = StateFile(options.state) if options.state else None
    simulator = Simulator(
        file.load() if file else None,
        accept_anything=options.accept_anything,
        device_size_gib=options.device_size_gib,
    )
    daemon = Daemon(simulator, file=file, latency=options.latency)
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    server = await daemon.serve(options.socket)
    print(f"simulator listens at {options.socket}", flush=True)
    await stopped.wait()
    server.close()
    await daemon.stop()
    await server.wait_closed()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the daemon."""
    parser = argparse.ArgumentParser(prog="heketipy-simulator", description="Simulate storage nodes.")
    parser.add_argument("--socket", type=Path, required=True, help="unix socket to listen at")
    parser.add_argument("--state", type=Path, help="file that keeps the nodes' state")
    parser.add_argument("--accept-anything", action="store_true", help="let hosts and devices appear on first sight")
    parser.add_argument("--device-size-gib", type=int, default=500, help="size of such devices")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds that every command takes")
    asyncio.run(serve(parser.parse_args(arguments)))


if __name__ == "__main__":
    main()
