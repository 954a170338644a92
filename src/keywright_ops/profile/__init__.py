"""keywright.toml → Profile: one table of fields, typed values, and errors that name the path."""  # noqa: A005 - the room's name
