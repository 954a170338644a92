"""The data of a server in Docker: a volume, read as the tar stream that `docker cp` makes, and removed whole.

A stopped container, or one that is made for this alone and never started, stands between: Docker reads
volumes through containers only.
"""

import subprocess
from collections.abc import Iterator

from keywright.errors import ApplyError
from keywright_ops.model.absence import Missing
from keywright_ops.model.copies import Lying, Packed
from keywright_ops.model.plan import Plan
from keywright_ops.render.container import DATA
from keywright_ops.targets.container import READER
from keywright_ops.targets.docker import Docker, told
from keywright_ops.targets.tar_stream import unpack

SIZES = 'cd "$1" && find . -type f -exec sh -c \'for f; do wc -c <"$f"; done\' sh {} +'


class VolumeData:
    """The volume of the plan's container."""

    def __init__(self, docker: Docker, plan: Plan) -> None:
        assert plan.container is not None
        self._docker = docker
        self._container, self._volume = plan.container.name, plan.container.volume
        self._image = plan.engine.image

    def look(self) -> Lying | Missing:
        """Which volume it is, how many files and bytes."""
        if not self._there():
            return Lying(self._volume, 0, 0)
        done = self._docker.run(
            *("run", "--rm", "--network", "none", "--user", "0", "--entrypoint", "sh"),
            *("--volume", f"{self._volume}:{DATA}:ro", self._image, "-c", SIZES, "sh", DATA),
        )
        if done.code != 0:
            return Missing(f"{self._volume}: {told(done.errors)}")
        sizes = [int(word) for word in done.output.split()]
        return Lying(self._volume, len(sizes), sum(sizes))

    def _there(self) -> bool:
        return self._docker.run("volume", "inspect", self._volume).code == 0

    def pack(self) -> Iterator[Packed]:
        """Every file with its bytes, as they come; call it only while no server runs."""
        if not self._there():
            return
        self._drop_readers()
        mounted = ("--volume", f"{self._volume}:{DATA}:ro", "--entrypoint", "true")
        label = ("--network", "none", "--label", f"{READER}={self._volume}")
        reader = self._docker.demand("create", *label, *mounted, self._image).strip()
        try:
            yield from self._read(reader)
        finally:
            self._docker.run("rm", reader)

    def _drop_readers(self) -> None:
        """Remove what an interrupted run made to read with: it would hold the volume."""
        ours = ("--filter", f"label={READER}={self._volume}", "--filter", "status=created")
        left = self._docker.run("ps", "--all", "--quiet", *ours).output.split()
        if left:
            self._docker.run("rm", *left)

    def _read(self, reader: str) -> Iterator[Packed]:
        argv = ("docker", "cp", f"{reader}:{DATA}", "-")
        with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as copying:
            assert copying.stdout is not None and copying.stderr is not None
            yield from unpack(copying.stdout)
            said = copying.stderr.read().decode("utf-8", "replace")
            if copying.wait() != 0:
                raise ApplyError(f"{self._volume} cannot be read: {told(said)}")

    def remove(self) -> None:
        """Remove the stopped container, then the volume."""
        if self._docker.run("container", "inspect", self._container).code == 0:
            self._docker.demand("rm", self._container)
        self._drop_readers()
        if self._there():
            self._docker.demand("volume", "rm", self._volume)
