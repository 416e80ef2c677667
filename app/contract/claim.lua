-- Claims a due run for one supervisor, which then enqueues it. An overdue lease is revoked in the same call, and the
-- log says so; should the job get lost, the run is due again after the pause.
--
-- KEYS  1 log   2 lease   3 due   4 unshipped
-- ARGV  1 run id   2 pause in ms   3 the epoch that `recovered` speaks of   4 the run.recovered event as JSON
--       5 bell channel
--
-- Gives the time (ms) the run was due, or false when it is not this supervisor's to enqueue.
local log, lease, due, unshipped = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local function number(text) return string.format('%.0f', text) end

local score = redis.call('ZSCORE', due, ARGV[1])
if not score or tonumber(score) > now then return false end
local held = redis.call('HMGET', lease, 'state', 'deadline', 'epoch', 'last')

if held[1] == 'ended' or held[1] == 'parked' then
  redis.call('ZREM', due, ARGV[1])
  return false
end
if held[1] == 'held' then
  if tonumber(held[2]) > now then
    redis.call('ZADD', due, held[2], ARGV[1])
    return false
  end
  if held[3] ~= ARGV[3] then return false end
  local id = '*'
  if held[4] and redis.call('EXISTS', log) == 0 then
    local ms, seq = string.match(held[4], '^(%d+)-(%d+)$')
    if now <= tonumber(ms) then id = ms .. '-' .. number(tonumber(seq) + 1) end
  end
  id = redis.call('XADD', log, id, 'e', ARGV[4])
  redis.call('HSET', lease, 'state', 'queued', 'last', id)
  redis.call('HDEL', lease, 'holder', 'deadline')
  redis.call('ZADD', unshipped, 'NX', number(now), ARGV[1])
  redis.call('PUBLISH', ARGV[5], id)
end
redis.call('ZADD', due, number(now + tonumber(ARGV[2])), ARGV[1])
return number(score)
