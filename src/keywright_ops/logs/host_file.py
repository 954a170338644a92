"""A log file of another host, or one here that only root may read: with what rotation left of it.

A script there reads the files: it leaves out whole files and lines that are far from the window, takes the
last lines by `tail`, and unpacks; so that little travels. The window itself is judged here, exactly.
"""

import os
import time
from collections.abc import Callable, Iterator

from keywright.errors import ApplyError, InputError, KeywrightError
from keywright_ops.logs.source import Form, Wish
from keywright_ops.logs.window import judged
from keywright_ops.targets.channel import Channel

IDLE = 0.1  # seconds of silence that are told: an entry is whole then, and is shown
SLACK = 60  # seconds around the window that are read too: it is judged exactly afterwards
MISSING, FORBIDDEN = 66, 77  # exit codes of the script (sysexits.h: EX_NOINPUT, EX_NOPERM)

# $1 file, $2 and $3 the window (seconds since 1970, "" for none), $4 the number of last lines ("" for all).
# A line of Redis is chosen by its hour; what has another form is given whole.
COMMON = r"""
export LC_ALL=C
path=$1 since=$2 until=$3 tail=$4 size=
folder=${path%/*}; [ -x "${folder:-/}" ] || exit @FORBIDDEN@
members() {
    ls -1tr -- "$path" "$path".[0-9]* "$path"-[0-9]* 2>/dev/null | while read -r each; do
        case ${each#"$path"} in
            "" | *[0-9] | *[0-9].gz | *[0-9].bz2 | *[0-9].xz | *[0-9].zst) printf '%s\n' "$each";;
        esac
    done
}
unpack() {
    if [ -n "$size" ] && [ "$1" = "$path" ]; then exec head -c "$size" -- "$1"; fi
    case $1 in
        *.gz) exec gzip -dc -- "$1";; *.bz2) exec bzip2 -dc -- "$1";;
        *.xz) exec xz -dc -- "$1";; *.zst) exec zstd -dcq -- "$1";; *) exec cat -- "$1";;
    esac
}
clock() { [ -z "$1" ] || date -d "@$1" '+%d %b %Y %H %M'; }
low=$(clock "$since") high=$(clock "$until")
# Leaves out what was written in a minute, of the host's own clock, before the window or after it.
pick() {
    if [ -z "$low$high" ]; then cat; return; fi
    awk -v low="$low" -v high="$high" '
        function numbers(from, to,   s) {
            for (s = "-"; from <= to; from++) s = s "|" sprintf("%02d", from)
            return "(" s ")"
        }
        function months(from, to,   s) {
            for (s = "-"; from <= to; from++) s = s "|" substr(MONTHS, from * 3 - 2, 3)
            return "(" s ")"
        }
        function beyond(year0, year1, month0, month1, day0, day1, hour0, hour1, minute0, minute1) {
            return "^([0-9]+:)+[MSCX] (.. ... " numbers(year0, year1) " |.. " months(month0, month1) " " y \
                " |" numbers(day0, day1) " " b " " y " |" d " " b " " y " (" numbers(hour0, hour1) ":|" \
                h ":" numbers(minute0, minute1) ":))"
        }
        function read(text,   part) {
            split(text, part, " "); d = part[1]; b = part[2]; y = part[3]; h = part[4]; n = part[5]
            m = (index(MONTHS, b) + 2) / 3
        }
        BEGIN {
            MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec"; shown = 1
            read(low); before = beyond(2009, y - 1, 1, m - 1, 1, d - 1, 0, h - 1, 0, n - 1)
            read(high); after = beyond(y + 1, 2099, m + 1, 12, d + 1, 31, h + 1, 23, n + 1, 59)
        }
        /^([0-9]+:)+[MSCX] |^pid=/ {
            shown = !(low != "" && $0 ~ before || high != "" && $0 ~ after)
        }
        shown'
}
last() {
    case $size$low$high$1 in
        "$path") tail -n "$2" -- "$1";; *) (unpack "$1") | pick | tail -n "$2";;
    esac
}
""".replace("@FORBIDDEN@", str(FORBIDDEN))
# Only what was there when it began, when $size is set.
HISTORY = r"""
found=$(members); [ -n "$found" ] || exit @MISSING@
wanted= need=$tail
newest_first=$(printf '%s\n' "$found" | sed '1!G;h;$!d')
IFS='
'
set -f
for each in $newest_first; do
    [ -r "$each" ] || exit @FORBIDDEN@
    # a rotated file that was last written before the window holds nothing of it
    if [ -n "$since" ] && [ "$(stat -c %Y -- "$each")" -lt "$since" ]; then continue; fi
    wanted="$each
$wanted"
    if [ -n "$tail" ]; then
        need=$((need - $(last "$each" "$need" | wc -l)))
        [ "$need" -gt 0 ] || break
    fi
done
all() { for each in $wanted; do (unpack "$each") | pick || exit; done; }
if [ -z "$tail" ]; then
    all
elif [ "$need" -le 0 ] && [ "$wanted" = "$path
" ]; then
    last "$path" "$tail"
else
    all | tail -n "$tail"
fi
"""
READ = COMMON + HISTORY
# $5 is what ends the part that was there. A last line is waited for that is being written just now.
FOLLOW = (
    COMMON
    + r"""
measure() { size=$(stat -c %s -- "$path" 2>/dev/null) || size=0; }
measure; tries=0
while [ "$size" -gt 0 ] && [ -n "$(tail -c "+$size" -- "$path" 2>/dev/null | head -c 1)" ] &&
    [ "$tries" -lt 20 ]; do
    sleep 0.05; measure; tries=$((tries + 1))
done
"""
    + HISTORY
    + r"""
printf '%s\n' "$5"
exec tail -c "+$((size + 1))" -F -- "$path" 2>/dev/null
"""
)


class HostFileSource:
    """One log file of a host; `open_channel` starts a program there, as root where that is free.

    `booted` is when the host was started (seconds since 1970); `who` and `host` are for what is said;
    `slack` is by how many seconds the form's zone may differ from the host's clock at other times.
    """

    def __init__(
        self,
        path: str,
        form: Form,
        open_channel: Callable[[tuple[str, ...]], Channel],
        names: tuple[str, str],
        who: str,
        host: str,
        booted: float | None = None,
        slack: int = SLACK,
    ) -> None:
        self.path = self.place = path
        self.form = form
        self.environment, self.service = names
        self.able = frozenset(
            ("since", "until", "tail", *(("boot",) if booted is not None else ()))
        )
        self._open, self._booted = open_channel, booted
        self._who, self._host, self._slack = who, host, slack

    def read(self, wish: Wish) -> Iterator[bytes]:
        """Give what the file and its rotated ones hold."""
        wish = since_boot(wish, self._booted)
        with self._open(self._argv(READ, wish)) as channel:
            yield from self._exactly(channel.chunks(), wish)
            self._judge(channel)

    def follow(self, wish: Wish) -> Iterator[bytes]:
        """Give the same, and what is written then: through rotation and truncation.

        The first silence is told once all that was there is given, however long its way is.
        """
        wish = since_boot(wish, self._booted)
        token = f"keywright-{os.urandom(16).hex()}".encode()
        argv = (*self._argv(FOLLOW, wish._replace(until=None)), token.decode())
        with self._open(argv) as channel:
            chunks = channel.chunks(IDLE)
            yield from self._exactly(_until_token(chunks, token + b"\n"), wish)
            yield b""
            for chunk in chunks:
                if chunk:
                    yield from self._exactly(iter((chunk,)), wish._replace(since=None))
                else:
                    yield b""
                if wish.until is not None and time.time() >= wish.until:
                    return
            self._judge(channel)

    def _argv(self, script: str, wish: Wish) -> tuple[str, ...]:
        since = "" if wish.since is None else str(int(wish.since) - self._slack)
        until = "" if wish.until is None else str(int(wish.until) + 1 + self._slack)
        tail = "" if wish.tail is None or wish.until is not None else str(wish.tail)
        script = script.replace("@MISSING@", str(MISSING)).replace("@FORBIDDEN@", str(FORBIDDEN))
        return ("sh", "-c", script, "sh", self.path, since, until, tail)

    def _exactly(self, chunks: Iterator[bytes], wish: Wish) -> Iterator[bytes]:
        if wish.since is None and wish.until is None:
            return chunks
        return judged(chunks, self.form, wish.since, wish.until)

    def _judge(self, channel: Channel) -> None:
        code = channel.code
        if code == FORBIDDEN:
            raise self.forbidden()
        if code == MISSING:
            hint = "has the server run yet? `keywright status` tells"
            raise InputError(f"there is no {self.path} on {self._host}", hint)
        if code:
            lines = [line for line in channel.said.splitlines() if line.strip()]
            reason = lines[-1] if lines else f"exit code {code}"
            raise ApplyError(f"{self.path} on {self._host} cannot be read: {reason}")

    def forbidden(self) -> KeywrightError:
        """Return what to raise when this user may not read it."""
        return InputError(
            f"{self._who} may not read {self.path} on {self._host}",
            f"sudo usermod -aG adm {self._who}, then log in again; or let sudo ask for no password",
        )


def _until_token(chunks: Iterator[bytes], token: bytes) -> Iterator[bytes]:
    """The chunks before the one that ends in the token's line; the silences between them are none."""
    for chunk in chunks:
        if chunk.endswith(token):
            if chunk != token:
                yield chunk.removesuffix(token)
            return
        if chunk:
            yield chunk


def since_boot(wish: Wish, booted: float | None) -> Wish:
    """Return the wish with "since the host was started" as a time, where that is known."""
    if not wish.boot or booted is None:
        return wish
    since = booted if wish.since is None else max(booted, wish.since)
    return wish._replace(boot=False, since=since)
