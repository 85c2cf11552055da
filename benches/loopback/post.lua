-- Sends one delivery over and over. Without a `request` function, wrk builds its bytes once and runs no Lua for each request.
wrk.method = "POST"
wrk.body = string.rep("x", tonumber(os.getenv("BODY_BYTES")))
wrk.headers["Content-Type"] = "application/json"
wrk.headers["X-Hub-Signature-256"] = os.getenv("SIGNATURE") -- unset: the header is missing
wrk.headers["Connection"] = os.getenv("CONNECTION")

function done(summary)
   local errors = summary.errors
   local line = '{"requests":%d,"microseconds":%d,"refused":%d,"socket_errors":%d,"timeouts":%d}\n'
   io.write(string.format(line, summary.requests, summary.duration, errors.status,
      errors.connect + errors.read + errors.write, errors.timeout))
end
