"""gluster volumes: making, growing, starting, stopping, deleting them, and what gluster says of them.

The name of a volume proves nothing: whether one that exists is ours shows in its bricks, whose paths hold random ids.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from heketipy.domain.errors import CommandFailed
from heketipy.domain.model import NodeAddress
from heketipy.executors import gluster
from heketipy.executors.answers import demand, refusal
from heketipy.executors.conversation import Conversation
from heketipy.executors.gluster import BricksAt, Gluster, GlusterVolume, HealBrick, VolumeLayout, brick_name
from heketipy.executors.options import NodeOptions
from heketipy.executors.transport import Fence, Lane, Result


@dataclass(frozen=True, slots=True)
class Volumes:
    """The verbs about volumes."""

    conversation: Conversation
    options: NodeOptions

    @property
    def _gluster(self) -> Gluster:
        return Gluster(self.options)

    async def _run(
        self, node: NodeAddress, argvs: Sequence[tuple[str, ...]], name: str, fence: Fence | None
    ) -> list[Result]:
        return await self.conversation.run(
            node, self.conversation.commands(argvs), lane=Lane.VOLUME, subject=name, fence=fence
        )

    async def create(self, node: NodeAddress, layout: VolumeLayout, *, fence: Fence | None = None) -> None:
        """Make a volume, set its options and start it: one batch. Where a volume of that name exists and consists of
        the first of these bricks, what is missing is done.

        Raises CommandFailed with gluster's text, as where a volume of that name consists of other bricks.
        """
        made = layout.bricks[: layout.durability.set_size]
        results = await self._run(
            node,
            [self._gluster.volume_create(layout), *self._after(layout, len(made), started=False)],
            layout.name,
            fence,
        )
        last = results[-1]
        if last.ok or gluster.already_started(last.text):
            return
        if len(results) > 1 or not gluster.already_exists(last.text):
            raise refusal(node, last)
        found = await self.find(node, layout.name)
        names = tuple(brick_name(*brick) for brick in layout.bricks)
        if found is None or not found.bricks or found.bricks != names[: len(found.bricks)]:
            raise refusal(node, last)
        argvs = self._after(layout, len(found.bricks), started=found.started)
        (*_, last) = await self._run(node, argvs, layout.name, fence)
        if not last.ok and not gluster.already_started(last.text):
            raise refusal(node, last)

    def _after(self, layout: VolumeLayout, present: int, *, started: bool) -> list[tuple[str, ...]]:
        """Return what is still to be done when so many bricks are in the volume."""
        return [
            *self._gluster.add_bricks(layout, layout.bricks[present:]),
            *self._gluster.set_options(layout),
            *([] if started else [self._gluster.volume_start(layout.name)]),
        ]

    async def add_bricks(
        self, node: NodeAddress, layout: VolumeLayout, bricks: BricksAt, *, fence: Fence | None = None
    ) -> None:
        """Add whole sets of bricks to a volume; those that are in it already are passed over.

        `layout.bricks` plays no part. Raises CommandFailed with gluster's text; some of the sets may be in then.
        """
        results = await self._run(node, list(self._gluster.add_bricks(layout, bricks)), layout.name, fence)
        if not results or results[-1].ok:
            return
        if not gluster.is_brick_taken(results[-1].text):
            raise refusal(node, results[-1])
        found = await self.find(node, layout.name)
        present = set(found.bricks) if found else set()
        missing = [brick for brick in bricks if brick_name(*brick) not in present]
        if len(missing) == len(bricks):
            raise refusal(node, results[-1])
        if missing:
            results = await self._run(node, list(self._gluster.add_bricks(layout, missing)), layout.name, fence)
            if not results[-1].ok:
                raise refusal(node, results[-1])

    async def rebalance(self, node: NodeAddress, name: str, *, fence: Fence | None = None) -> None:
        """Start to spread the files of a volume over its new bricks; nothing where that is switched off, or where there
        is nothing to spread. Raises CommandFailed with gluster's text, which is no reason to fail an expand."""
        if not self.options.rebalance:
            return
        (result,) = await self._run(node, [self._gluster.rebalance(name)], name, fence)
        if not result.ok and not gluster.nothing_to_rebalance(result.text):
            raise refusal(node, result)

    async def start(self, node: NodeAddress, name: str, *, fence: Fence | None = None) -> None:
        """Start a volume; one that runs is success. Raises CommandFailed with gluster's text."""
        (result,) = await self._run(node, [self._gluster.volume_start(name)], name, fence)
        if not result.ok and not gluster.already_started(result.text):
            raise refusal(node, result)

    async def stop(self, node: NodeAddress, name: str, *, force: bool = True, fence: Fence | None = None) -> None:
        """Stop a volume; one that is stopped, or does not exist, is success. Raises CommandFailed."""
        (result,) = await self._run(node, [self._gluster.volume_stop(name, force=force)], name, fence)
        if not (result.ok or gluster.not_started(result.text) or gluster.is_volume_missing(result.text)):
            raise refusal(node, result)

    async def delete(self, node: NodeAddress, name: str, *, fence: Fence | None = None) -> None:
        """Stop and delete a volume, whoever made it: ask `find` before. One that does not exist is success.

        Raises CommandFailed if gluster refuses; the volume is stopped then, and may be started again.
        """
        stop, delete = self._gluster.volume_stop(name, force=True), self._gluster.volume_delete(name)
        commands = [
            *self.conversation.commands([stop], tolerated=True),
            *self.conversation.commands([delete]),
        ]
        results = await self.conversation.run(node, commands, lane=Lane.VOLUME, subject=name, fence=fence)
        if not results[-1].ok and not gluster.is_volume_missing(results[-1].text):
            raise refusal(node, results[-1], f"Unable to delete volume {name}: {results[-1].text}")

    async def find(self, node: NodeAddress, name: str, *, fence: Fence | None = None) -> GlusterVolume | None:
        """Ask for a volume by its name; None where gluster knows none. Raises CommandFailed with heketi's texts."""
        question = self.conversation.commands([self._gluster.volume_info(name)])
        (result,) = await self.conversation.run(node, question, fence=fence)
        if not result.ok:
            raise refusal(node, result, f"Unable to get volume info of volume name: {name}") from refusal(node, result)
        try:
            reply = gluster.read_reply(result.stdout)
            volumes = gluster.read_volumes(reply)
        except ValueError as error:
            raise CommandFailed(f"Unable to determine volume info of volume name: {name}", node=node.id) from error
        if reply.error and not gluster.is_volume_missing(reply.error):
            raise CommandFailed(f"Unable to get info for {name}: {reply.error}", node=node.id)
        return volumes[0] if volumes else None

    async def all(self, node: NodeAddress) -> list[GlusterVolume]:
        """Ask for all volumes. Raises CommandFailed with heketi's texts."""
        try:
            return gluster.read_volumes(await self.conversation.ask(node, self._gluster.volumes_info()))
        except (ValueError, CommandFailed) as error:
            raise CommandFailed("Unable to get volume info", node=node.id) from error

    async def replace_brick(
        self,
        node: NodeAddress,
        name: str,
        old: tuple[str, str],
        new: tuple[str, str],
        *,
        fence: Fence | None = None,
    ) -> None:
        """Let a brick take the place of another one, each given as storage name and path; a volume that has the new one
        and not the old one is success. Raises CommandFailed: heketi's text, and on a line of its own gluster's."""
        names = brick_name(*old), brick_name(*new)
        (result,) = await self._run(node, [self._gluster.replace_brick(name, *names)], name, fence)
        if result.ok:
            return
        found = await self.find(node, name)
        if found is not None and names[1] in found.bricks and names[0] not in found.bricks:
            return
        text = f"Unable to replace brick {names[0]} with {names[1]} for volume {name}"
        raise refusal(node, result, f"{text}\n{result.text.strip()}")

    async def set_options(
        self, node: NodeAddress, name: str, options: Sequence[tuple[str, str]], *, fence: Fence | None = None
    ) -> None:
        """Set options, each a key and a value, in their order. Raises CommandFailed with gluster's text; those before
        the one that is refused are set then."""
        argvs = [self._gluster.set_option(name, option, value) for option, value in options]
        demand(node, await self._run(node, argvs, name, fence))

    async def heal_info(self, node: NodeAddress, name: str) -> list[HealBrick]:
        """Ask what is to be healed in a volume. Raises CommandFailed with heketi's texts."""
        question = self.conversation.commands([self._gluster.heal_info(name)])
        (result,) = await self.conversation.run(node, question)
        if not result.ok:
            raise refusal(node, result, f"Unable to get heal info of volume : {name} : {_said(result)}")
        try:
            reply = gluster.read_reply(result.stdout)
            bricks = gluster.read_heal_info(reply)
        except ValueError as error:
            raise CommandFailed(f"Unable to determine heal info of volume : {name} : {error}", node=node.id) from error
        if reply.error:
            raise CommandFailed(f"Unable to get heal info of volume : {name} : {reply.error}", node=node.id)
        return bricks

    async def snapshot_count(self, node: NodeAddress, name: str) -> int:
        """Ask how many snapshots a volume has; 0 where there is no volume. Raises CommandFailed with heketi's texts."""
        try:
            reply = await self.conversation.ask(node, self._gluster.snapshots(name))
            count = gluster.read_snapshot_count(reply)
        except (ValueError, CommandFailed) as error:
            raise CommandFailed(
                f"Unable to get snapshot information from volume {name}: {error}", node=node.id
            ) from error
        if reply.error and not gluster.is_volume_missing(reply.error):
            raise CommandFailed(f"Unable to get snapshot information from volume {name}: {reply.error}", node=node.id)
        return count


def _said(result: Result) -> str:
    """Return heketi's text of a failed command, and in brackets what gluster's document says, which heketi drops."""
    try:
        error = gluster.read_reply(result.stdout).error
    except ValueError:
        error = ""
    return f"{result.text} ({error})" if error else result.text
