"""The one table of everything that keywright.toml may say.

It drives loading, the messages of errors, `keywright explain`, `keywright init` and the reference
page. A new key is a row in one of the fields_*.py; nothing registers itself.
"""

from keywright_ops.profile.field import APP, PREFIX, TEXT, Field, every
from keywright_ops.profile.fields_app import APP_FIELDS
from keywright_ops.profile.fields_docker import CONTAINER_FIELDS, TLS_FIELDS
from keywright_ops.profile.fields_host import (
    FIREWALL_FIELDS,
    KERNEL_FIELDS,
    UNIT_FIELDS,
)
from keywright_ops.profile.fields_insight import INSIGHT_FIELDS
from keywright_ops.profile.fields_server import SERVER_FIELDS

# The six environments that exist without being written, and the kind of each.
BUILT_IN = {
    "local": "local",
    "dev": "docker-dev",
    "prod": "docker-prod",
    "linux": "systemd",
    "azure": "azure",
    "aws": "aws",
}

# What stands at the top of the file, for all environments.
TOP_FIELDS = (
    Field(
        "app",
        APP,
        every("esab"),
        "",
        "The application's name: containers, volumes and the network are named after it.",
        '"esab"',
        "guide: Docker Development",
    ),
    Field(
        "prefix",
        PREFIX,
        every("esabcfg:"),
        "",
        "What every key of the application begins with.",
        '"esabcfg:"',
        "guide: Environment Variables",
        "CACHE_PREFIX, and the rights of appuser",
    ),
    Field(
        "default_env",
        TEXT,
        every("local"),
        "",
        "The environment that commands mean when none is named.",
        '"local"',
        "design: -e ENV",
    ),
)

# What stands in a table [env.NAME].
FIELDS = (
    SERVER_FIELDS
    + CONTAINER_FIELDS
    + UNIT_FIELDS
    + KERNEL_FIELDS
    + TLS_FIELDS
    + INSIGHT_FIELDS
    + FIREWALL_FIELDS
    + APP_FIELDS
)
BY_PATH = {field.path: field for field in FIELDS}
# What an environment never takes over from the one that it is like: with the same names, the second
# of two Docker environments would replace the first's container and write into its data.
OWN_NAMES = (
    "container.name",
    "container.project",
    "container.volume",
    "container.compose_file",
    "insight.name",
    "insight.volume",
)
# The tables inside an environment; `settings` holds redis.conf directives and no fields.
TABLES = ("container", "unit", "kernel", "tls", "insight", "app", "settings")
