"""redis-om in a process of its own: it brings stubs of an old redis-py, which no type checker should
meet beside the real one. `Child` talks to it from the bench; as a program it is the child."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from driving import AsyncWay, Sample, by_tasks


class Child:
    """The child process, and what it measured."""

    def __init__(self, python: Path, port: int) -> None:
        self._process = subprocess.Popen(
            [python, __file__, str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        if self._process.stdout.readline() != "ready\n":
            sys.exit("redis-om's process did not start")

    def measured(self, act: str, numbers: Sequence[int], tasks: int) -> Sample:
        """Let it do `act` with each number, by that many tasks."""
        line, answers = self._process.stdin, self._process.stdout
        assert line is not None and answers is not None
        line.write(json.dumps([act, list(numbers), tasks]) + "\n")
        line.flush()
        return Sample(*json.loads(answers.readline()))

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


async def way(port: int) -> AsyncWay:
    """A HashModel with the session as one field: GET is HGETALL, save is HSET and EXPIRE."""
    from aredis_om import Field, HashModel, get_redis_connection

    from lab import IDS, TTL, session

    data = session()
    place = get_redis_connection(url=f"redis://127.0.0.1:{port}/0", decode_responses=True)

    class Session(HashModel, index=True):
        """One session."""

        id: str = Field(primary_key=True)
        data: str

        class Meta:
            """Where it stands."""

            database = place
            global_key_prefix = "om"

    async def load(number: int) -> Any:
        found = await Session.get(IDS[number])
        await found.expire(TTL)
        return json.loads(found.data)

    async def save(number: int) -> None:
        data["count"] = number
        kept = Session(id=IDS[number], data=json.dumps(data))
        await kept.save()
        await kept.expire(TTL)

    return AsyncWay("redis-om", load, save)


async def main() -> None:
    """Do what each line of standard input asks for."""
    from lab import KEYS

    mine = await way(int(sys.argv[1]))
    await by_tasks(mine.save, range(KEYS), 50)
    print("ready", flush=True)
    while line := sys.stdin.readline():
        act, numbers, tasks = json.loads(line)
        print(json.dumps(await by_tasks(getattr(mine, act), numbers, tasks)), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
