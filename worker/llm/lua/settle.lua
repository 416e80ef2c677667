-- Give a place back, and count what the call really took.
-- KEYS: calls, tokens, held   ARGV: id, tokens used ('': unknown, what was reserved stands)
redis.call('ZREM', KEYS[3], ARGV[1])
if ARGV[2] ~= '' and redis.call('HEXISTS', KEYS[2], ARGV[1]) == 1 then
  redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
end
return 0
