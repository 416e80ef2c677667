-- Free a place, and count the tokens that the call took.
-- KEYS: calls, tokens, held   ARGV: id, tokens used ('': unknown, the reserved number stays)
redis.call('ZREM', KEYS[3], ARGV[1])
if ARGV[2] ~= '' and redis.call('HEXISTS', KEYS[2], ARGV[1]) == 1 then
  redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
end
return 0
