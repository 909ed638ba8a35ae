"""How the page of the streams looks: one card a job, plain HTML, readable on a phone and by keyboard.

Its few lines of script renew what the cards say and leave the buttons alone, so that the focus stays where it is; without
script the page works and is renewed by hand.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from html import escape
from typing import Any

_STYLE = """
:root{color-scheme:light dark;--line:#8885;--good:#1a7f37;--wait:#8a5a00;--bad:#c0232c}
@media (prefers-color-scheme:dark){:root{--good:#4ac26b;--wait:#e0a52e;--bad:#ff7b72}}
body{font:15px/1.45 system-ui,sans-serif;margin:1rem;max-width:75rem}
h1{font-size:1.4rem;margin:.2rem 0 1rem} h2{font-size:1.1rem;margin:0}
.cards{display:grid;gap:1rem;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr))}
article{border:1px solid var(--line);border-radius:.6rem;padding:1rem}
header{display:flex;flex-wrap:wrap;gap:.2rem .8rem;align-items:baseline}
.state{font-weight:600;color:var(--bad)} .running{color:var(--good)}
.starting,.unknown,.stopped{color:var(--wait)}
dl{display:grid;grid-template-columns:minmax(8rem,auto) 1fr;gap:.25rem 1rem;margin:.8rem 0}
dt{opacity:.75} dd{margin:0;overflow-wrap:anywhere}
form{display:flex;flex-wrap:wrap;gap:.5rem;align-items:center}
button{font:inherit;min-height:2.75rem;padding:.3rem 1.1rem;border-radius:.4rem;border:1px solid;background:none;color:inherit;cursor:pointer}
button:hover{background:#8882} :focus-visible{outline:3px solid #2f81f7;outline-offset:2px}
.note{border-left:4px solid #2f81f7;padding:.4rem .8rem} .wrong{border-color:var(--bad)} pre{white-space:pre-wrap;overflow-wrap:anywhere}
""".strip()
_SCRIPT = """
setInterval(async()=>{try{
const answer=await fetch(document.body.dataset.root);if(!answer.ok)return;
const fresh=new DOMParser().parseFromString(await answer.text(),"text/html");
for(const old of document.querySelectorAll("[data-renewed]")){
const now=fresh.getElementById(old.id);if(now&&now.innerHTML!==old.innerHTML)old.innerHTML=now.innerHTML}
}catch{}},5000)
""".strip()
_DIGEST = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; connect-src 'self'; form-action 'self';"
    f" frame-ancestors 'self'; base-uri 'none'; script-src 'sha256-{_DIGEST}'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
}
BUTTONS = {"start": "Start", "stop": "Stop", "restart": "Restart"}
_DONE = {
    "start": "{job} was started.",
    "stop": "{job} is stopped and stays so until somebody starts it. Events wait in Kafka; none is lost.",
    "restart": "{job} was restarted from its checkpoint.",
}


def overview(
    root: str, entries: list[dict[str, Any]], token: str | None, note: str = "", *, wrong: bool = False
) -> str:
    """`token` is for the forms of a person who may press buttons; None for those who may only look."""
    cards = "".join(_card(root, entry, token) for entry in entries)
    said = f'<p class="note{" wrong" if wrong else ""}" role="{"alert" if wrong else "status"}">{escape(note)}</p>'
    look = (
        ""
        if token
        else "<p>You may look. Starting and stopping needs a role with run_streams: ask an administrator.</p>"
    )
    now = datetime.now(UTC).strftime("%H:%M:%S")
    foot = f'<p id="as-of" data-renewed>As of {now} UTC.</p>'
    said = said if note else ""
    return _page(root, "Streams", f'{said}<main class="cards">{cards}</main>{look}{foot}<script>{_SCRIPT}</script>')


def log(root: str, job: str, text: str) -> str:
    back = f'<p><a href="{root}/">← Streams</a></p>'
    return _page(root, f"Log of {job}", f'{back}<pre tabindex="0">{escape(text)}</pre>')


def done(order: str, job: str) -> str:
    return _DONE[order].format(job=job) if order in _DONE else ""


def _page(root: str, title: str, body: str) -> str:
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>{escape(title)}</title>'
    return f'<!doctype html><html lang="en"><head>{head}<style>{_STYLE}</style></head><body data-root="{root}/"><h1>{escape(title)}</h1>{body}</body></html>'


def _card(root: str, entry: dict[str, Any], token: str | None) -> str:
    job = escape(entry["job"])
    state = escape(entry["state"])
    facts = {
        "Lag": "–" if entry["lag"] is None else f"{entry['lag']} records",
        "Watermark": _moment(entry["watermark"]),
        "Last heartbeat": _moment(entry["heartbeat_at"]),
        "Last start": _moment(entry["started_at"]),
        "Restarts": str(entry["restarts"]),
        "Why it was started": escape(entry["reason"] or "–"),
        "Batch": str(entry["batch"] or "–"),
        "Process": str(entry["pid"] or "–"),
    }
    rows = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in facts.items())
    head = f'<header id="{job}-state" data-renewed><h2>{job}</h2><span class="state {state}">{state}</span><span>{escape(entry["said"])}</span></header>'
    return f'<article aria-label="{job}">{head}<dl id="{job}-facts" data-renewed>{rows}</dl>{_buttons(f"{root}/{job}", job, token)}</article>'


def _buttons(path: str, job: str, token: str | None) -> str:
    link = f'<a href="{path}/log">Log of {job}</a>'
    if token is None:
        return f"<p>{link}</p>"
    buttons = "".join(
        f'<button formaction="{path}/{order}" aria-label="{word} {job}">{word}</button>'
        for order, word in BUTTONS.items()
    )
    return f'<form method="post"><input type="hidden" name="token" value="{escape(token)}">{buttons}{link}</form>'


def _moment(value: datetime | None) -> str:
    return "–" if value is None else f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
