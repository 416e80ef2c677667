-- Takes a run for a new epoch.
--
-- KEYS  1 lease   2 due   3 log
-- ARGV  1 run id   2 epoch, minted in SQL   3 holder   4 lease length in ms   5 workflow   6 version
--       7 the state to assume when Redis has lost the lease: "queued", "parked" or "ended"
--       8 the last archived cursor, or ""
--       9 who has reserved the run, or "" when nobody did
--
-- Returns {"ok", newest command or ""} or {"refused", reason}.
local lease, due, log, shipped = KEYS[1], KEYS[2], KEYS[3], ARGV[8]
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local held = redis.call('HMGET', lease, 'epoch', 'state', 'deadline', 'command', 'reserver', 'last')

if held[1] and tonumber(held[1]) >= tonumber(ARGV[2]) then return {'refused', 'stale'} end
-- The reservation is gone when Redis was lost after it. The epoch must then be minted anew: a shipper that had read the
-- lost log before may still archive it as long as no epoch is newer than the one that it saw.
if ARGV[9] ~= '' and held[5] ~= ARGV[9] then return {'refused', 'reservation'} end
local state = held[2] or ARGV[7]
if state == 'ended' or state == 'parked' then return {'refused', state} end
if held[2] == 'held' and tonumber(held[3]) > now then return {'refused', 'held'} end

-- A Redis that came back without its last moments may lack what was archived. From there on the archive counts.
if shipped ~= '' and redis.call('EXISTS', log) == 1 and #redis.call('XRANGE', log, shipped, shipped) == 0 then
  if #redis.call('XRANGE', log, '-', shipped, 'COUNT', 1) > 0 then
    redis.call('XTRIM', log, 'MINID', shipped)
    if redis.call('XLEN', log) == 0 then redis.call('DEL', log) end
  end
end

local deadline = number(now + tonumber(ARGV[4]))
redis.call('HSET', lease, 'epoch', ARGV[2], 'holder', ARGV[3], 'state', 'held', 'deadline', deadline,
  'seq', '0', 'workflow', ARGV[5], 'version', ARGV[6])
redis.call('HDEL', lease, 'reply', 'reserved', 'reserver')
if shipped ~= '' and not (held[6] and is_after(held[6], shipped)) then redis.call('HSET', lease, 'last', shipped) end
redis.call('ZADD', due, deadline, ARGV[1])
return {'ok', held[4] or ''}
