"""A proxy between a client and a server: it cuts in mid-reply, stalls, and says rubbish."""

import socket
import threading
from collections.abc import Callable

Rule = Callable[[bytes], bytes | None]  # what the server said → what the client gets; None cuts


class Proxy:
    """Listens on a port of its own; `rule` may change what goes back, also while it runs."""

    def __init__(self, target: int, rule: Rule | None = None) -> None:
        self.rule, self._target = rule, target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.connections = 0
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                return
            self.connections += 1
            self._open += [client, server]
            for source, sink, rule in ((client, server, False), (server, client, True)):
                threading.Thread(target=self._carry, args=(source, sink, rule), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket, ruled: bool) -> None:
        try:
            while data := source.recv(65536):
                said = self.rule(data) if ruled and self.rule is not None else data
                if said is None:
                    break
                sink.sendall(said)
        except OSError:
            pass
        for each in (source, sink):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self) -> None:
        """Cut every connection now."""
        for each in self._open:
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self._open.clear()

    def close(self) -> None:
        """Stop listening and cut everything."""
        self._listener.close()
        self.cut()
