-- Let one call in: return 0, or in how many milliseconds to ask again.
-- KEYS: calls (id by start), tokens (tokens by id), held (id by end of lease)
-- ARGV: id, requests a minute, tokens a minute, calls at once, tokens wanted, milliseconds of a minute, of a lease
local calls, tokens, held = KEYS[1], KEYS[2], KEYS[3]
local id, rpm, tpm, most = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local wanted, minute, lease = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

for _, old in ipairs(redis.call('ZRANGEBYSCORE', calls, '-inf', now - minute)) do
  redis.call('ZREM', calls, old)
  redis.call('HDEL', tokens, old)
end
redis.call('ZREMRANGEBYSCORE', held, '-inf', now)

local wait = 0
if most > 0 and redis.call('ZCARD', held) >= most then
  wait = 100
end
local count = redis.call('ZCARD', calls)
if rpm > 0 and count >= rpm then
  local blocking = redis.call('ZRANGE', calls, count - rpm, count - rpm, 'WITHSCORES')
  wait = math.max(wait, blocking[2] + minute - now)
end
if tpm > 0 then
  wanted = math.min(wanted, tpm)
  local used = 0
  for _, amount in ipairs(redis.call('HVALS', tokens)) do
    used = used + tonumber(amount)
  end
  if used + wanted > tpm then
    local entries = redis.call('ZRANGE', calls, 0, -1, 'WITHSCORES')
    for i = 1, #entries, 2 do
      used = used - tonumber(redis.call('HGET', tokens, entries[i]) or 0)
      if used + wanted <= tpm then
        -- Calls that are settled lower make room earlier, so never sleep that long in one go.
        wait = math.max(wait, entries[i + 1] + minute - now)
        break
      end
    end
  end
end
if wait > 0 then
  return math.ceil(math.max(wait, 1))
end

redis.call('ZADD', calls, now, id)
redis.call('HSET', tokens, id, wanted)
redis.call('ZADD', held, now + lease, id)
redis.call('PEXPIRE', calls, minute * 2)
redis.call('PEXPIRE', tokens, minute * 2)
redis.call('PEXPIRE', held, lease * 2)
return 0
