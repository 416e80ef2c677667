-- Makes a run due that SQL knows as neither ended nor waiting, and that Redis has lost or never got.
--
-- KEYS  1 lease   2 due
-- ARGV  1 run id   2 workflow   3 version
--
-- Gives 1 when the run was restored, 0 when Redis knows it.
local lease, due = KEYS[1], KEYS[2]
if redis.call('HEXISTS', lease, 'state') == 1 then return 0 end
local clock = redis.call('TIME')
redis.call('HSET', lease, 'state', 'queued', 'workflow', ARGV[2], 'version', ARGV[3])
redis.call('ZADD', due, string.format('%.0f', clock[1] * 1000 + math.floor(clock[2] / 1000)), ARGV[1])
return 1
