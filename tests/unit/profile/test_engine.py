"""Engine, image and compose project of a Docker environment, and one value written over for a run."""

import pytest

from keywright.errors import ProfileError
from keywright_ops.plan.resolve import resolve
from keywright_ops.profile.declared import Profile, Values
from keywright_ops.profile.load import built_in_profile, load_profile
from keywright_ops.profile.override import override


def engine_of(text: str, environment: str) -> tuple[str, str]:
    """Return the engine's name and the image that the plan of an environment has."""
    engine = resolve(load_profile(text, "k"), environment, None, {}, "/home/you").engine
    return engine.name, engine.image


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ("redis", "redis:8.2")),
        ("[env.dev]\nengine = 'valkey'", ("valkey", "valkey/valkey:9.1")),
        ("[env.dev]\nengine = 'redis'", ("redis", "redis:8.2")),
        ("[env.dev]\nimage = 'redis:7.4'", ("redis", "redis:7.4")),
        ("[env.dev]\nimage = 'valkey/valkey:8.1'", ("valkey", "valkey/valkey:8.1")),
        ("[env.dev]\nengine = 'valkey'\nimage = 'here:5000/kv:1'", ("valkey", "here:5000/kv:1")),
        ("[env.dev]\nengine = 'redis'\nimage = 'x/valkey-redis:1'", ("redis", "x/valkey-redis:1")),
    ],
)
def test_the_image_follows_the_engine_unless_it_is_written(
    text: str, found: tuple[str, str]
) -> None:
    """Each engine has a pinned image; an explicit one wins, and its name says whose it is."""
    assert found == engine_of(text, "dev")


def test_an_image_belongs_to_the_engine_beside_it() -> None:
    """Who is like prod and names another engine does not get prod's image; who names none does."""
    text = """
    [env.prod]
    image = "redis:7.4"
    [env.staging]
    like = "prod"
    engine = "valkey"
    [env.night]
    like = "prod"
    """
    assert ("valkey", "valkey/valkey:9.1") == engine_of(text, "staging")
    assert ("redis", "redis:7.4") == engine_of(text, "night")


@pytest.mark.parametrize(
    "image",
    [
        "redis",
        "redis:latest",
        "library/redis",
        "here:5000/redis",
        "here:5000/redis:latest",
    ],
)
@pytest.mark.parametrize("key", ["image", "insight.image"])
def test_an_image_without_a_version_is_refused(key: str, image: str) -> None:
    """No tag, and :latest, mean another server tomorrow; a registry's port is no tag."""
    with pytest.raises(ProfileError, match=f"env.prod.{key}: .*names no version") as caught:
        load_profile(f"[env.prod]\n{key} = '{image}'", "k")
    assert "redis:8.2" in caught.value.hint


@pytest.mark.parametrize("image", ["redis:8", "a/b:1-alpine", "here:5000/redis:8.2", "r@sha256:0a"])
def test_a_pinned_image_is_taken(image: str) -> None:
    """A tag or a digest pins."""
    assert image == engine_of(f"[env.prod]\nimage = '{image}'", "prod")[1]


def test_an_image_of_the_other_engine_is_refused() -> None:
    """Where both are written, the image may not say that it is the other engine's."""
    with pytest.raises(ProfileError, match=r"env.dev.image: redis:8.2 is Redis by its name"):
        load_profile("[env.dev]\nengine = 'valkey'\nimage = 'redis:8.2'", "k")


def test_the_compose_project_is_named_after_application_and_environment() -> None:
    """Each environment has a project of its own, and may not take another's."""
    profile = load_profile("app = 'shop'\n[env.staging]\nlike = 'prod'", "k")
    found = [Values(profile, name).text("container.project") for name in ("dev", "prod", "staging")]
    assert ["shop-dev", "shop-prod", "shop-staging"] == found
    with pytest.raises(ProfileError, match=r"container.project: env.dev has 'esab-dev' already"):
        load_profile("[env.prod]\ncontainer.project = 'esab-dev'", "k")
    with pytest.raises(ProfileError, match=r"container.project: 'Esab' is not a name"):
        load_profile("[env.prod]\ncontainer.project = 'Esab'", "k")


def test_an_override_is_of_one_environment_and_leaves_the_profile_alone() -> None:
    """--engine valkey for dev changes dev's image; prod, staging and the profile stay."""
    profile = load_profile("[env.two]\nlike = 'prod'", "k")
    over = override(profile, "dev", "engine", "valkey")
    assert "valkey/valkey:9.1" == Values(over, "dev").text("image")
    assert "redis:8.2" == Values(over, "prod").text("image")
    assert "redis:8.2" == Values(profile, "dev").text("image")
    assert "redis:8.2" == Values(override(profile, "dev", "engine", "valkey"), "two").text("image")


@pytest.mark.parametrize(
    ("text", "environment", "value", "message"),
    [
        ("", "local", "valkey", "env.local.engine: an environment of kind local"),
        ("", "dev", "keydb", "env.dev.engine: 'keydb' is none of redis, valkey"),
        ("", "prd", "valkey", "env.prd: there is no such environment"),
        ("[env.dev]\nimage = 'redis:7.4'", "dev", "valkey", "env.dev.image: redis:7.4 is Redis"),
    ],
)
def test_an_override_that_cannot_be_is_refused(
    text: str, environment: str, value: str, message: str
) -> None:
    """It obeys the rules of the file, and an image that the file names is not passed over."""
    profile: Profile = load_profile(text, "k") if text else built_in_profile()
    with pytest.raises(ProfileError) as caught:
        override(profile, environment, "engine", value)
    assert str(caught.value).startswith(message)
    assert caught.value.hint
