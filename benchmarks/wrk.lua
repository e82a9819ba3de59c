-- wrk's script: the same POST again and again (its body is the first argument), and what became of it as JSON.

function init(args)
	wrk.method = "POST"
	wrk.headers["content-type"] = "application/json"
	wrk.body = args[1]
end

function done(summary)
	local e = summary.errors
	local errors = e.connect + e.read + e.write + e.status + e.timeout
	local told = '{"requests": %d, "seconds": %f, "bytes": %d, "errors": %d}'
	io.stderr:write(string.format(told, summary.requests, summary.duration / 1e6, summary.bytes, errors))
end
