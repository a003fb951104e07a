/**
 * Syncs over loopback, counted at the sockets with handshakes, framing and padding. A day has 24 syncs. Twenty are at
 * home, where the sync goes out and deposits nothing; four are on foot. One of them brings the day's roster.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request } from 'node:https'
import { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { createTracer, libp2pDialer, memoryStorage } from '@geotrace/client/node'
import { systemClock } from '@geotrace/core-wasm'

const MINUTE_MS = 60_000
const ROUNDS = 5
/** A peer accepts five new connections a second from one address (PROTOCOL.md §6.5). */
const REST_MS = 600
const HOURS_STILL = 20
const HOURS_ON_FOOT = 4
const FIXES = 12
/** A fix every five minutes, each in hexagons of its own, or all in one place. */
const STEP_DEGREES = 0.0006
const DAY_GOAL_BYTES = 120_000
/** A device's daily download of the Corona-Warn-App by its makers' estimate: 1.5 MB; it grew with the cases. */
const KEYS_OF_A_DAY_BYTES = 1_500_000

export async function syncRows({ progress }) {
  const child = fork(new URL('peers.js', import.meta.url), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  try {
    const [{ manifest, https, aheadMs }] = await once(child, 'message')
    const clock = { ...systemClock(), now: () => Date.now() + aheadMs }
    const sockets = watchSockets()
    /** Rounds of each kind of sync, and the same frames over HTTPS. */
    const kinds = { first: [[], []], quiet: [[], []], still: [[], []], foot: [[], []] }
    for (let round = 0; round < ROUNDS; round++) {
      progress(`syncs, round ${round + 1} of ${ROUNDS} …`)
      // Each place has a person of its own, because a person's second hour would deposit fewer rows.
      for (const places of ['still', 'foot']) {
        const { tracer, exchanges } = await openPerson(manifest, clock)
        for (const kind of ['first', 'quiet', places]) {
          if (kind === places) await recordHour(tracer, clock, kind === 'foot' ? STEP_DEGREES : 0)
          exchanges.length = 0
          await sleep(REST_MS)
          const [ours, theirs] = kinds[kind]
          ours.push({ ...(await measured(sockets, () => tracer.sync())), frames: toParts(exchanges) })
          theirs.push(await measured(sockets, () => overHttps(https, exchanges)))
        }
        await tracer.close()
      }
    }
    const best = Object.fromEntries(Object.entries(kinds).map(([kind, [ours]]) => [kind, least(ours)]))
    const theirs = (kind) => least(kinds[kind][1])
    // Take the dearest round with a roster: asking the central peer for it saves a connection.
    const first = kinds.first[0].reduce((most, one) => (one.bytes > most.bytes ? one : most))
    const { quiet, still, foot } = best
    const others = first.bytes + HOURS_ON_FOOT * foot.bytes
    const day = others + (HOURS_STILL - 1) * quiet.bytes
    return [
      row('a day: 20 h at home, 4 h on foot, B', 'goal', day, DAY_GOAL_BYTES),
      row('the same', 'keys that a GAEN phone downloads a day, CWA’s estimate', day, KEYS_OF_A_DAY_BYTES),
      row('of it 19 syncs with nothing to say, B', '', (HOURS_STILL - 1) * quiet.bytes),
      row('of it 4 syncs of an hour on foot, B', '', HOURS_ON_FOOT * foot.bytes),
      row('of it the sync that brings the roster, B', '', first.bytes),
      row('a day: 20 h in one place that is no home, 4 h on foot, B', '', others + (HOURS_STILL - 1) * still.bytes),
      ...against('sync with nothing to say', quiet, theirs('quiet')),
      ...against('sync of an hour in one place', still, theirs('still')),
      ...against('sync of an hour on foot', foot, theirs('foot')),
      ...against('sync that brings the roster', first, theirs('first')),
    ]
  } finally {
    child.disconnect()
  }
}

async function recordHour(tracer, clock, stepDegrees) {
  for (let i = 0; i < FIXES; i++) {
    const at = clock.now() - (70 - 5 * i) * MINUTE_MS
    const { accepted } = await tracer.record({ lat: 52.5 + stepDegrees * i, lng: 13.4, accuracyM: 5, at })
    if (!accepted) throw new Error('a fix was not accepted')
  }
}

/** Bytes of frames by protocol and direction. */
function toParts(exchanges) {
  const parts = {}
  for (const { protocol, up, down } of exchanges) {
    const [, , name] = protocol.split('/')
    parts[`${name} request`] = (parts[`${name} request`] ?? 0) + up
    parts[`${name} reply`] = (parts[`${name} reply`] ?? 0) + down
  }
  return parts
}

function against(name, ours, theirs) {
  const anchor = 'the same frames over HTTPS, one connection a peer'
  const frames = Object.values(ours.frames).reduce((sum, bytes) => sum + bytes, 0)
  return [
    row(`${name}, B on the wire`, anchor, ours.bytes, theirs.bytes),
    ...Object.entries(ours.frames).map(([part, bytes]) => row(`${name}: ${part}, B`, '', bytes)),
    row(`${name}: handshakes and framing of ${ours.connections} connections, B`, '', ours.bytes - frames),
    row(`${name}, ms of CPU`, anchor, ours.cpuMs, theirs.cpuMs),
  ]
}

function row(name, anchor, ours, theirs) {
  return theirs === undefined
    ? { name, against: anchor, ours }
    : { name, against: anchor, ours, theirs, ratio: ours / theirs }
}

async function openPerson(manifest, clock) {
  const exchanges = []
  const inner = libp2pDialer()
  const dialer = {
    async open() {
      const session = await inner.open()
      return {
        close: () => session.close(),
        async request(peer, protocol, frame, options) {
          const reply = await session.request(peer, protocol, frame, options)
          exchanges.push({
            peer: Buffer.from(peer.key).toString('hex'),
            protocol: protocol.id,
            up: frame.length,
            down: reply.length,
          })
          return reply
        },
      }
    },
  }
  const init = { federation: manifest, storage: memoryStorage(), dialer, clock, redaction: false }
  return { tracer: await createTracer(init), exchanges }
}

/** Sockets that this process dialled since the last call. */
function watchSockets() {
  const opened = new Set()
  const { connect } = Socket.prototype
  Socket.prototype.connect = function (...args) {
    opened.add(this)
    return connect.apply(this, args)
  }
  return opened
}

async function measured(sockets, step) {
  sockets.clear()
  const cpu = process.cpuUsage()
  await step()
  const { user, system } = process.cpuUsage(cpu)
  const bytes = [...sockets].reduce((sum, socket) => sum + socket.bytesRead + socket.bytesWritten, 0)
  return { bytes, connections: sockets.size, cpuMs: (user + system) / 1000 }
}

async function overHttps(port, exchanges) {
  const agents = new Map()
  for (const { peer, up, down } of exchanges) {
    const agent =
      agents.get(peer) ?? new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false, maxCachedSessions: 0 })
    agents.set(peer, agent)
    const call = request({
      host: '127.0.0.1',
      port,
      path: `/${down}`,
      method: 'POST',
      agent,
      headers: { 'Content-Length': up },
    })
    call.end(Buffer.alloc(up))
    const [response] = await once(call, 'response')
    response.resume()
    await once(response, 'end')
  }
  for (const agent of agents.values()) agent.destroy()
}

/** The round with the fewest bytes, because further bytes come from the way packets are split; CPU of the fastest round. */
function least(rounds) {
  const [smallest] = [...rounds].sort((a, b) => a.bytes - b.bytes)
  return { ...smallest, cpuMs: Math.min(...rounds.map(({ cpuMs }) => cpuMs)) }
}
