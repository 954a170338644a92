"""The command lines of a tunnel are the guide's, and Keywright's own differ by options alone."""

from shlex import join

from keywright_ops.model.engine_host import EngineHost
from keywright_ops.render.tunnel import (
    OPTIONS,
    Way,
    openssh_argv,
    putty_line,
    remote_argv,
    tunnel_argv,
)

FAR = EngineHost("ssh", "azureuser", "vm.example.com")


def test_the_lines_are_the_guides() -> None:
    """OpenSSH and PuTTY as a person types them."""
    way = Way(FAR, 8001, "127.0.0.1", 8001)
    assert "ssh -N -L 8001:127.0.0.1:8001 azureuser@vm.example.com" == join(openssh_argv(way))
    expected = "plink.exe -i key.ppk -N -L 8001:127.0.0.1:8001 azureuser@vm.example.com"
    assert expected == putty_line(way)


def test_port_key_and_ipv6_stand_where_they_belong() -> None:
    """What a host needs beyond its name is in both lines."""
    way = Way(FAR._replace(port=2222), 9001, "fd00::2", 6379, "/home/me/a key")
    expected = "ssh -i '/home/me/a key' -p 2222 -N -L 9001:[fd00::2]:6379 azureuser@vm.example.com"
    assert expected == join(openssh_argv(way)).replace(
        "'9001:[fd00::2]:6379'", "9001:[fd00::2]:6379"
    )
    assert "-P 2222 -N -L 9001:[fd00::2]:6379 " in putty_line(way)


def test_keywrights_own_line_adds_options_only() -> None:
    """What is printed is what is run."""
    way = Way(FAR, 8001, "127.0.0.1", 8001)
    argv = tunnel_argv(way)
    assert openssh_argv(way) == tuple(each for each in argv if each not in OPTIONS)
    assert "ExitOnForwardFailure=yes" in argv
    assert ("azureuser@vm.example.com", "docker ps") == remote_argv(FAR, "", "docker ps")[-2:]
