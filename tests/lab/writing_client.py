"""A client that writes all the time: redis-py with its own defaults, run as a program where the server is.

Arguments: host, port, key; the password of `appuser` is the first line of its input. It pushes number
after number onto the key until its input ends, then prints what it saw as JSON.
"""

import json
import select
import sys
from typing import Any

import redis


class Counted(redis.Connection):
    """A connection that is counted when it is opened."""

    made = 0

    def _connect(self) -> Any:
        Counted.made += 1
        return super()._connect()


def write_on(host: str, port: int, key: str) -> None:
    """Push until standard input ends."""
    client = redis.Redis(
        host=host, port=port, username="appuser", password=sys.stdin.readline().strip()
    )
    client.connection_pool.connection_class = Counted
    acknowledged: list[int] = []
    failed: list[str] = []
    number = 0
    while not select.select([sys.stdin], [], [], 0.002)[0]:  # 2 ms between two commands
        number += 1
        try:
            client.rpush(key, number)
        except redis.RedisError as error:
            failed.append(f"{number}: {type(error).__name__}: {error}")
        else:
            acknowledged.append(number)
        if number == 1:
            print("writing", flush=True)
    print(json.dumps([acknowledged, failed, Counted.made]))


if __name__ == "__main__":
    write_on(sys.argv[1], int(sys.argv[2]), sys.argv[3])
