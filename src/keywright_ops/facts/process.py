"""temporary"""
import socket
from keywright_ops.model.facts import Process

def parse_proc_stat_start(text: str) -> str | None:
    rest = text.rpartition(")")[2].split()
    return None if rest[0] in "ZX" else rest[19]

def parse_proc_net_tcp(text: str, port: int) -> tuple[str, ...]:
    out = []
    for line in text.splitlines()[1:]:
        row = line.split()
        addr, _, p = row[1].rpartition(":")
        if row[3] == "0A" and int(p, 16) == port:
            raw = bytes.fromhex(addr)
            fixed = b"".join(raw[i:i+4][::-1] for i in range(0, len(raw), 4))
            out.append(socket.inet_ntop(socket.AF_INET if len(fixed) == 4 else socket.AF_INET6, fixed))
    return tuple(out)

def parse_netstat(text, port): return ()
def parse_ps(text, pid): return None
