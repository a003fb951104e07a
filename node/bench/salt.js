/**
 * `npm run bench -- salt`: salts served per second of server CPU, compared with Node's HTTPS server (TLS 1.3, P-256) that
 * answers as many bytes; the cost of each part by substitution; and the node under attack.
 * Client and servers are processes of their own. CPU time is measured, because other load on the machine does not change
 * it. Each figure is the median of interleaved rounds.
 */
import { generateKeyPairSync, sign } from 'node:crypto'
import { Agent, request as httpsRequest } from 'node:https'
import { loadCore } from '@geotrace/core-wasm'
import { systemRandom } from '../dist/index.js'
import { leafToSalts, saltsToCommitments, stateToLeaf } from '../dist/salt/secrets/ratchet.js'
import { overload } from './overload.js'
import { client, loopback, percentile, saltQuestion } from './salt-client.js'
import { startServer } from './servers.js'
import { underAttack } from './under-attack.js'

const ROUNDS = 5
const [REUSED, FRESH] = [400, 60]
const [CLIENTS, AT_ONCE] = [8, 2]
/** Without bounds for one address, because the benchmark measures the cost of a request. */
const limits = { workPerSecond: 1e9, workBurst: 1e9, newPerSecond: 1e6, newBurst: 1e6, perPrefix: 500 }

export async function rows({ progress }) {
  return [...(await costRows(progress)), ...(await attackRows(progress))]
}

async function costRows(progress) {
  const salt = await startServer('salt', { limits })
  const question = await saltQuestion(salt.where.manifest)
  const { answerBytes, salts } = question
  const canned = await startServer('canned', { answerBytes, limits })
  const https = await startServer('https', { answerBytes })
  const hosts = await Promise.all(Array.from({ length: CLIENTS }, (_, i) => client(loopback(103, i))))
  const cannedQuestion = { ...question, peer: { ...canned.where, key: Uint8Array.from(canned.where.key) } }
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS, rejectUnauthorized: false })
  const contenders = {
    'salt, open connection': [salt, REUSED, (i) => asking(hosts[i % CLIENTS], question)],
    'canned, open connection': [canned, REUSED, (i) => asking(hosts[i % CLIENTS], cannedQuestion)],
    'https, open connection': [https, REUSED, () => post(https.where.port, question.request, agent)],
    'salt, new connection': [salt, FRESH, () => visiting(question)],
    'canned, new connection': [canned, FRESH, () => visiting(cannedQuestion)],
    'https, new connection': [https, FRESH, () => visitingHttps(https.where.port, question.request)],
  }
  const cpuUs = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]))
  try {
    // The first round warms up.
    for (let round = 0; round <= ROUNDS; round++) {
      progress(`salt: round ${round} of ${ROUNDS} …`)
      for (const [name, [server, count, task]] of Object.entries(contenders)) {
        const before = (await server.usage()).cpuUs
        await inParallel(count, CLIENTS * AT_ONCE, task)
        if (round > 0) cpuUs[name].push(((await server.usage()).cpuUs - before) / count)
      }
    }
  } finally {
    agent.destroy()
    for (const host of hosts) await host.stop()
    for (const server of [salt, canned, https]) await server.stop()
  }
  const cost = (name) => percentile(cpuUs[name], 0.5)
  const rate = (us) => (salts * 1e6) / us
  const parts = await partCosts()
  return [
    ...['open', 'new'].map((kind) => ({
      name: `salts a second and core, ${kind} connection`,
      against: 'node:https, TLS 1.3, the same bytes',
      ratio: cost(`https, ${kind} connection`) / cost(`salt, ${kind} connection`),
      ours: rate(cost(`salt, ${kind} connection`)),
      theirs: rate(cost(`https, ${kind} connection`)),
    })),
    ...[
      ['stream: negotiation, frames, ciphers', cost('canned, open connection') - cost('https, open connection')],
      ['answer: salts, quota, signature', cost('salt, open connection') - cost('canned, open connection')],
      ['signature of the answer', parts.signature],
      ['hashing of the answer, three epochs', parts.hashing],
      ['handshake: Noise, yamux', cost('canned, new connection') - cost('canned, open connection')],
      ['handshake of TLS, for comparison', cost('https, new connection') - cost('https, open connection')],
    ].map(([what, us]) => ({ name: `  ${what} (µs CPU)`, against: 'by substitution', ours: us })),
  ]
}

/** The two parts of an answer that can be measured alone, in µs of CPU. */
async function partCosts() {
  const core = await loadCore()
  const { privateKey } = generateKeyPairSync('ed25519')
  const content = systemRandom(4_000)
  const state = systemRandom(32)
  const hashing = () => {
    for (let epoch = 0; epoch < 3; epoch++)
      saltsToCommitments(core, leafToSalts(core, stateToLeaf(core, state), epoch), epoch)
  }
  return { signature: cpuOf(() => sign(null, content, privateKey)), hashing: cpuOf(hashing) }
}

function cpuOf(task, times = 2_000) {
  for (let i = 0; i < times / 4; i++) task()
  const before = process.cpuUsage()
  for (let i = 0; i < times; i++) task()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / times
}

async function attackRows(progress) {
  const out = []
  for (const [kind, attackers, what] of [
    ['silent', 1_000, '1,000 silent sockets'],
    ['streams', 30, '30 peers flooding streams'],
  ]) {
    const { p50, answered } = await underAttack({ kind, attackers, sessions: 60, progress })
    out.push({
      name: `honest session under ${what}, p50 (ms)`,
      against: `without attack; ${(answered * 100).toFixed(0)} % answered`,
      ratio: p50.busy / p50.quiet,
      ours: p50.busy,
      theirs: p50.quiet,
    })
  }
  const { peak, flood } = await overload({ times: 10, seconds: 5, progress })
  out.push({
    name: 'answers a CPU second under ten times the peak load',
    against: `at peak load; BUSY p50 ${Math.round(flood.busy.p50 ?? 0)} ms`,
    ratio: flood.perCpuSecond / peak.perCpuSecond,
    ours: flood.perCpuSecond,
    theirs: peak.perCpuSecond,
  })
  return out
}

async function inParallel(count, atOnce, task) {
  let next = 0
  await Promise.all(
    Array.from({ length: atOnce }, async (_, lane) => {
      while (next++ < count) await task(lane)
    }),
  )
}

async function asking(host, { peer, protocol, request, answerBytes }) {
  const answer = await host.request(peer, protocol, request)
  if (answer.length !== answerBytes) throw new Error(`expected an answer of ${answerBytes} bytes, got ${answer.length}`)
}

let visits = 0
async function visiting(question) {
  const host = await client(loopback(104, visits++ % 60_000))
  try {
    await asking(host, question)
  } finally {
    await host.stop()
  }
}

async function visitingHttps(port, body) {
  const agent = new Agent({ maxCachedSessions: 0 })
  await post(port, body, agent)
  agent.destroy()
}

function post(port, body, agent) {
  return new Promise((resolve, reject) => {
    const headers = { 'content-length': body.length }
    const options = { host: '127.0.0.1', port, method: 'POST', agent, headers, rejectUnauthorized: false }
    const request = httpsRequest(options, (response) => {
      response.on('data', () => {})
      response.on('end', resolve)
    })
    request.on('error', reject)
    request.end(body)
  })
}
