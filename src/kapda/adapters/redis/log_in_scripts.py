"""The scripts of the log-in counters: `judge` of the domain, in the place where nobody comes in between.

The contract suite of LogInCounters holds both to the same cases.
"""

_CLOCK = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local mark = 'run ' .. string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
"""

# KEYS: the set. ARGV: memory, how long an attempt may be under way, a moment; limit, window and time shut of a network's
# gate, the same of the identifier's; attempt, network, whether it is known; 'ask', or 'fill' with age and member of
# each row. Answers a gate and the milliseconds to wait, or 'missing'.
BEGIN = (
    _CLOCK
    + """
local memory, under_way_for, moment = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local id, network, known = ARGV[10], ARGV[11], ARGV[12] == '1'

if not redis.call('ZSCORE', KEYS[1], mark) then
  -- Another run's set, or the trace of an attempt that ended after the rows were read.
  if redis.call('DEL', KEYS[1]) == 1 or ARGV[13] == 'ask' then return {'missing', 0} end
  redis.call('ZADD', KEYS[1], '+inf', mark)
  for i = 14, #ARGV, 2 do redis.call('ZADD', KEYS[1], now - ARGV[i], ARGV[i + 1]) end
end
redis.call('PEXPIRE', KEYS[1], memory)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - memory)

-- Asked a second time, because the first answer was lost: it is no other attempt.
redis.call('ZREM', KEYS[1], 'u ' .. id .. ' ' .. network)
-- Times of failures, and of all attempts, the oldest first: of this network, and of any.
local found = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(+inf', 'WITHSCORES')
local own, any = {failed = {}, all = {}}, {failed = {}, all = {}}
for i = 1, #found, 2 do
  local state, of = string.match(found[i], '^(%a) %S+ (.*)$')
  local at = tonumber(found[i + 1])
  for _, list in ipairs(of == network and {own, any} or {any}) do
    table.insert(list.all, at)
    if state == 'f' or now - at >= under_way_for then table.insert(list.failed, at) end
  end
end

local function left(list, limit, window, shut_for)
  for i = #list.failed, limit, -1 do
    local last = list.failed[i]
    if now - last >= shut_for then return nil end
    if last - list.failed[i - limit + 1] <= window then return shut_for - (now - last) end
  end
end
local function crowded(list, limit, window)
  local recent = 0
  for _, at in ipairs(list.all) do if now - at < window then recent = recent + 1 end end
  return recent >= limit
end
local limit, window, shut_for = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local wait = left(own, limit, window, shut_for)
if wait then return {'locked', wait} end
if crowded(own, limit, window) then return {'locked', moment} end
if not known then
  limit, window, shut_for = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
  wait = left(any, limit, window, shut_for)
  if wait then return {'link_needed', wait} end
  if crowded(any, limit, window) then return {'locked', moment} end
end
redis.call('ZADD', KEYS[1], now, 'u ' .. id .. ' ' .. network)
return {'open', 0}
"""
)

# KEYS: the set. ARGV: how long a trace stays.
FORGET = """
redis.call('DEL', KEYS[1])
redis.call('ZADD', KEYS[1], 0, 'trace')
redis.call('PEXPIRE', KEYS[1], ARGV[1])
"""

# KEYS: the set. ARGV: how long a trace stays; 'f' for failed, 's' for succeeded, 'w' for withdrawn; attempt, network.
SETTLE = (
    _CLOCK
    + """
if not redis.call('ZSCORE', KEYS[1], mark) then
  redis.call('DEL', KEYS[1])
  redis.call('ZADD', KEYS[1], now, 'trace')
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
  return
end
local tail = ' ' .. ARGV[3] .. ' ' .. ARGV[4]
local at = redis.call('ZSCORE', KEYS[1], 'u' .. tail) or now
redis.call('ZREM', KEYS[1], 'u' .. tail)
if ARGV[2] == 'f' then
  redis.call('ZADD', KEYS[1], at, 'f' .. tail)
elseif ARGV[2] == 's' then
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', at)) do
    if string.match(member, '^%a %S+ (.*)$') == ARGV[4] then redis.call('ZREM', KEYS[1], member) end
  end
end
"""
)
