"""Passwords for property tests: any printable characters of unicode, blanks and tabs included."""

from hypothesis import strategies as st

from keywright.suspicions import placeholder

# Excluded: control characters (a line break cannot stand in a line), surrogates (no UTF-8 has
# them), and code points that unicode declares no characters (systemd refuses those).
characters = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn"))
# Those that some reader acts on come up often.
awkward = st.sampled_from("'\"\\$#{}` \t;=@:/?%&|<>()~!*^[]-+é😀")
passwords = st.text(st.one_of(characters, awkward), min_size=1, max_size=24).filter(
    lambda text: not placeholder(text)
)
