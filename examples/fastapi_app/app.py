"""FastAPI with sessions in Redis: `uvicorn app:app`."""

import asyncio
import os
from typing import Annotated

from fastapi import Depends, FastAPI, Form, HTTPException, WebSocket

from keywright import AsyncSessionStore
from keywright.contrib.cookie import Cookie
from keywright.contrib.starlette import (
    RequestSession,
    SessionMiddleware,
    health_routes,
    require_user,
    session,
)

PASSWORDS = {"ada": "lovelace", "bob": "babbage"}  # an application has its users in a database

store = AsyncSessionStore(limit=10)  # REDIS_URL, CACHE_PREFIX and CACHE_TTL say where and how long
app = FastAPI(routes=health_routes())
app.add_middleware(
    SessionMiddleware,
    store=store,
    cookie=Cookie(secure=os.environ.get("COOKIE_SECURE") != "false"),
    without=("/health",),
)

MySession = Annotated[RequestSession, Depends(session)]
User = Annotated[str, Depends(require_user)]


@app.get("/")
async def index(session: MySession) -> dict[str, object]:
    """Count the visits of this browser."""
    session["visits"] = session.get("visits", 0) + 1
    return {"visits": session["visits"], "user": session.user}


@app.post("/login")
async def login(
    session: MySession, name: Annotated[str, Form()], password: Annotated[str, Form()]
) -> dict[str, str]:
    """The session gets a new id here: whoever knew the old one knows nothing."""
    if PASSWORDS.get(name) != password:
        raise HTTPException(403, "wrong name or password")
    await session.login(name)
    return {"user": name}


@app.get("/me")
async def me(user: User) -> dict[str, str]:
    """Only for those who are logged in."""
    return {"user": user}


@app.get("/sessions", dependencies=[Depends(require_user)])
async def sessions(session: MySession) -> list[dict[str, object]]:
    """Where this user is logged in. `mark` tells sessions apart; an id is a key and is not shown."""
    return [
        {"mark": one.mark, "agent": one.agent, "this": one.mark == session.mark}
        for one in await session.sessions()
    ]


@app.post("/set/{key}/{value}")
async def put(session: MySession, key: str, value: str, wait: float = 0) -> dict[str, str]:
    """Keep something, slowly if you like: requests that change other keys lose nothing."""
    session.get(key)
    await asyncio.sleep(wait)
    session[key] = value
    return {key: value}


@app.get("/data")
async def data(session: MySession) -> dict[str, object]:
    """What the session holds."""
    return dict(session)


@app.post("/logout")
async def logout(session: MySession) -> dict[str, bool]:
    """End this session."""
    await session.logout()
    return {"out": True}


@app.post("/logout-everywhere")
async def logout_everywhere(session: MySession, user: User) -> dict[str, object]:
    """End every session of this user, here and on other devices."""
    return {"user": user, "ended": await session.logout_everywhere()}


@app.websocket("/count")
async def count(socket: WebSocket) -> None:
    """A conversation has the session too."""
    await socket.accept()
    async for _ in socket.iter_text():
        socket.session["said"] = socket.session.get("said", 0) + 1
        await socket.send_json({"said": socket.session["said"]})
