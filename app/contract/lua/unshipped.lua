-- Claims runs whose logs have events that SQL lacks, so that other shippers leave them alone for a moment.
--
-- KEYS  1 unshipped
-- ARGV  1 how many at the most   2 pause in ms
--
-- Returns the run ids.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', number(now), 'LIMIT', 0, ARGV[1])
for _, id in ipairs(ids) do
  redis.call('ZADD', KEYS[1], number(now + tonumber(ARGV[2])), id)
end
return ids
