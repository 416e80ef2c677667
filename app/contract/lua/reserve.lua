-- Reserves a run for a worker that is about to mint an epoch and take it, or keeps it reserved while the minting lasts.
--
-- KEYS  1 lease
-- ARGV  1 how long in ms   2 the worker's name for itself, by which `take` recognises its own reservation
--       3 "again" when the worker has reserved the run already, else ""
--
-- Returns 1, or 0 when the run cannot be taken, or another worker is about to take it.
local lease = KEYS[1]
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local held = redis.call('HMGET', lease, 'state', 'deadline', 'reserved', 'reserver')
if held[1] == 'ended' or held[1] == 'parked' then return 0 end
if held[1] == 'held' and tonumber(held[2]) > now then return 0 end
if ARGV[3] == 'again' then
  if held[4] ~= ARGV[2] then return 0 end
elseif held[3] and tonumber(held[3]) > now then
  return 0
end
redis.call('HSET', lease, 'reserved', number(now + tonumber(ARGV[1])), 'reserver', ARGV[2])
return 1
