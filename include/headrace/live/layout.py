"""How live windows lie in Valkey, and the one script that writes them.

`window:{spec}:{start}` is a hash: field = late mark and key values joined by U+001F, value = JSON. `windows:{spec}` is
a sorted set of the starts. `projector:run` is the server's run id once the whole topic is in the store; before that it
says so, and a reader must not answer from what is there. `generations` is a hash: specification -> the newest counting
that has reached the present; `generations:left_out` names those of which rows were left out before that. Channel
`live:updates` carries the rows as they are written, a JSON array a message, while anybody listens.
"""

from __future__ import annotations

from collections.abc import Iterable

SEPARATOR = "\x1f"
PUNCTUAL, LATE = "0", "1"
RUN = "projector:run"
FILLING = "filling:"
AGAIN = "projector:again"
UPDATES = "live:updates"

# One call a batch. A row is written when its (generation, n) is larger than the one that is there, never otherwise. A
# counting that began anew goes beside the old one: until it has met an event that arrived after its beginning, it only
# replaces rows that it has caught up with. Then the projector is asked to bring the rows once more that were left out.
WRITE = """
local reached = {}
local function counts_alone(spec, generation, value)
  reached[spec] = reached[spec] or tonumber(redis.call('HGET', 'generations', spec) or '0')
  if reached[spec] < generation and (cjson.decode(value).last_arrived_ms or 0) >= generation * 1000 then
    redis.call('HSET', 'generations', spec, generation)
    if redis.call('SREM', 'generations:left_out', spec) == 1 then redis.call('SET', 'projector:again', spec) end
    reached[spec] = generation
  end
  return reached[spec] >= generation
end
local function larger(spec, row, generation, n, alone)
  if generation == row.generation then return n > row.n end
  if generation < row.generation then return false end
  if alone or n >= row.n then return true end
  redis.call('SADD', 'generations:left_out', spec)
  return false
end
local written = {}
for i = 1, #ARGV, 6 do
  local spec, start, field = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local generation, n = tonumber(ARGV[i + 3]), tonumber(ARGV[i + 4])
  local key = 'window:' .. spec .. ':' .. start
  local known = redis.call('HGET', key, field)
  local alone = counts_alone(spec, generation, ARGV[i + 5])
  if not known or larger(spec, cjson.decode(known), generation, n, alone) then
    redis.call('HSET', key, field, ARGV[i + 5])
    if not known then redis.call('ZADD', 'windows:' .. spec, start, start) end
    written[#written + 1] = ARGV[i + 5]
  end
end
if #written > 0 and redis.call('PUBSUB', 'NUMSUB', 'live:updates')[2] > 0 then
  redis.call('PUBLISH', 'live:updates', '[' .. table.concat(written, ',') .. ']')
end
return #written
"""


def window_key(spec: str, start: int) -> str:
    return f"window:{spec}:{start}"


def index_key(spec: str) -> str:
    return f"windows:{spec}"


def field_of(late: bool, keys: Iterable[str | None]) -> str:
    return SEPARATOR.join([LATE if late else PUNCTUAL, *("" if key is None else str(key) for key in keys)])
