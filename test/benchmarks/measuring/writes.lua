-- Load that writes, for wrk: one thread is one caller with one connection, and no request is like another.
--
-- In the environment: BENCH_FOLDER with the files target.0, header.0, body.0 and so on, one for each caller (path, credentials,
-- body), BENCH_FIRST and BENCH_EACH. `@N@` in path and body becomes the next number of the caller, as %d, @X@ as 12
-- hexadecimal digits; the numbers of caller p begin with BENCH_FIRST + p * BENCH_EACH.

local callers = 0

function setup(thread)
    thread:set("place", callers)
    callers = callers + 1
end

local function read(name)
    local file = assert(io.open(os.getenv("BENCH_FOLDER") .. "/" .. name .. "." .. place, "rb"))
    local text = file:read("*a")
    file:close()
    return text
end

function init()
    target, body, number = read("target"), read("body"), os.getenv("BENCH_FIRST") + place * os.getenv("BENCH_EACH")
    local name, value = read("header"):match("^(.-): (.*)$")
    headers = { ["Content-Type"] = "application/json", [name] = value }
end

function request()
    number = number + 1
    local texts = { N = string.format("%d", number), X = string.format("%012x", number) }
    return wrk.format("POST", (target:gsub("@(%u)@", texts)), headers, (body:gsub("@(%u)@", texts)))
end
