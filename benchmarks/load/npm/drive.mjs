// Drives a server by a plan: `node drive.mjs PLAN RECORDS`, both JSON.
//
// loadtest keeps the time: it sends request n at `start + n / rate`, whether earlier ones were answered or not (open
// loop), and takes as many connections as that needs. Here is what it sends, whether the answers are right, and what
// is noted of each request: when it should have been sent, when it was, and when its answer was there. A plan says
// what is sent by weights; an operation that needs the result of another (a confirmation needs a hold) takes the
// oldest one there is, and where there is none, that other operation is sent instead.

import { Agent } from 'node:http'
import { readFileSync, writeFileSync } from 'node:fs'
import { loadTest } from 'loadtest'

const plan = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const PATIENCE_MS = 30_000
const HOT = 5 // offices that are asked for each reason before the time runs, as a busy day would have done
const MOST_KEPT = 5_000 // offered starts that are remembered
const MOST_PARSED = 200
const JUST_BELOW_SERVERS_MS = 4_000 // uvicorn closes connections that were idle for five seconds

// ---- chance: seeded, so that a plan sends the same requests (mulberry32)

let state = plan.seed >>> 0
function random() {
	state = (state + 0x6d2b79f5) >>> 0
	let t = Math.imul(state ^ (state >>> 15), 1 | state)
	t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
	return ((t ^ (t >>> 14)) >>> 0) / 4294967296
}
const any = list => list[Math.floor(random() * list.length)]

// ---- what may be sent

const offered = [] // {office, reason, start}
const holds = [] // tokens
const booked = [] // {reference, accessCode}
let usagers = 0

const dates = () => ({ from: plan.from, to: plan.to })
const keys = ({ reference, accessCode }) => ({ reference, accessCode })

function takeOffered() {
	const at = Math.floor(random() * offered.length)
	const found = offered[at]
	offered[at] = offered[offered.length - 1]
	offered.pop()
	return found
}

// Of each operation: what it needs first, its variables, the type that is a success (of a union) and what is learned.
const OPERATIONS = {
	search_slots: {
		variables: () => ({ input: { officeId: any(plan.offices).id, reasonId: any(plan.reasons), ...dates() } }),
		learn(found, { input }) {
			const days = found.slots.days
			if (!days.length || offered.length >= MOST_KEPT) return
			for (let i = 0; i < 2; i++) offered.push({ office: input.officeId, reason: input.reasonId, start: any(any(days).starts) })
		},
	},
	hold_slot: {
		first: () => (offered.length ? null : 'search_slots'),
		variables() {
			const { office, reason, start } = takeOffered()
			return { input: { officeId: office, reasonId: reason, start } }
		},
		success: 'Hold',
		learn: found => holds.push(found.holdSlot.token),
	},
	confirm_appointment: {
		first: () => (holds.length ? null : 'hold_slot'),
		variables: () => ({
			input: {
				holdToken: holds.shift(),
				usager: { firstName: 'Camille', lastName: 'Exemple', email: `charge-${plan.run}-${usagers++}@example.org` },
			},
		}),
		success: 'AppointmentConfirmed',
		learn(found) {
			const { accessCode, appointment } = found.confirmAppointment
			booked.push({ reference: appointment.reference, accessCode })
		},
	},
	appointment: {
		first: () => (booked.length ? null : 'confirm_appointment'),
		variables: () => keys(any(booked)),
	},
	cancel_appointment: {
		first: () => (booked.length ? null : 'confirm_appointment'),
		variables: () => ({ input: keys(booked.shift()) }),
		success: 'AppointmentCancelled',
	},
	earliest_slots: {
		variables: () => ({ input: { reasonId: any(plan.reasons), departement: any(plan.offices).departement } }),
	},
	office: { variables: () => ({ code: any(plan.offices).code }) },
	office_hours: { variables: () => ({ officeId: any(plan.offices).id, ...dates() }) },
	reasons: { variables: () => ({ search: plan.words }) },
	orientation: {
		variables: () => ({ input: { reasonId: any(plan.reasons), communeCode: any(plan.offices).commune } }),
	},
}
const NAMES = Object.keys(OPERATIONS)

function drawn() {
	let left = random() * Object.values(plan.weights).reduce((sum, weight) => sum + weight, 0)
	for (const [name, weight] of Object.entries(plan.weights)) if ((left -= weight) < 0) return name
	return Object.keys(plan.weights)[0]
}

function next(name) {
	for (let before = OPERATIONS[name].first?.(); before; before = OPERATIONS[name].first?.()) name = before
	const variables = OPERATIONS[name].variables()
	return { name, variables, body: JSON.stringify({ query: plan.documents[name], variables }) }
}

// ---- is the answer right?

// Answers that came before are not parsed again: it would take the processor from the servers that are to be measured.
const parsed = new Map()

function answered(body) {
	let answer = parsed.get(body)
	if (answer === undefined) {
		answer = JSON.parse(body)
		if (parsed.size >= MOST_PARSED) parsed.delete(parsed.keys().next().value)
		parsed.set(body, answer)
	}
	return answer
}

function verdict({ name, variables }, status, body) {
	if (status !== 200) return `error: HTTP ${status}`
	let answer
	try {
		answer = answered(body)
	} catch {
		return 'error: no JSON'
	}
	if (answer.errors) return `error: ${answer.errors[0].extensions?.code ?? answer.errors[0].message}`
	const [value] = Object.values(answer.data)
	if (value === null) return 'error: null'
	const { success, learn } = OPERATIONS[name]
	if (success && value.__typename !== success) return `refused: ${value.__typename}`
	learn?.(answer.data, variables)
	return 'ok'
}

// ---- before the time runs: warm offices, and what the operations need

const agents = plan.urls.map(
	() => new Agent({ keepAlive: true, maxSockets: Infinity, scheduling: 'lifo', timeout: JUST_BELOW_SERVERS_MS }),
)
const targets = plan.urls.map(url => new URL(url))

async function ask(url, request) {
	const headers = { 'content-type': 'application/json' }
	const answer = await fetch(url, { method: 'POST', headers, body: request.body })
	return verdict(request, answer.status, await answer.text())
}

async function prepare() {
	for (const url of plan.urls)
		for (const [place, { id }] of plan.offices.slice(0, plan.warm).entries())
			for (const reason of place < HOT ? plan.reasons : [any(plan.reasons)]) {
				const variables = { input: { officeId: id, reasonId: reason, ...dates() } }
				await ask(url, { name: 'search_slots', variables, body: JSON.stringify({ query: plan.documents.search_slots, variables }) })
			}
	for (const [name, times] of Object.entries(plan.prepare))
		for (let n = 0; n < times; n++) await ask(plan.urls[n % plan.urls.length], next(name))
}

async function statements() {
	if (!plan.statements) return null
	let sum = 0
	for (const target of targets) {
		const page = await (await fetch(new URL('/metrics', target))).text()
		sum += Number(page.match(/^rdv_statements_total (\S+)$/m)[1])
	}
	return sum
}

function processorTicks() {
	let sum = 0
	for (const process of plan.processes) {
		const fields = readFileSync(`/proc/${process}/stat`, 'latin1').replace(/^.*\)/s, '').trim().split(' ')
		sum += Number(fields[11]) + Number(fields[12])
	}
	return sum
}

function machineTicks() {
	const [, user, nice, system, , , irq, softirq, steal] = readFileSync('/proc/stat', 'latin1').split('\n')[0].split(/\s+/)
	return [user, nice, system, irq, softirq, steal].reduce((sum, one) => sum + Number(one), 0)
}

// What has been used so far, read right before the first request that counts and right after the last answer.
function used() {
	const { user, system } = process.cpuUsage()
	return { ticks: processorTicks(), machine: machineTicks(), own: (user + system) / 1e6, at: performance.now() }
}

// ---- the run

const records = { operation: [], intended: [], sent: [], done: [], verdict: [] }
const verdicts = []
let began = null
let finished = 0

function note(at, done, said) {
	if (records.done[at] !== null) return
	finished++
	requests[at] = null
	if (!verdicts.includes(said)) verdicts.push(said)
	records.done[at] = done - began
	records.verdict[at] = verdicts.indexOf(said)
}

function write(stopped, sentStatements) {
	const after = used()
	for (let at = 0; at < records.done.length; at++) note(at, performance.now(), 'error: unanswered')
	const told = { operations: NAMES, verdicts, records, stopped, statements: sentStatements }
	told.used = Object.fromEntries(['ticks', 'machine', 'own', 'at'].map(name => [name, after[name] - before[name]]))
	writeFileSync(process.argv[3], JSON.stringify(told))
}

const leadIn = Math.round(plan.rate * plan.lead_in)
let before = used()
const requests = []
function generator() {
	return (_, params, request, callback) => {
		const sent = performance.now()
		began ??= sent
		const at = requests.push(next(drawn())) - 1
		if (at === leadIn) before = used()
		const one = requests[at]
		records.operation.push(NAMES.indexOf(one.name))
		records.intended.push((at * 1000) / plan.rate)
		records.sent.push(sent - began)
		records.done.push(null)
		records.verdict.push(null)
		if (at - finished > plan.most_waiting) {
			write(true, null)
			process.exit(0)
		}
		const target = at % targets.length
		params.hostname = targets[target].hostname
		params.port = targets[target].port
		params.path = targets[target].pathname
		params.agent = agents[target]
		params.headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(one.body) }
		const sending = request(params, callback)
		sending.labels = String(at) // loadtest hands it back with the answer, but not what is falsy
		sending.on('error', error => note(at, performance.now(), `error: ${error.code ?? error.message}`))
		sending.on('timeout', () => note(at, performance.now(), 'error: timeout'))
		sending.write(one.body)
		return sending
	}
}

await prepare()
const earlier = await statements()
before = used()
await loadTest({
	url: plan.urls[0],
	method: 'POST',
	requestsPerSecond: plan.rate,
	maxRequests: leadIn + Math.max(1, Math.round(plan.rate * plan.seconds)),
	timeout: PATIENCE_MS,
	quiet: true,
	requestGenerator: generator(),
	statusCallback(_, result) {
		if (!result) return
		const done = performance.now()
		const at = Number(result.labels)
		if (requests[at]) note(at, done, verdict(requests[at], result.statusCode, result.body))
	},
})
write(false, earlier === null ? null : (await statements()) - earlier)
process.exit(0)
