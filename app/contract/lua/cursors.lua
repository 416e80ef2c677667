-- Times and cursors for the functions of this folder: Redis gets this text before the text of each of them.

local function number(text) return string.format('%.0f', text) end

local function split(id)
  local ms, seq = string.match(id, '^(%d+)-(%d+)$')
  return tonumber(ms), tonumber(seq)
end

local function is_after(a, b)
  local a_ms, a_seq = split(a)
  local b_ms, b_seq = split(b)
  return a_ms > b_ms or (a_ms == b_ms and a_seq > b_seq)
end
