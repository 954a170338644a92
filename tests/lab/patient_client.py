"""A client that writes all the time over one connection, and opens another when that is lost.

A program for the host's own Python, with Keywright's wire alone. The password of `default` is the first
line of its input. It pushes number after number onto the key that is its argument until its input goes on,
then prints what was acknowledged and what failed as JSON.
"""

import json
import select
import sys
import time

from keywright.endpoint import Endpoint
from keywright.errors import KeywrightError
from keywright.secret import Secret
from keywright.wire import Wire


def write_on(key: str) -> None:
    """Push until standard input goes on, or ends."""
    password = Secret(sys.stdin.readline().rstrip("\n"))
    acknowledged: list[int] = []
    failed: list[str] = []
    number = 0
    while True:
        try:
            with Wire(Endpoint(port=6379, username="default", password=password)) as wire:
                while not select.select([sys.stdin], [], [], 0.005)[0]:  # 5 ms between two commands
                    number += 1
                    wire.call("RPUSH", key, number)
                    acknowledged.append(number)
                    if number == 1:
                        print("writing", flush=True)
                break
        except (KeywrightError, OSError) as error:
            failed.append(f"{number}: {type(error).__name__}: {error}")
            time.sleep(0.01)
    print(json.dumps([acknowledged, failed]))


if __name__ == "__main__":
    write_on(sys.argv[1])
