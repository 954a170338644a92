"""Holds flows in asyncio through somebody's own client: the rules are those of keywright.talkers.client."""

import asyncio
from collections.abc import Sequence
from random import uniform
from typing import Any

from keywright.errors import ConnectionLost, ReplyError, TimedOut, Unreachable
from keywright.flows import Ask, Batch, Flow, Reply, T, Words, as_flow, hold_async
from keywright.talkers import routes
from keywright.talkers.client import Known, reply_in, words_for
from keywright.talkers.replies import broken, endpoint_from, never_there, shaped_all, whole


class AsyncClientTalker(Known):
    """Holds flows over `client`, a redis-py-like asyncio client or cluster client."""

    async def run(self, flow: Flow[T] | Ask[T]) -> T:
        """Hold one flow to its end; raises what ClientTalker.run raises."""
        return await hold_async(as_flow(flow), self.exchange)

    async def exchange(self, batch: Batch) -> list[Reply]:
        """One round trip (in a cluster, one for each node that the batch's keys lie on)."""
        if self.cluster:
            return await self._routed(batch)
        return await self._spoken(_Pool(self.client.connection_pool), batch)

    async def _spoken(self, pool: "_Pool | _Node", batch: Batch) -> list[Reply]:
        for last in (False, True):
            connection = await self._taken(pool)
            try:
                return await self._asked(connection, batch.commands)
            except Exception as error:  # noqa: BLE001 - raised again, as ours
                await connection.disconnect(nowait=True)
                self.failed(error, batch, last)
            except BaseException:  # cancelled: its reply is still to come
                await connection.disconnect(nowait=True)
                raise
            finally:
                await pool.release(connection)
        raise AssertionError("the second failure raises")

    async def _taken(self, pool: "_Pool | _Node") -> Any:
        try:
            connection = await pool.take()
        except Exception as error:
            if not broken(error):
                raise
            raise never_there(error, self.endpoint) from None
        try:
            await connection.connect()
            await connection.check_health()
        except BaseException as error:
            await connection.disconnect(nowait=True)
            await pool.release(connection)
            if not broken(error):
                raise
            raise never_there(error, self.endpoint) from None
        return connection

    async def _asked(self, connection: Any, commands: Sequence[Words]) -> list[Reply]:
        packed = connection.pack_commands(commands)
        await connection.send_packed_command(packed, check_health=False)
        replies: list[Any] = []
        for _ in commands:
            try:
                replies.append(await connection.read_response(disable_decoding=True))
            except Exception as error:  # noqa: BLE001 - raised again unless it is a reply
                replies.append(reply_in(error))
        return shaped_all(commands, replies)

    # --- a cluster --------------------------------------------------------------------------------

    async def _routed(self, batch: Batch) -> list[Reply]:
        await self._begun()
        replies: list[Reply] = [None] * len(batch.commands)
        places, wait = list(range(len(batch.commands))), routes.FIRST_WAIT
        for turn in range(routes.ROUNDS):
            failed: Unreachable | None = None
            for part in routes.parts_of(batch.commands, places, self.client.keyslot):
                try:
                    await self._part(part, batch, replies)
                except (TimedOut, ConnectionLost):
                    raise
                except Unreachable as error:  # not sent: the node is gone
                    failed = error
                    for place in part.places:
                        replies[place] = ReplyError("CLUSTERDOWN the node does not answer")
            places = routes.again(batch.commands, places, replies)
            if not places or turn == routes.ROUNDS - 1:
                break
            await asyncio.sleep(uniform(wait / 2, wait) if turn else 0)
            wait = min(2 * wait, routes.LONGEST_WAIT)
            await self._look_again()
        if failed is not None:
            raise failed
        return replies

    async def _part(self, part: routes.Part, batch: Batch, replies: list[Reply]) -> None:
        """Send one part, to where its last ASK sent it or to the node of its key."""
        commands = tuple(batch.commands[place] for place in part.places)
        asked = routes.asked_of(replies[part.places[0]])
        if asked is not None and not whole(commands):
            node = self._node(self.client.get_node(*asked))
            for place in part.places:
                both = Batch((("ASKING",), batch.commands[place]), batch.repeatable)
                replies[place] = (await self._spoken(node, both))[1]
            return
        found = self.client.get_default_node()
        if part.key is not None:
            found = self.client.nodes_manager.get_node_from_slot(self.client.keyslot(part.key))
        said = await self._spoken(self._node(found), Batch(commands, batch.repeatable))
        for place, reply in zip(part.places, said, strict=True):
            replies[place] = reply

    def _node(self, node: Any) -> "_Node":
        if node is None:
            raise Unreachable("the cluster's node is not known", "look at CLUSTER NODES")
        self.endpoint = endpoint_from(node.connection_kwargs)
        return _Node(node)

    async def _begun(self) -> None:
        """Find the cluster's nodes when nobody has yet."""
        if not hasattr(self, "endpoint"):
            self.endpoint = endpoint_from(self.client.connection_kwargs)
        try:
            await self.client.initialize()
        except Exception as error:
            if not broken(error):
                raise
            raise never_there(error, self.endpoint) from None

    async def _look_again(self) -> None:
        """Ask the cluster where its slots are now."""
        try:
            await self.client.nodes_manager.initialize()
        except Exception as error:
            if not broken(error):
                raise

    async def aclose(self) -> None:
        """Nothing: the client belongs to whoever made it."""


class _Pool:
    """A client's pool: where a connection is taken from and given back to."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    async def take(self) -> Any:
        return await self._pool.get_connection(*words_for(self._pool.get_connection))

    async def release(self, connection: Any) -> None:
        await self._pool.release(connection)


class _Node:
    """The same of one node of an asyncio cluster client, which keeps connections by itself."""

    def __init__(self, node: Any) -> None:
        self._node = node

    async def take(self) -> Any:
        return self._node.acquire_connection()

    async def release(self, connection: Any) -> None:
        if hasattr(self._node, "release"):
            self._node.release(connection)
        else:  # valkey-py's has no name for it
            self._node._free.append(connection)  # noqa: SLF001
