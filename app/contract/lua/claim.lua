-- Claims a due run for one scheduler, which then enqueues it. An overdue lease is revoked in the same call, with an
-- event in the log; should the job get lost, the run is due again after the pause.
--
-- KEYS  1 log   2 lease   3 due   4 unshipped
-- ARGV  1 run id   2 pause in ms   3 the epoch that `recovered` speaks of   4 the run.recovered event as JSON
--       5 notification channel
--       6 the state that SQL knows: "queued", "parked" or "ended"   7 the last archived cursor (where a lease ran out)
--
-- Returns the time (ms) the run was due, or false when it is not this scheduler's to enqueue.
local log, lease, due, unshipped = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

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
  local last, shipped = held[4], ARGV[7]
  if shipped ~= '' and (not last or is_after(shipped, last)) then
    -- Redis came back without its last moments: what it has is in SQL, and SQL has more.
    last = shipped
    redis.call('DEL', log)
    if ARGV[6] == 'ended' or ARGV[6] == 'parked' then
      redis.call('HSET', lease, 'state', ARGV[6], 'last', last)
      redis.call('HDEL', lease, 'holder', 'deadline')
      redis.call('ZREM', due, ARGV[1])
      return false
    end
  end
  local id = '*'
  if last and redis.call('EXISTS', log) == 0 then
    local ms, seq = split(last)
    if now <= ms then id = number(ms) .. '-' .. number(seq + 1) end
  end
  id = redis.call('XADD', log, id, 'e', ARGV[4])
  redis.call('HSET', lease, 'state', 'queued', 'last', id)
  redis.call('HDEL', lease, 'holder', 'deadline')
  redis.call('ZADD', unshipped, 'NX', number(now), ARGV[1])
  redis.call('PUBLISH', ARGV[5], id)
end
redis.call('ZADD', due, number(now + tonumber(ARGV[2])), ARGV[1])
return number(score)
