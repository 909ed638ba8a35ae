"""How live windows lie in Valkey, and the scripts that write them.

`window:{spec}:{start}` is a hash: field = late mark and key values joined by U+001F, value = JSON. `windows:{spec}` is
a sorted set of the starts, `window_generations:{spec}` a hash: start -> the counting whose rows the window holds; no window
holds rows of two. `projector:run` is the server's run id once the whole topic is in the store; before that it says so, and
a reader must not answer from what is there. Channel `live:updates` carries the rows as they are written, a JSON array a
message, while anybody listens.

A counting that began anew writes beside the old one: `{spec}@{generation}` stands for the specification in the names of
windows that an older counting has. `generations:beside` is a set of such names, `generations:present` of those that have
met an event that arrived after their beginning, `generations` a hash: specification -> the newest counting that is shown
in every window.
"""

from __future__ import annotations

from collections.abc import Iterable

SEPARATOR = "\x1f"
PUNCTUAL, LATE = "0", "1"
RUN = "projector:run"
FILLING = "filling:"
UPDATES = "live:updates"
PRESENT = "generations:present"

# One call a batch. A row is written when its n is larger than that of the same counting, never otherwise. A window shows
# the oldest counting that has it, until a newer one is shown in every window.
WRITE = """
local shown, written = {}, {}
local function put_beside(spec, start, generation)
  local counting = spec .. '@' .. generation
  if redis.call('EXISTS', 'window:' .. spec .. ':' .. start) == 0 then return end
  redis.call('RENAME', 'window:' .. spec .. ':' .. start, 'window:' .. counting .. ':' .. start)
  redis.call('ZADD', 'windows:' .. counting, start, start)
  redis.call('SADD', 'generations:beside', counting)
end
local function name_of(spec, start, generation)
  local owner = redis.call('HGET', 'window_generations:' .. spec, start)
  if owner == generation then return spec end
  if owner and tonumber(owner) < tonumber(generation) then
    redis.call('SADD', 'generations:beside', spec .. '@' .. generation)
    return spec .. '@' .. generation
  end
  if owner then put_beside(spec, start, owner) end
  redis.call('HSET', 'window_generations:' .. spec, start, generation)
  return spec
end
for i = 1, #ARGV, 7 do
  local spec, start, field, generation = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  shown[spec] = shown[spec] or tonumber(redis.call('HGET', 'generations', spec) or '0')
  if ARGV[i + 5] == '1' and tonumber(generation) > shown[spec] then
    redis.call('SADD', 'generations:present', spec .. '@' .. generation)
  end
  if tonumber(generation) >= shown[spec] then
    local name = name_of(spec, start, generation)
    local key = 'window:' .. name .. ':' .. start
    local known = redis.call('HGET', key, field)
    if not known or tonumber(ARGV[i + 4]) > cjson.decode(known).n then
      redis.call('HSET', key, field, ARGV[i + 6])
      if not known then redis.call('ZADD', 'windows:' .. name, start, start) end
      if name == spec then written[#written + 1] = ARGV[i + 6] end
    end
  end
end
if #written > 0 and redis.call('PUBSUB', 'NUMSUB', 'live:updates')[2] > 0 then
  redis.call('PUBLISH', 'live:updates', '[' .. table.concat(written, ',') .. ']')
end
return #written
"""

# ARGV: specification, generation. At once, so that no reader finds less than before: the windows that this counting has
# beside an older one come in its place, and what older ones have else goes. Cut short, it is done again.
SHOW = """
local spec, generation = ARGV[1], ARGV[2]
local function starts_of(name) return redis.call('ZRANGE', 'windows:' .. name, 0, -1) end
local function forget(name)
  redis.call('UNLINK', 'windows:' .. name)
  redis.call('SREM', 'generations:beside', name)
end
local counting = spec .. '@' .. generation
for _, start in ipairs(starts_of(counting)) do
  if redis.call('EXISTS', 'window:' .. counting .. ':' .. start) == 1 then
    redis.call('UNLINK', 'window:' .. spec .. ':' .. start)
    redis.call('RENAME', 'window:' .. counting .. ':' .. start, 'window:' .. spec .. ':' .. start)
  end
  redis.call('ZADD', 'windows:' .. spec, start, start)
  redis.call('HSET', 'window_generations:' .. spec, start, generation)
end
forget(counting)
for _, start in ipairs(starts_of(spec)) do
  local owner = redis.call('HGET', 'window_generations:' .. spec, start)
  if not owner or tonumber(owner) < tonumber(generation) then
    redis.call('UNLINK', 'window:' .. spec .. ':' .. start)
    redis.call('ZREM', 'windows:' .. spec, start)
    redis.call('HDEL', 'window_generations:' .. spec, start)
  end
end
for _, other in ipairs(redis.call('SMEMBERS', 'generations:beside')) do
  local of, number = string.match(other, '^(.*)@(%d+)$')
  if of == spec and tonumber(number) < tonumber(generation) then
    for _, start in ipairs(starts_of(other)) do redis.call('UNLINK', 'window:' .. other .. ':' .. start) end
    forget(other)
  end
end
redis.call('HSET', 'generations', spec, generation)
redis.call('SREM', 'generations:present', counting)
"""


def window_key(spec: str, start: int) -> str:
    return f"window:{spec}:{start}"


def index_key(spec: str) -> str:
    return f"windows:{spec}"


def generations_key(spec: str) -> str:
    return f"window_generations:{spec}"


def field_of(late: bool, keys: Iterable[object]) -> str:
    return SEPARATOR.join([LATE if late else PUNCTUAL, *["" if key is None else str(key) for key in keys]])
