"""Flask with sessions in Redis: `flask run`."""

import os
import time
from typing import Any

from flask import Flask, abort, request, session

from keywright import SessionStore
from keywright.contrib.cookie import Cookie
from keywright.contrib.flask import Sessions, health_pages

PASSWORDS = {"ada": "lovelace", "bob": "babbage"}  # an application has its users in a database

store = SessionStore(limit=10)  # REDIS_URL, CACHE_PREFIX and CACHE_TTL say where and how long
app = Flask(__name__)
app.register_blueprint(health_pages())
Sessions(app, store, cookie=Cookie(secure=os.environ.get("COOKIE_SECURE") != "false"))


@app.get("/")
def index() -> dict[str, Any]:
    """Count the visits of this browser."""
    session["visits"] = session.get("visits", 0) + 1
    return {"visits": session["visits"], "user": session.user}


@app.post("/login")
def login() -> dict[str, str]:
    """The session gets a new id here: whoever knew the old one knows nothing."""
    name, password = request.form["name"], request.form["password"]
    if PASSWORDS.get(name) != password:
        abort(403)
    session.login(name)
    return {"user": name}


@app.get("/me")
def me() -> dict[str, str]:
    """Only for those who are logged in."""
    return {"user": session.user or abort(401)}


@app.get("/sessions")
def sessions() -> list[dict[str, Any]]:
    """Where this user is logged in. `mark` tells sessions apart; an id is a key and is not shown."""
    return [
        {"mark": one.mark, "agent": one.agent, "this": one.mark == session.mark}
        for one in session.sessions()
    ]


@app.post("/set/<key>/<value>")
def put(key: str, value: str) -> dict[str, str]:
    """Keep something, slowly if you like: requests that change other keys lose nothing."""
    session.get(key)
    time.sleep(float(request.args.get("wait", 0)))
    session[key] = value
    return {key: value}


@app.get("/data")
def data() -> dict[str, Any]:
    """What the session holds."""
    return dict(session)


@app.post("/logout")
def logout() -> dict[str, bool]:
    """End this session."""
    session.logout()
    return {"out": True}


@app.post("/logout-everywhere")
def logout_everywhere() -> dict[str, Any]:
    """End every session of this user, here and on other devices."""
    user = session.user or abort(401)
    return {"user": user, "ended": session.logout_everywhere()}
