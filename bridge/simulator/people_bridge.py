"""What people do with the bridge itself: connect, lose a connection, pause, answer, edit the configuration."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import partial

from bridge.config import Route
from bridge.errors import Provider
from bridge.oauth.backlog import BacklogChoice
from bridge.simulator.acts import Act
from bridge.simulator.people_scene import INSIDERS, Conversation, Scene
from bridge.sync.held import Held

PROVIDERS: tuple[Provider, ...] = ("google", "atlassian")


def connect(scene: Scene, person: str, provider: Provider) -> Act:
    """Have somebody connect an account, or connect it again."""
    is_connected = scene.desk.connect(person, provider)
    if is_connected:
        scene.lost.pop((person, provider), None)
        scene.connected_at[person] = scene.now
    return scene.done(person, f"connect {provider}", outcome="connected" if is_connected else "failed")


def answer_backlog(scene: Scene, person: str) -> Act | None:
    """Have somebody say at connecting what becomes of what was labelled before; now and then they close the page."""
    choices: tuple[BacklogChoice, ...] = ("publish", "publish", "publish", "new", "ignore")
    choice = scene.random.choice(choices)
    if scene.random.random() < 0.2 or not scene.desk.answer_backlog(person, choice):
        return None
    return scene.done(person, "answer backlog", choice=choice)


def lose_google(scene: Scene) -> Act | None:
    """Have somebody take Google's consent back; most connect again after some hours."""
    return _lose(scene, "google")


def lose_atlassian(scene: Scene) -> Act | None:
    """Have somebody take Atlassian's consent back."""
    return _lose(scene, "atlassian")


def connect_again(scene: Scene) -> Act | None:
    """Have somebody connect again who was told that they must, or who knows it."""
    wanting = sorted({*scene.lost, *scene.desk.ended()})
    if not wanting:
        return None
    person, provider = scene.random.choice(wanting)
    return connect(scene, person, provider)


def pause(scene: Scene) -> Act | None:
    """Have the operator pause somebody for a while."""
    person = scene.person()
    if person in scene.paused:
        return None
    scene.desk.pause(person, True)
    scene.paused.add(person)
    scene.soon(scene.random.uniform(30.0, 15_000.0), lambda scene: resume(scene, person))
    return scene.done(person, "pause")


def resume(scene: Scene, person: str) -> Act | None:
    """Have the operator let somebody go on."""
    if person not in scene.paused:
        return None
    scene.desk.pause(person, False)
    scene.paused.discard(person)
    return scene.done(person, "resume")


def answer(scene: Scene) -> Act | None:
    """Have somebody answer a question; who is asked about several mails of a thread says the same of all."""
    waiting = scene.desk.held()
    return answer_this(scene, scene.random.choice(waiting), waiting) if waiting else None


def answer_this(scene: Scene, item: Held, waiting: list[Held]) -> Act | None:
    """Have the person of a question answer it."""
    if item.choices == ("publish", "leave-out"):
        choice = scene.random.choice(("publish", "leave-out"))
    else:
        choice = scene.random.choice(("publish", "publish", "publish", "new", "ignore"))
    same = [
        one
        for one in waiting
        if (one.address, one.threads, one.reason, one.route) == (item.address, item.threads, item.reason, item.route)
    ]
    if not [one for one in same if scene.desk.answer(one.id, choice)]:
        return None
    threads = " ".join(item.threads)
    return scene.done(
        item.address,
        "answer",
        _conversation_of(scene, item.address, item.threads[0]) if len(item.threads) == 1 else "",
        reason=item.reason,
        choice=choice,
        route=item.route,
        threads=threads,
    )


def publish_anew(scene: Scene, conversation: Conversation | None = None, person: str = "") -> Act | None:
    """Have somebody ask for a thread anew, whether its page was taken away or stands; what stands is left alone."""
    conversation, person = conversation or scene.conversation(), person or scene.person()
    thread = scene.thread_of(conversation, person) if conversation is not None else ""
    if conversation is None or not thread or not scene.desk.publish_anew(person, thread):
        return None
    if scene.random.random() < 0.5:  # nothing seems to happen, so they ask again at once
        scene.soon(scene.random.uniform(0.0, 0.2), partial(publish_anew, conversation=conversation, person=person))
    return scene.done(person, "publish anew", conversation.name, thread=thread)


def look_now(scene: Scene) -> Act | None:
    """Have somebody ask for a look at their mailbox at once."""
    person = scene.person()
    scene.desk.look_now(person)
    return scene.done(person, "look now")


def edit_routes(scene: Scene) -> Act | None:
    """Have the operator edit the configuration: add, take out, put back or rename a route, or close or open one."""
    routes = scene.desk.settings.routes
    how = scene.random.choice(("add", "take out", "put back", "put back", "rename", "visibility"))
    edited = _edited(scene, routes, how)
    if edited is None:
        return None
    scene.desk.edit(routes=edited)
    return tell_routes(scene, how)


def tell_routes(scene: Scene, why: str = "") -> Act:
    """Write down which routes are in force from now on; the first act of a history does so too."""
    told = {f"route {route.name}": _told(route) for route in scene.desk.settings.routes}
    return scene.done("operator", "routes", why=why, insiders=" ".join(scene.people[:INSIDERS]), **told)


def restored(scene: Scene, copied_at: datetime) -> None:
    """Have whoever connected since a copy of the database was made know that they must connect again.

    What else was ordered since, a pause, is gone too.
    """
    for person, when in scene.connected_at.items():
        if when > copied_at:
            scene.lost.update({(person, provider): scene.now for provider in PROVIDERS})
    scene.paused.clear()


def _lose(scene: Scene, provider: Provider) -> Act | None:
    person = scene.person()
    if (person, provider) in scene.lost:
        return None
    if provider == "google":
        scene.world.google.oauth.grants.revoke_grant(person)
    else:
        scene.world.atlassian.revoke(person)
    scene.lost[(person, provider)] = scene.now
    if scene.random.random() < 0.8:
        seconds = scene.random.choice((scene.random.uniform(5.0, 600.0), scene.random.uniform(600.0, 40_000.0)))
        scene.soon(seconds, lambda scene: connect(scene, person, provider))
    return scene.done(person, f"lose {provider}")


def _edited(scene: Scene, routes: tuple[Route, ...], how: str) -> tuple[Route, ...] | None:
    """Return the routes after an edit, None where there is nothing to edit so."""
    if how == "add":
        if any(route.label == "Confluence/Extra" for route in (*routes, *scene.removed_routes)):
            return None
        return (*routes, Route(name="extra", label="Confluence/Extra", space="OPS"))
    if how == "put back":
        if not scene.removed_routes:
            return None
        return (*routes, scene.removed_routes.pop())
    if len(routes) < 2:
        return None
    chosen = scene.random.randrange(len(routes))
    route = routes[chosen]
    if how == "take out":
        scene.removed_routes.append(route)
        return routes[:chosen] + routes[chosen + 1 :]
    if how == "rename":
        changed = replace(route, name=f"{route.name.partition('-')[0]}-{len(scene.history)}")
    elif route.name.startswith("own"):
        changed = replace(route, visibility="space" if route.visibility == "author" else "author")
    else:
        return None
    return (*routes[:chosen], changed, *routes[chosen + 1 :])


def _told(route: Route) -> str:
    """Return what the model must know of a route: label, space, kind, page or parent, visibility."""
    container = route.page_id if route.publish_as == "comment" else route.parent_id
    return f"{route.label}|{route.space}|{route.publish_as}|{container or '-'}|{route.visibility}"


def _conversation_of(scene: Scene, person: str, thread: str) -> str:
    for conversation in scene.conversations:
        for mail in conversation.mails:
            if person in mail.copies and mail.copies[person].thread_id == thread:
                return conversation.name
    return ""
