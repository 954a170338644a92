"""The limit of a process's cgroup, from the kernel's own files."""

import os
from collections.abc import Mapping

from keywright_ops.model.absence import NOT_THERE, Missing
from keywright_ops.ops.ceilings import cgroup_limit
from keywright_ops.targets.local import LocalTransport


class Files:
    """A transport that has only these files; it notes which were asked for."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self.files, self.asked = files, []  # type: ignore[var-annotated]

    def read(self, path: str) -> bytes | Missing:
        """The file's bytes."""
        self.asked.append(path)
        return self.files[path].encode() if path in self.files else Missing(NOT_THERE)


SERVICE = "/sys/fs/cgroup/system.slice/redis-server.service/memory.max"


def test_the_least_on_the_way_up() -> None:
    """cgroup v2: the process's own limit and those of all above it; the least one ends the server."""
    files = {"/proc/7/cgroup": "0::/system.slice/redis-server.service\n", SERVICE: "max\n"}
    assert cgroup_limit(Files(files), 7) == 0  # type: ignore[arg-type]
    files[SERVICE] = "2147483648\n"
    assert cgroup_limit(Files(files), 7) == 2147483648  # type: ignore[arg-type]
    files["/sys/fs/cgroup/system.slice/memory.max"] = "1073741824\n"
    assert cgroup_limit(Files(files), 7) == 1073741824  # type: ignore[arg-type]


def test_the_older_tree() -> None:
    """cgroup v1 has a tree for memory alone, and writes no limit as a number near 2**63."""
    name = "/sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes"
    files = {
        "/proc/7/cgroup": "12:cpu,cpuacct:/x\n11:memory:/docker/abc\n1:name=systemd:/x\n",
        name: "536870912\n",
        "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
    }
    assert cgroup_limit(Files(files), 7) == 536870912  # type: ignore[arg-type]
    files[name] = "9223372036854771712\n"
    assert cgroup_limit(Files(files), 7) == 0  # type: ignore[arg-type]


def test_what_cannot_be_read_is_no_limit() -> None:
    """No such process, a kernel without cgroups, another view of the tree: nothing is claimed."""
    assert cgroup_limit(Files({}), 7) == 0  # type: ignore[arg-type]
    assert cgroup_limit(Files({"/proc/7/cgroup": "0::/\n"}), 7) == 0  # type: ignore[arg-type]
    beyond = Files({"/proc/7/cgroup": "0::/../../etc\n"})
    assert cgroup_limit(beyond, 7) == 0  # type: ignore[arg-type]
    assert all(path.startswith("/sys/fs/cgroup") for path in beyond.asked[1:])
    assert all(".." not in path for path in beyond.asked)


def test_this_very_machine() -> None:
    """On the machine at hand the question has an answer: none, or a number of bytes."""
    found = cgroup_limit(LocalTransport(), os.getpid())
    assert found == 0 or found > 1 << 20
