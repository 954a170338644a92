"""Holds flows through somebody's own client: redis-py, valkey-py and their like, and their clusters.

Rule 1: commands are sent and read on one connection of the client's pool, past its callbacks and
decoding, so that a flow is given what it would be given elsewhere.
Rule 2: the client's own retries cover connecting only. A batch that may be repeated is sent once more
after a lost connection, another raises OutcomeUnknown; after a time-out nothing is sent again.
"""

import time
from collections.abc import Sequence
from inspect import Parameter, signature
from random import uniform
from typing import Any

from keywright.errors import ConnectionLost, ReplyError, TimedOut, Unreachable
from keywright.flows import Ask, Batch, Flow, Reply, T, Words, as_flow, hold
from keywright.talkers import routes
from keywright.talkers.blocking import outcome_unknown
from keywright.talkers.replies import (
    broken,
    demoted,
    endpoint_from,
    lost,
    never_there,
    refused,
    shaped_all,
    whole,
)


class Known:
    """What both talkers know of a client; a cluster's has `nodes_manager`."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.cluster = hasattr(client, "nodes_manager")
        if not self.cluster and hasattr(client, "connection_pool"):
            self.endpoint = endpoint_from(client.connection_pool.connection_kwargs)

    def failed(self, error: Exception, batch: Batch, last: bool) -> None:
        """Raise what a broken exchange means; return when the batch may be sent once more."""
        if not broken(error):
            raise error
        found = lost(error, self.endpoint)
        if not batch.repeatable and not (demoted(error) and len(batch.commands) == 1):
            raise outcome_unknown(found) from None
        if last or isinstance(found, TimedOut):
            raise found from None


def words_for(taking: Any) -> tuple[str, ...]:
    """valkey-py wants the name of a command with each connection, redis-py does not."""
    name = signature(taking).parameters.get("command_name")
    return ("_",) if name is not None and name.default is Parameter.empty else ()


def reply_in(error: Exception) -> ReplyError:
    """The refusal that an exception carries; raises the exception itself when it carries none."""
    reply = None if demoted(error) else refused(error)
    if reply is None:
        raise error
    return reply


class ClientTalker(Known):
    """Holds flows over `client`, a redis-py-like synchronous client or cluster client."""

    def run(self, flow: Flow[T] | Ask[T]) -> T:
        """Hold one flow to its end. Raises Unreachable, ConnectionLost, TimedOut, OutcomeUnknown."""
        return hold(as_flow(flow), self.exchange)

    def exchange(self, batch: Batch) -> list[Reply]:
        """One round trip (in a cluster, one for each node that the batch's keys lie on)."""
        if self.cluster:
            return self._routed(batch)
        return self._spoken(self.client.connection_pool, batch)

    def _spoken(self, pool: Any, batch: Batch) -> list[Reply]:
        for last in (False, True):
            connection = self._taken(pool)
            try:
                return self._asked(connection, batch.commands)
            except Exception as error:  # noqa: BLE001 - raised again, as ours
                connection.disconnect()
                self.failed(error, batch, last)
            except BaseException:
                connection.disconnect()
                raise
            finally:
                pool.release(connection)
        raise AssertionError("the second failure raises")

    def _taken(self, pool: Any) -> Any:
        try:
            connection = pool.get_connection(*words_for(pool.get_connection))
        except Exception as error:
            if not broken(error):
                raise
            raise never_there(error, self.endpoint) from None
        try:
            connection.connect()
            connection.check_health()
        except Exception as error:
            connection.disconnect()
            pool.release(connection)
            if not broken(error):
                raise
            raise never_there(error, self.endpoint) from None
        return connection

    def _asked(self, connection: Any, commands: Sequence[Words]) -> list[Reply]:
        packed = connection.pack_commands(commands)
        connection.send_packed_command(packed, check_health=False)
        replies: list[Any] = []
        for _ in commands:
            try:
                replies.append(connection.read_response(disable_decoding=True))
            except Exception as error:  # noqa: BLE001 - raised again unless it is a reply
                replies.append(reply_in(error))
        return shaped_all(commands, replies)

    # --- a cluster --------------------------------------------------------------------------------

    def _routed(self, batch: Batch) -> list[Reply]:
        replies: list[Reply] = [None] * len(batch.commands)
        places, wait = list(range(len(batch.commands))), routes.FIRST_WAIT
        for turn in range(routes.ROUNDS):
            failed: Unreachable | None = None
            for part in routes.parts_of(batch.commands, places, self.client.keyslot):
                try:
                    self._part(part, batch, replies)
                except (TimedOut, ConnectionLost):
                    raise
                except Unreachable as error:  # not sent: the node is gone
                    failed = error
                    for place in part.places:
                        replies[place] = ReplyError("CLUSTERDOWN the node does not answer")
            places = routes.again(batch.commands, places, replies)
            if not places or turn == routes.ROUNDS - 1:
                break
            time.sleep(uniform(wait / 2, wait) if turn else 0)
            wait = min(2 * wait, routes.LONGEST_WAIT)
            self._look_again()
        if failed is not None:
            raise failed
        return replies

    def _part(self, part: routes.Part, batch: Batch, replies: list[Reply]) -> None:
        """Send one part, to where its last ASK sent it or to the node of its key."""
        commands = tuple(batch.commands[place] for place in part.places)
        asked = routes.asked_of(replies[part.places[0]])
        if asked is not None and not whole(commands):
            node = self.client.get_node(*asked)
            for place in part.places:
                both = Batch((("ASKING",), batch.commands[place]), batch.repeatable)
                replies[place] = self._spoken(self._pool(node), both)[1]
            return
        node = self.client.get_default_node()
        if part.key is not None:
            node = self.client.nodes_manager.get_node_from_slot(self.client.keyslot(part.key))
        said = self._spoken(self._pool(node), Batch(commands, batch.repeatable))
        for place, reply in zip(part.places, said, strict=True):
            replies[place] = reply

    def _pool(self, node: Any) -> Any:
        if node is None:
            raise Unreachable("the cluster's node is not known", "look at CLUSTER NODES")
        of = getattr(self.client, "get_redis_connection", None) or self.client.get_valkey_connection
        pool = of(node).connection_pool
        self.endpoint = endpoint_from(pool.connection_kwargs)
        return pool

    def _look_again(self) -> None:
        """Ask the cluster where its slots are now."""
        try:
            self.client.nodes_manager.initialize()
        except Exception as error:
            if not broken(error):
                raise

    def close(self) -> None:
        """Nothing: the client belongs to whoever made it."""
