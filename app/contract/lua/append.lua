-- Appends to one run's log: all of the events, or none. Every write to a log goes through here or through claim.lua.
--
-- KEYS  1 log   2 lease   3 due   4 unshipped
-- ARGV  1 run id
--       2 kind: "facts", "submission", "command.cancel", "command.retry", "command.answer"
--       3 epoch (facts)
--       4 token: the sequence number of this append in its epoch (facts), or the client's id (commands)
--       5 floor: the last archived cursor that the caller knows of, which the log's next entry must be above. A
--         submission's own id: its event is already archived under it
--       6 lease length in ms (facts)
--       7 release: "", "ended", "parked" or "queued" (facts): drops the lease in the same call
--       8 the newest command that the caller has handled (facts that release)
--       9 the state to assume when Redis has lost the lease or the log's end: "queued", "parked" or "ended" (commands)
--      10 notification channel
--      11 workflow   12 version (submission, and commands when Redis has lost the lease)
--      13… the events, as JSON
--
-- Returns {"ok", id…} or {"refused", reason, detail}.
local log, lease, due, unshipped = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local run, kind, epoch, token, floor = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local release, handled, channel = ARGV[7], ARGV[8], ARGV[10]
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local held = redis.call('HMGET', lease, 'epoch', 'state', 'seq', 'reply', 'command', 'last')

local facts = kind == 'facts'
if facts then
  if held[1] ~= epoch or held[2] == 'queued' or held[2] == 'parked' then
    -- The answer to a release may be lost too: its repeat still returns the ids of the first time.
    if held[1] == epoch and held[3] == token and held[4] then return cjson.decode(held[4]) end
    return {'refused', 'stale', held[1] or ''}
  end
  -- A Redis that came back without archived entries may lack the append that is repeated now, and SQL may have it.
  if floor ~= '' and held[6] and is_after(floor, held[6]) then return {'refused', 'stale', epoch} end
  if held[3] == token then return cjson.decode(held[4]) end
  -- Smaller: a packet that was delayed until its repeat, and the appends after it, had been taken. Larger: Redis came
  -- back without its last moments, and lacks appends that this worker takes for written.
  if tonumber(token) ~= tonumber(held[3]) + 1 then return {'refused', 'stale', epoch} end
  if held[2] == 'ended' then return {'refused', 'ended', ''} end
  if release ~= '' and held[5] and is_after(held[5], handled) then return {'refused', 'command', held[5]} end
else
  local before = redis.call('HGET', lease, 'client:' .. token)
  if before then return {'ok', before} end
  if kind ~= 'submission' then
    -- A Redis that came back without its last moments may lack what is archived: then SQL knows better.
    local older = held[6] and floor ~= '' and is_after(floor, held[6])
    local state = held[2] or ARGV[9]
    if older then state = ARGV[9] end
    if state == 'ended' and kind ~= 'command.retry' then return {'refused', 'ended', ''} end
    if older then redis.call('DEL', log) end
    held[2] = state
  elseif held[2] then
    return {'ok', floor}
  end
end

-- The id of the first entry of a new stream: above all that came before, also if the clock went back.
local function first_id()
  if kind == 'submission' then return floor end
  local before = floor
  if held[6] and (before == '' or is_after(held[6], before)) then before = held[6] end
  if before == '' then return '*' end
  local ms, seq = split(before)
  if now > ms then return number(now) .. '-0' end
  return number(ms) .. '-' .. number(seq + 1)
end

local reply = {'ok'}
for i = 13, #ARGV do
  local id = '*'
  if i == 13 and redis.call('EXISTS', log) == 0 then id = first_id() end
  reply[#reply + 1] = redis.call('XADD', log, id, 'e', ARGV[i])
end
-- A release may bring no event: its end stands in the log already.
local appended = #reply > 1
if appended then
  redis.call('PERSIST', log)
  redis.call('HSET', lease, 'last', reply[#reply])
end

if facts then
  local state = 'held'
  if release ~= '' then state = release end
  redis.call('HSET', lease, 'seq', token, 'reply', cjson.encode(reply), 'state', state)
  if release == '' then
    local deadline = number(now + tonumber(ARGV[6]))
    redis.call('HSET', lease, 'deadline', deadline)
    redis.call('ZADD', due, deadline, run)
  else
    redis.call('HDEL', lease, 'holder', 'deadline')
    if release == 'queued' then redis.call('ZADD', due, number(now), run) else redis.call('ZREM', due, run) end
  end
else
  redis.call('HSET', lease, 'client:' .. token, reply[2])
  if kind ~= 'submission' then redis.call('HSET', lease, 'command', reply[2]) end
  if held[2] ~= 'held' then
    redis.call('HSET', lease, 'state', 'queued')
    redis.call('HSETNX', lease, 'workflow', ARGV[11])
    redis.call('HSETNX', lease, 'version', ARGV[12])
    redis.call('ZADD', due, number(now), run)
  end
end
if appended then
  redis.call('ZADD', unshipped, 'NX', number(now), run)
  redis.call('PUBLISH', channel, reply[#reply])
end
return reply
