-- Renew the lease of a place, if it is still held.   KEYS: calls, tokens, held   ARGV: id, milliseconds of a lease
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if redis.call('ZSCORE', KEYS[3], ARGV[1]) then
  redis.call('ZADD', KEYS[3], now + ARGV[2], ARGV[1])
  redis.call('PEXPIRE', KEYS[3], ARGV[2] * 2)
end
return 0
