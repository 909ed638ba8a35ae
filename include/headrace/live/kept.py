"""Keys of the live store that hold copies for a while: figures, events and entities, each with its time to live.

`metric:{name}:{minutes}m`: JSON, a metric over the last minutes; with `:region` behind it, by region. `cache:event:{id}`: a
hash, stream → JSON of the event. `reference:{entity}:{id}`: JSON of the newest version that anybody told of.
"""

from __future__ import annotations

METRIC_SECONDS = 600
REFERENCE_SECONDS = 86_400

# KEYS: one key; ARGV: version, text, seconds. What is there and newer stays, so that a reader with an old version from the
# lake and the writer of the topic may come in any order.
WRITE_NEWEST = """
local known = redis.call('GET', KEYS[1])
if known and cjson.decode(known).version > tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
return 1
"""


def metric_key(name: str, minutes: int, by: str | None = None) -> str:
    return f"metric:{name}:{minutes}m" + (f":{by}" if by else "")


def event_key(event_id: str) -> str:
    return f"cache:event:{event_id}"


def reference_key(entity: str, key: str) -> str:
    return f"reference:{entity}:{key}"
