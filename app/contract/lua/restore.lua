-- Makes a run due that is neither ended nor waiting in SQL, and that no worker would take: Redis has lost it or never
-- got it, has dropped the set of due runs, or came back without the end of the run's log.
--
-- KEYS  1 lease   2 due   3 log
-- ARGV  1 run id   2 workflow   3 version   4 the last archived cursor, or ""
--
-- Returns 1 when the run was restored, 0 when that is not needed.
local lease, due, log, shipped = KEYS[1], KEYS[2], KEYS[3], ARGV[4]
local clock = redis.call('TIME')
local now = number(clock[1] * 1000 + math.floor(clock[2] / 1000))
local held = redis.call('HMGET', lease, 'state', 'deadline', 'last')

if not held[1] then
  redis.call('HSET', lease, 'state', 'queued', 'workflow', ARGV[2], 'version', ARGV[3])
  if shipped ~= '' then redis.call('HSET', lease, 'last', shipped) end
elseif held[3] and shipped ~= '' and is_after(shipped, held[3]) then
  -- SQL has all that Redis has of the log, and more: a fact that its holder takes for written, or a command that no
  -- holder has seen. The next holder continues from there.
  redis.call('DEL', log)
  redis.call('HSET', lease, 'state', 'queued', 'last', shipped)
  redis.call('HDEL', lease, 'holder', 'deadline')
elseif held[1] == 'ended' or held[1] == 'parked' or redis.call('ZSCORE', due, ARGV[1]) then
  return 0
elseif held[1] == 'held' then
  now = held[2]
end
redis.call('ZADD', due, now, ARGV[1])
return 1
