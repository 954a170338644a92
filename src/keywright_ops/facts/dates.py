"""Days between two dates, by hand: importing datetime would cost `status` 2 ms."""


def days_between(first: str, last: str) -> int | None:
    """Return the days from one YYYY-MM-DD to another; None when one of them is no such text."""
    numbers = [_ordinal(each) for each in (first, last)]
    return None if numbers[0] is None or numbers[1] is None else numbers[1] - numbers[0]


def _ordinal(date: str) -> int | None:
    parts = date.split("-")
    if [len(each) for each in parts] != [4, 2, 2] or not "".join(parts).isdigit():
        return None
    year, month, day = map(int, parts)
    # a year that begins in March has its leap day at the end
    year, month = (year, month - 3) if month > 2 else (year - 1, month + 9)
    return year * 365 + year // 4 - year // 100 + year // 400 + (153 * month + 2) // 5 + day
