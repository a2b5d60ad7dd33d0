#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A second judge, to hold the safety gate's against.

Reads what build/judgements prints (a world a line, then what was asked in it and what judge() said) and judges the
same by itself: written from what the tiers and rules are meant to do, not from services/safety-gate. Every
difference is a fault on one of the two sides.

usage: build/judgements FIRST_SEED WORLDS | tests/reference/judge.py [-v]
"""
import ipaddress
import json
import re
import sys
import unicodedata
from collections import Counter
from urllib.parse import unquote_to_bytes, urlsplit

TIERS = ["green", "yellow", "orange", "red", "black"]
GREEN, YELLOW, ORANGE, RED, BLACK = range(5)
KEEPS, MOVES, INTERRUPTS, TAKES_NODE = range(4)

# name: tier, kind of its target, the states of the target from which it can be done (None: does not matter), and what
# becomes of its service.
ANY = {"running", "stopped", "paused", "suspended", "prelaunch", "io-error", "internal-error", "postmigrate", "other"}
READS = {"cluster_status": None, "node_list": None, "node_status": "node", "guest_list": None, "guest_status": "guest",
         "guest_config": "guest", "guest_snapshots": "guest", "storage_list": None, "storage_content": "storage",
         "task_list": None, "task_log": None, "temperatures": None, "disk_health": None, "backup_posture": None,
         "updates_available": None, "service_status": "node", "journal_tail": "node",
         "ping_node": "node", "disk_usage": "node"}
ACTS = {
    "guest_start": (YELLOW, "guest", {"stopped", "suspended"}, KEEPS),
    "guest_resume": (YELLOW, "guest", {"paused", "suspended"}, KEEPS),
    "guest_snapshot": (YELLOW, "guest", ANY, KEEPS),
    "backup_now": (YELLOW, "guest", ANY, KEEPS),
    "node_wake": (YELLOW, "node", {"offline", "unknown"}, KEEPS),
    "service_restart": (YELLOW, "node", {"online"}, KEEPS),
    "guest_shutdown": (ORANGE, "guest", {"running"}, INTERRUPTS),
    "guest_reboot": (ORANGE, "guest", {"running"}, INTERRUPTS),
    "guest_suspend": (ORANGE, "guest", {"running"}, INTERRUPTS),
    "guest_migrate": (ORANGE, "guest", ANY, MOVES),
    "task_stop": (ORANGE, None, None, KEEPS),
    "download_url": (ORANGE, "storage", None, KEEPS),
    "service_stop": (ORANGE, "node", {"online"}, INTERRUPTS),
    "run_command": (ORANGE, "node", {"online"}, KEEPS),
    "guest_stop": (RED, "guest", ANY - {"stopped"}, INTERRUPTS),
    "guest_reset": (RED, "guest", {"running", "paused", "io-error", "internal-error"}, INTERRUPTS),
    "snapshot_rollback": (RED, "guest", ANY, INTERRUPTS),
    "snapshot_delete": (RED, "guest", ANY, KEEPS),
    "node_reboot": (RED, "node", {"online"}, TAKES_NODE),
    "node_shutdown": (RED, "node", {"online"}, TAKES_NODE),
}


class Refused(Exception):
    """It ends here: what is decided, and by which rule."""


def kind_of(tool):
    return READS[tool] if tool in READS else ACTS[tool][1]


def impact_of(tool):
    return ACTS[tool][3]


# ── names ────────────────────────────────────────────────────────────────────────────────────────────────────────

def only(found):
    if len(found) != 1:
        raise Refused("refuse", "target.ambiguous" if found else "target.unknown")
    return found[0]


def is_guest(guest, word):
    if isinstance(word, str) and word.isdigit():
        word = int(word)
    return guest["vmid"] == word if isinstance(word, int) else guest["name"] == word


def resolve(world, tool, args):
    """The objects that ARGS name. The first that is found says in which cluster the others are."""
    t = {"cluster": args.get("cluster"), "args": args, "guest": None, "node": None, "storage": None, "other": None}
    clusters = world["clusters"]
    if t["cluster"] is not None and t["cluster"] not in clusters:
        raise Refused("refuse", "target.unknown")
    if t["cluster"] is None and len(clusters) == 1:
        t["cluster"] = next(iter(clusters))

    def among(what):
        return [(c, o) for c in clusters if t["cluster"] in (None, c) for o in clusters[c][what]]

    if "guest" in args:
        t["cluster"], t["guest"] = only([(c, g) for c, g in among("guests") if is_guest(g, args["guest"])])
    for key in ("node", "target_node"):
        if key in args:
            t["cluster"], node = only([(c, n) for c, n in among("nodes") if n["node"].lower() == args[key].lower()])
            t["node" if kind_of(tool) == "node" else "other"] = node
    if "storage" in args:
        where = t["other"] or t["node"]
        where = where["node"] if where else t["guest"]["node"] if t["guest"] else None
        t["cluster"], t["storage"] = only([(c, s) for c, s in among("storages") if s["storage"] == args["storage"]
                                           and (where is None or s["node"] in (None, where))])
    kind = kind_of(tool)
    name = kind and {"guest": "vmid", "node": "node", "storage": "storage"}[kind]
    t["object"] = f'{t["cluster"]}/{kind}/{t[kind][name]}' if kind else None
    return t


# ── what surrounds it ────────────────────────────────────────────────────────────────────────────────────────────

def hosts_of(world, me):
    """The nodes on which Jarvis is: by configuration, and in fact."""
    return {me["node"]} | {g["node"] for g in world["clusters"][me["cluster"]]["guests"] if g["vmid"] == me["vmid"]}


def own(world, t):
    """Where Jarvis itself runs, if that is in the cluster that is meant."""
    me = world["config"]["self"]
    return me if me and "external" not in me and t["cluster"] == me["cluster"] else None


def task_of(t):
    """Node and what the task is at, as its UPID says; what is at a guest has digits there."""
    parts = t["args"]["upid"].split(":") if "upid" in t["args"] else None
    return parts and (parts[1], parts[6])


def task_of_self(world, t):
    """The tier below which it must not be when a task of Jarvis's own guest, or of its host as a whole, is cut short."""
    me, task = own(world, t), task_of(t)
    if not me or not task:
        return GREEN
    node, at = task
    if at.isdigit():
        return BLACK if int(at) == me["vmid"] else GREEN
    return RED if node in hosts_of(world, me) else GREEN


def is_self(world, tool, t):
    """Whether it interrupts or alters Jarvis's own guest, or the node on which that is, by configuration or in fact."""
    me = own(world, t)
    if not me:
        return False
    if impact_of(tool) == KEEPS and ACTS[tool][0] < RED:
        return False
    if t["guest"]:
        return t["guest"]["vmid"] == me["vmid"]
    return bool(t["node"]) and t["node"]["node"] in hosts_of(world, me)


def is_protected(world, t):
    """Whether anything that is named deserves more care: the target, any other object, what a task is at."""
    named = {("guests", t["guest"] and t["guest"]["vmid"]), ("storages", t["storage"] and t["storage"]["storage"])}
    named |= {("nodes", n["node"]) for n in (t["node"], t["other"]) if n}
    if task_of(t):
        node, at = task_of(t)
        named |= {("guests", int(at))} if at.isdigit() else {("nodes", node), ("storages", at or None)}
    return any(f'{t["cluster"]}/{name}' in world["config"]["protected"][kind] for kind, name in named)


def loses_quorum(world, tool, t, targets):
    cluster = world["clusters"][t["cluster"]]
    if cluster["standalone"]:
        return False
    if cluster["votes"] is None or cluster["votes_needed"] is None:
        return True
    going = targets if tool == "node_shutdown" else [t]  # those that reboot come back, one after the other
    gone = sum(1 for o in going if o["cluster"] == t["cluster"] and o["node"]["status"] != "offline")
    return cluster["votes"] - gone < cluster["votes_needed"]


def dependents(world, tool, targets):
    """Guests that need, through whatever, something that goes, and are not known to be stopped."""
    guests = {f'{c}/guest/{g["vmid"]}': g for c, v in world["clusters"].items() for g in v["guests"]}
    going = {t["object"] for t in targets}
    for t in targets:
        if t["node"] and impact_of(tool) == TAKES_NODE:
            going |= {o for o, g in guests.items()
                      if o.startswith(t["cluster"] + "/") and g["node"] == t["node"]["node"]}
    lost, before = set(going), -1
    while before != len(lost):
        before = len(lost)
        lost |= {o for o, needs in world["config"]["depends_on"].items() if not lost.isdisjoint(needs)}
    return [o for o in lost - going if o in guests and guests[o]["status"] != "stopped" and not guests[o]["template"]]


# Places on a node that no parameter reaches: what runs it, who gets in, guests' disks, Jarvis.
FORBIDDEN = ("/bin /boot /dev /etc /lib /lib64 /proc /root /run /sbin /sys /usr /srv/jarvis /var/run /var/spool/cron "
             "/var/lib/jarvis /var/lib/jarvis-act /var/lib/jarvis-thermal /var/lib/pve-cluster /var/lib/vz/images "
             "/var/lib/vz/private").split()


def components(path):
    return path.split("/")[1:]


def lies_in(path, folder):
    return components(path)[:len(components(folder))] == components(folder)


def reaches(path, place):
    return lies_in(path, place) or lies_in(place, path)


def is_plain_path(path):
    """Written as it would be by the machine itself, and every character of it is seen."""
    if not path.startswith("/") or len(path.encode()) > 512:
        return False
    if any(c != " " and unicodedata.category(c)[0] in "CZ" for c in path):
        return False
    return all(c not in ("", ".", "..") and c == c.strip(" ") and "  " not in c
               for c in components(path))


def is_path_allowed(kind, path):
    return is_plain_path(path) and any(lies_in(path, folder) for folder in kind["below"]) and \
        not any(reaches(path, place) for place in FORBIDDEN)


def is_url_allowed(kind, url):
    """Exactly what it would be if it were put together anew, at a host that is listed and is not this machine."""
    if re.search(r"[^!-~]", url) or len(url) > 512 or set(url) & set("#\\\"'`<>|^{}$()*"):
        return False
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        place = f"[{host}]" if ":" in host else host
    except ValueError:
        return False
    written = parts.netloc in (place, f"{place}:{port}") and url.startswith(f"{parts.scheme}://{parts.netloc}/")
    escapes = re.findall("%..?", url)
    if not written or any(not re.fullmatch("%[0-9a-fA-F]{2}", e) or unquote_to_bytes(e) in b"%./\\\x7f" or
                          unquote_to_bytes(e) <= b" " for e in escapes):
        return False
    if ".." in parts.path + "?" + parts.query or "." in components(parts.path):
        return False
    try:
        address = ipaddress.ip_address(host)
        if address.is_loopback or address.is_link_local or address.is_multicast or address.is_unspecified:
            return False
    except ValueError:
        pass
    usual = {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme in kind["schemes"] and host in kind["hosts"] and (port or usual) in [usual, *kind["ports"]]


FITS = {
    "word": lambda kind, value: value in kind["words"],
    "int": lambda kind, value: re.fullmatch("0|[1-9][0-9]*", value) and kind["min"] <= int(value) <= kind["max"],
    "name": lambda kind, value: re.fullmatch("[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}", value),
    "path": is_path_allowed,
    "url": is_url_allowed,
}


def parameters(t):
    return {name: str(value) for name, value in t["args"].get("params", {}).items()}


def is_command_listed(world, t):
    """Whether the command is one of this node, with all of its parameters and no others, each of what it may be."""
    command = world["config"]["commands"].get(t["args"]["command_id"])
    if not command or f'{t["cluster"]}/{t["node"]["node"]}' not in command["nodes"]:
        return False
    given = parameters(t)
    return given.keys() == command["params"].keys() and \
        all(FITS[command["params"][name]["type"]](command["params"][name], value) for name, value in given.items())


def names_protected_path(world, t):
    """Whether a path among a command's parameters is protected, in what is, or above it."""
    command = world["config"]["commands"].get(t["args"].get("command_id"), {"params": {}})
    paths = [value for name, value in parameters(t).items() if command["params"].get(name, {}).get("type") == "path"]
    return any(reaches(path, place) for path in paths for place in world["config"]["protected"]["paths"])


def tier_of(world, ask, t, targets):
    tool, tier, black = ask["tool"], ACTS[ask["tool"]][0], []
    steps = []  # rule, and the tier that it makes of TIER
    if is_self(world, tool, t):
        steps.append(("self", lambda _: BLACK))
    if task_of_self(world, t):
        steps.append(("self", lambda x: max(x, task_of_self(world, t))))
    if is_protected(world, t) or names_protected_path(world, t):
        steps.append(("protected", lambda x: x + 1))
    if impact_of(tool) == TAKES_NODE and loses_quorum(world, tool, t, targets):
        steps.append(("quorum", lambda x: max(x, RED) if ask["who"] == "person" else BLACK))
    if t["guest"] and t["guest"]["lock"]:
        if t["guest"]["lock"] != "suspended" or tool not in ("guest_start", "guest_resume"):
            steps.append(("locked", lambda x: x + 1))
    if t["guest"] and t["guest"]["ha_state"] and impact_of(tool) != KEEPS:
        steps.append(("ha", lambda x: x + 1))
    if tool == "download_url":
        host = t["args"]["url"].removeprefix("https://").split("/")[0]
        if host not in world["config"]["download_hosts"]:
            steps.append(("download", lambda _: BLACK))
    if tool.startswith("service_"):
        if t["args"]["unit"] not in world["config"]["services"].get(f'{t["cluster"]}/{t["node"]["node"]}', []):
            steps.append(("service", lambda _: BLACK))
    if tool == "run_command" and not is_command_listed(world, t):
        steps.append(("command", lambda _: BLACK))
    for rule, raised in steps:
        higher = min(raised(tier), BLACK)
        if higher == BLACK > tier:
            black.append(rule)
        tier = max(tier, higher)
    return tier, black


# ── the judgement ────────────────────────────────────────────────────────────────────────────────────────────────

def check_remote(world, ask, targets):
    principal = world["config"]["principals"].get(ask["principal"])
    if not principal or principal["class"] != "remote":
        raise Refused("refuse", "principal.unknown")
    if ask["tool"] not in principal["tools"]:
        raise Refused("refuse", "principal.tools")
    allowed = set(principal["targets"])
    for t in targets:
        if t["object"] and t["object"] not in allowed and t["object"].rsplit("/", 1)[0] + "/*" not in allowed:
            raise Refused("refuse", "principal.targets")


def check_rates(world, ask, tier, n):
    times = 6 if ask["who"] == "person" else 1
    if tier == YELLOW and ask["yellow_10min"] + n > world["config"]["yellow_rate"] * times:
        raise Refused("refuse", "rate.yellow")
    if tier > YELLOW and ask["orange_10min"] + n > world["config"]["orange_rate"] * times:
        raise Refused("refuse", "rate.orange")
    if tier == RED and ask["red_under_way"]:
        raise Refused("refuse", "rate.red")


def decide(ask, tier):
    if tier == RED and not ask["has_code"]:
        raise Refused("refuse", "code.none")
    if tier == ORANGE and not (ask["has_keyword"] or ask["has_code"]):
        raise Refused("refuse", "keyword.none")
    if ask["who"] == "remote":
        return "ask", "principal.asks"
    if ask["who"] == "agent":
        if ask["level"] < 2:
            raise Refused("refuse", "level")
        return "allow" if tier == YELLOW and ask["level"] > 2 and not ask["proposes"] else "ask", "level"
    if tier == RED and not ask["confirmed"]:
        raise Refused("refuse", "unconfirmed")
    return ("allow", "tier.person") if tier == YELLOW else ("ask", "tier.proof")


def check_state(world, ask, targets):
    for t in targets:
        if t["cluster"] is None:
            raise Refused("state", "view.cluster")
        sources = world["clusters"][t["cluster"]]["sources"]
        fresh = [s["seen"] and s["age_ms"] is not None and s["age_ms"] < 3000 * s["period_s"] for s in sources]
        if not world["poller_online"] or not all(fresh):
            raise Refused("state", "view.stale")
    tool = ask["tool"]
    _, kind, states, _ = ACTS[tool]
    for t in targets:
        if kind == "guest":
            guest = t["guest"]
            if guest["template"] and tool != "backup_now":
                raise Refused("state", "state.template")
            if guest["type"] == "lxc" and tool == "guest_reset":
                raise Refused("state", "state.container")
            if guest["status"] not in states:
                raise Refused("state", "state.status")
            here = [n for n in world["clusters"][t["cluster"]]["nodes"] if n["node"] == guest["node"]]
            if not here or here[0]["status"] != "online" or (t["other"] and t["other"]["node"] == guest["node"]):
                raise Refused("state", "state.node")
        if kind == "node" and t["node"]["status"] not in states:
            raise Refused("state", "state.node")
        if t["other"] and t["other"]["status"] != "online":
            raise Refused("state", "state.node")


def weigh(world, ask, targets):
    each = [tier_of(world, ask, t, targets) for t in targets]
    tier, black = max(x[0] for x in each), {rule for x in each for rule in x[1]}
    if len(targets) > 3:
        if tier == RED:
            black.add("blast")
        tier = min(tier + 1, BLACK)
    return tier, black


def judge(world, ask):
    """tier, decision, need, and the rules of which any may be named."""
    tool, tier = ask["tool"], BLACK
    try:
        arguments = [dict(ask["args"], **{kind_of(tool): t}) for t in ask["targets"]] or [ask["args"]]
        targets = [resolve(world, tool, args) for args in arguments]
        tier = GREEN if tool in READS else ACTS[tool][0]
        if ask["who"] == "remote":
            check_remote(world, ask, targets)
        if tier == GREEN:
            return tier, "allow", "nothing", {"tier.green"}
        tier, black = weigh(world, ask, targets)
        if tier == BLACK:
            return tier, "refuse", None, black
        if not world["config"]["self"] and tier > YELLOW:
            raise Refused("refuse", "self")
        if impact_of(tool) >= INTERRUPTS and dependents(world, tool, targets):
            raise Refused("refuse", "dependents")
        if ask["unfit"] or ask["frozen"]:
            raise Refused("refuse", "gate.unfit" if ask["unfit"] else "frozen")
        check_rates(world, ask, tier, len(targets))
        decision, rule = decide(ask, tier)
        check_state(world, ask, targets)
        return tier, decision, ["", "nothing", "keyword", "code"][tier], {rule}
    except Refused as refused:
        return tier, refused.args[0], None, {refused.args[1]}


def main():
    world, seen, differences, n = None, Counter(), 0, 0
    for line in sys.stdin:
        document = json.loads(line)
        if "clusters" in document:
            world = document
            continue
        ask, said = document["ask"], document["verdict"]
        tier, decision, need, rules = judge(world, ask)
        n += 1
        seen[said["decision"], said["rule"]] += 1
        if (TIERS[tier], decision) == (said["tier"], said["decision"]) and said["rule"] in rules and \
                (need is None or need == said["need"]):
            continue
        differences += 1
        if differences <= 5:
            print(f"seed {world['seed']}: judge() says {said}, the reference {TIERS[tier]} {decision} {need} {rules}",
                  f"  asked: {json.dumps(ask)}", f"  replay: build/judgements {world['seed']} 1 | {sys.argv[0]} -v",
                  sep="\n")
            if "-v" in sys.argv:
                print(f"  world: {json.dumps(world)}")
    if "-v" in sys.argv:
        for (decision, rule), times in sorted(seen.items()):
            print(f"{times:9} {decision} {rule}")
    print(f"{n} judgements, {len(seen)} kinds of them, {differences} differences")
    return 1 if differences or not n else 0


sys.exit(main())
