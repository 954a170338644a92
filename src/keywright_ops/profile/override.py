"""One value written over a profile for a single run, as an option of the command line does it.

Pure: the file and the profile it was loaded to stay as they are.
"""

from typing import Any

from keywright_ops.profile.complaints import Complaint, Complaints, as_error
from keywright_ops.profile.declared import Declared, Profile, chain
from keywright_ops.profile.load import read_value


def override(profile: Profile, environment: str, path: str, value: object) -> Profile:
    """Return the profile with one value of one environment written over.

    `path` is the field's ("engine", "container.name"), `value` as TOML would give it. Raises
    ProfileError for an environment that does not exist, a value that it does not take, and a
    combination that the value makes impossible.
    """
    from keywright_ops.profile.combinations import impossible  # only where something is overridden

    own = chain(profile, environment)[0]
    values: dict[str, Any] = dict(own.values)
    complaints = Complaints()
    read_value(environment, own.kind, path, value, values, complaints)
    if complaints:
        raise as_error(complaints)
    declared = Declared(own.name, own.kind, own.like, values, own.settings)
    changed = profile._replace(environments={**profile.environments, environment: declared})
    before = set(impossible(profile, environment))
    for key, reason, hint in impossible(changed, environment):
        if (key, reason, hint) not in before:  # what was wrong before is the file's, and told there
            complaints.append(Complaint(f"env.{environment}.{key}", reason, hint))
    if complaints:
        raise as_error(complaints)
    return changed
