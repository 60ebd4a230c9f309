-- One request budget: a sliding log of grants on the server's clock, with priorities, a pause and a breaker.
--
-- KEYS[1]  list of grant times in microseconds, newest first
-- KEYS[2]  hash: born (start of what the log knows), run (server run id), last (newest grant), hold (paused until),
--          blocked (reason), blocked_until, want0..want9 (a waiter of that priority is expected until then)
-- ARGV[1]  grants allowed in one window      ARGV[2]  window, microseconds     ARGV[3]  least gap between grants
-- ARGV[4]  priority, 0 is the most urgent    ARGV[5]  seconds until idle keys expire
-- ARGV[6]  microseconds a waiter may come late and still keep its turn
-- ARGV[7]  the present in microseconds, '' for the server's clock (tests drive it)
--
-- Returns  {0, grant time}          granted
--          {1, microseconds}        refused, ask again after so long
--          {2, reason, until}       the breaker is open
local allowed, window, gap = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local priority, idle, grace = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local now = tonumber(ARGV[7])
if not now then
  local time = redis.call('TIME')
  now = tonumber(time[1]) * 1000000 + tonumber(time[2])
end

local function text(number) return string.format('%.0f', number) end
local function field(name) return tonumber(redis.call('HGET', KEYS[2], name) or '0') end
local function keep()
  local left = math.max(idle, math.ceil((field('blocked_until') - now) / 1000000), math.ceil((field('hold') - now) / 1000000))
  redis.call('EXPIRE', KEYS[1], left)
  redis.call('EXPIRE', KEYS[2], left)
end

local blocked_until = field('blocked_until')
if blocked_until > now then
  return {2, redis.call('HGET', KEYS[2], 'blocked') or '', text(blocked_until)}
end

-- A server that was restarted or replaced may have lost the newest grants: its run id tells.
-- Where INFO is forbidden only a complete loss is seen.
local info = redis.pcall('INFO', 'server')
local run = type(info) == 'string' and string.match(info, 'run_id:(%w+)') or ''
local newest = tonumber(redis.call('LINDEX', KEYS[1], 0) or '0')
local born = redis.call('HGET', KEYS[2], 'born')
local whole = born and redis.call('HGET', KEYS[2], 'run') == run and field('last') == newest
if not whole or newest > now or tonumber(born) > now then
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[2], 'born', text(now), 'run', run, 'last', '0')
  born, newest = text(now), 0
end

local function opens_at()
  local at = math.max(field('hold'), newest + gap)
  if newest == 0 then at = math.max(at, tonumber(born) + window) end
  local oldest = redis.call('LINDEX', KEYS[1], allowed - 1)
  if oldest then at = math.max(at, tonumber(oldest) + window) end
  return at
end

-- While a more urgent waiter is expected, the slot is his.
local urgent_until = 0
for other = 0, priority - 1 do
  urgent_until = math.max(urgent_until, field('want' .. other))
end

local slot = opens_at()
if slot <= now and urgent_until <= now then
  redis.call('LPUSH', KEYS[1], text(now))
  redis.call('LTRIM', KEYS[1], 0, math.max(allowed, 64) - 1)
  redis.call('HSET', KEYS[2], 'last', text(now))
  redis.call('HDEL', KEYS[2], 'want' .. priority)
  keep()
  return {0, text(now)}
end

local wait = math.max(slot - now, 1000)
redis.call('HSET', KEYS[2], 'want' .. priority, text(now + wait + grace))
if urgent_until > now then
  -- Not until the end of his turn: he may be served much earlier.
  wait = math.max(wait, math.min(urgent_until - now, gap))
end
keep()
return {1, text(wait)}
