"""An environment's containers as Docker shows them: looked at from outside, from inside and from beside."""

from keywright_ops.facts.container import parse_housing
from keywright_ops.model.container import Housing
from keywright_ops.model.plan import Plan
from keywright_ops.targets.docker import Docker
from keywright_ops.targets.target import Completed


class DockerContainer:
    """The containers of a plan."""

    def __init__(self, docker: Docker, plan: Plan) -> None:
        assert plan.container is not None
        self._docker = docker
        self._plan = plan
        self._name, self._network = plan.container.name, plan.container.network

    def housing(self) -> Housing:
        """Everything that Docker tells of the environment, in one question."""
        plan, container, insight = self._plan, self._plan.container, self._plan.insight
        assert container is not None
        names = [container.name, container.volume, container.network, plan.engine.image]
        names += [insight.name, insight.image] if insight else []
        return parse_housing(self._docker.inspect(*names), plan)

    def inside(self, *argv: str) -> Completed:
        """Run a program in the server's container."""
        return self._docker.run("exec", self._name, *argv)

    def beside(self, *argv: str) -> Completed:
        """Run a program in a container of its own on the same network, which lives for that alone."""
        here = ("run", "--rm", "--network", self._network, "--entrypoint", argv[0])
        return self._docker.run(*here, self._plan.engine.image, *argv[1:])

    def processes(self) -> str:
        """The processes of the server's container: user id and arguments of each, a line each."""
        return self._docker.run("top", self._name, "-eo", "pid,uid,args").output
