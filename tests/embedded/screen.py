"""A terminal of 24 × 80, as far as a prompt draws on one: text, cursor, erasing, scrolling."""

import re

ROWS, COLUMNS = 24, 80
PIECE = re.compile(
    r"\x1b\[([?0-9;]*)[ -/]*([@-~])|\x1b\][^\x07]*\x07|\x1b[=>78]|\x1b[()][0-9AB]|[\r\n\b\x07\t]|[^\x1b]"
)


class Screen:
    """What a person sees; `text` also has what was scrolled away."""

    def __init__(self) -> None:
        self._rows = [[" "] * COLUMNS for _ in range(ROWS)]
        self._gone: list[str] = []
        self._row = self._column = 0
        self._wraps = True
        self._rest = ""
        self.answer = ""  # what the terminal says by itself: where the cursor is, when it is asked

    def feed(self, text: str) -> None:
        """Draw what a program wrote."""
        text = self._rest + text
        at = 0
        while at < len(text):
            found = PIECE.match(text, at)
            if found is None:  # an escape sequence that is not all there yet
                break
            self._draw(found)
            at = found.end()
        self._rest = text[at:]

    @property
    def text(self) -> str:
        """All lines, without the blanks at their ends."""
        return "\n".join((*self._gone, *("".join(row).rstrip() for row in self._rows))).rstrip()

    @property
    def place(self) -> int:
        """The number of the cursor's line, counted from the beginning."""
        return len(self._gone) + self._row

    def since(self, place: int) -> str:
        """The text from that line on."""
        return "\n".join(self.text.split("\n")[place:])

    @property
    def line(self) -> str:
        """The line that the cursor stands on."""
        return "".join(self._rows[self._row]).rstrip()

    def _draw(self, found: "re.Match[str]") -> None:
        char = found.group()
        if found.group(2):
            self._steer(found.group(1), found.group(2))
        elif char == "\r":
            self._column = 0
        elif char == "\n":
            self._down()
        elif char == "\b":
            self._column = max(0, self._column - 1)
        elif len(char) == 1 and char.isprintable():
            if self._column >= COLUMNS:
                if not self._wraps:
                    self._column = COLUMNS - 1
                else:
                    self._column = 0
                    self._down()
            self._rows[self._row][self._column] = char
            self._column += 1

    def _down(self) -> None:
        if self._row < ROWS - 1:
            self._row += 1
            return
        self._gone.append("".join(self._rows.pop(0)).rstrip())
        self._rows.append([" "] * COLUMNS)

    def _steer(self, words: str, final: str) -> None:
        numbers = [int(each) for each in words.strip("?").split(";") if each.isdigit()]
        count = max(numbers[0] if numbers else 1, 1)
        if words == "?7":
            self._wraps = final == "h"
        elif final == "n":
            self.answer += f"\x1b[{self._row + 1};{self._column + 1}R"
        elif final == "A":
            self._row = max(0, self._row - count)
        elif final == "B":
            self._row = min(ROWS - 1, self._row + count)
        elif final == "C":
            self._column = min(COLUMNS - 1, self._column + count)
        elif final == "D":
            self._column = max(0, min(self._column, COLUMNS - 1) - count)
        elif final in "Hf":
            self._row, self._column = count - 1, (numbers[1] - 1 if len(numbers) > 1 else 0)
        elif final == "K":
            self._rows[self._row][self._column :] = [" "] * max(0, COLUMNS - self._column)
        elif final == "J":
            whole = bool(numbers) and numbers[0] == 2
            if not whole:
                self._rows[self._row][self._column :] = [" "] * max(0, COLUMNS - self._column)
            for row in range(0 if whole else self._row + 1, ROWS):
                self._rows[row] = [" "] * COLUMNS
