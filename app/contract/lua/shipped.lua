-- Records that a run's log is in SQL up to a cursor. Later entries are to be shipped at once; a sealed log may expire.
--
-- KEYS  1 log   2 unshipped   3 lease
-- ARGV  1 run id   2 the last shipped cursor   3 how long to keep a sealed log in ms, or "" when it goes on
--
-- Returns 1 when all is shipped, 0 when there is more.
local log, unshipped, lease = KEYS[1], KEYS[2], KEYS[3]
local last = redis.call('XREVRANGE', log, '+', '-', 'COUNT', 1)
if last[1] and last[1][1] ~= ARGV[2] then
  redis.call('ZADD', unshipped, 0, ARGV[1])
  return 0
end
redis.call('ZREM', unshipped, ARGV[1])
if ARGV[3] ~= '' then
  redis.call('PEXPIRE', log, ARGV[3])
  -- The lease outlives the log. A repeat of the last append, whose answer was lost, is answered with its last entry only.
  if redis.call('HEXISTS', lease, 'reply') == 1 then
    redis.call('HSET', lease, 'reply', cjson.encode({'ok', ARGV[2]}))
  end
end
return 1
