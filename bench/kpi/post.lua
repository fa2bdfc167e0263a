-- Each request enters one value at an instant that no other request names, into one of the demo's KPIs in money after the other.
local kpis = { "kpi-001", "kpi-002" }
for market = 0, 9 do
  table.insert(kpis, string.format("kpi-%03d", 6 + 5 * market))
  table.insert(kpis, string.format("kpi-%03d", 7 + 5 * market))
end
local sent = 0
local start = tonumber(os.getenv("BENCH_START") or "0")
wrk.method = "POST"
wrk.headers["Authorization"] = os.getenv("BENCH_AUTH")
wrk.headers["Content-Type"] = "application/json"
function request()
  sent = sent + 1
  local us = start + sent
  local path = "/api/kpis/" .. kpis[1 + sent % #kpis] .. "/values"
  return wrk.format(nil, path, nil, string.format('{"value":%d.25,"at":"2016-01-%02dT%02d:%02d:%02d.%06dZ"}', sent % 1000,
    1 + math.floor(us / 86400000000) % 28, math.floor(us / 3600000000) % 24, math.floor(us / 60000000) % 60, math.floor(us / 1000000) % 60,
    us % 1000000))
end
