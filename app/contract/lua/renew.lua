-- Renews a lease.
--
-- KEYS  1 lease   2 due
-- ARGV  1 run id   2 epoch   3 lease length in ms
--
-- Returns {"ok", newest command or ""} or {"refused", "stale"}.
local lease, due = KEYS[1], KEYS[2]
local held = redis.call('HMGET', lease, 'epoch', 'state', 'command')
if held[1] ~= ARGV[2] or held[2] ~= 'held' then return {'refused', 'stale'} end
local clock = redis.call('TIME')
local deadline = number(clock[1] * 1000 + math.floor(clock[2] / 1000) + tonumber(ARGV[3]))
redis.call('HSET', lease, 'deadline', deadline)
redis.call('ZADD', due, deadline, ARGV[1])
return {'ok', held[3] or ''}
