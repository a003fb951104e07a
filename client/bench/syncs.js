/**
 * A sync over loopback, counted at the sockets: handshakes, framing and padding included. A day is 24 of them: twenty
 * hours at home, where nothing is deposited and the sync goes out all the same, and four on foot.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request } from 'node:https'
import { Socket } from 'node:net'
import { createTracer, libp2pDialer, memoryStorage } from '@geotrace/client/node'
import { systemClock } from '@geotrace/core-wasm'

const MINUTE_MS = 60_000
const ROUNDS = 7
const HOURS_AT_HOME = 20
const HOURS_ON_FOOT = 4
/** A fix every five minutes, each in hexagons of its own. */
const STEP_DEGREES = 0.0006
const DAY_GOAL_BYTES = 120_000

export async function syncRows({ progress }) {
  const child = fork(new URL('peers.js', import.meta.url), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  try {
    const [{ manifest, https }] = await once(child, 'message')
    const sockets = watchSockets()
    const [quiet, busy] = [[], []]
    const [quietHttps, busyHttps] = [[], []]
    for (let round = 0; round < ROUNDS; round++) {
      progress(`syncs, round ${round + 1} of ${ROUNDS} …`)
      const tracer = await openPerson(manifest)
      await tracer.tracer.sync()
      tracer.exchanges.length = 0
      quiet.push(await measured(sockets, () => tracer.tracer.sync()))
      if (https) quietHttps.push(await measured(sockets, () => overHttps(https, tracer.exchanges.splice(0))))
      for (let i = 0; i < 12; i++) {
        const at = Date.now() - (70 - 5 * i) * MINUTE_MS
        await tracer.tracer.record({ lat: 52.5 + STEP_DEGREES * i, lng: 13.4, accuracyM: 5, at })
      }
      busy.push(await measured(sockets, () => tracer.tracer.sync()))
      if (https) busyHttps.push(await measured(sockets, () => overHttps(https, tracer.exchanges.splice(0))))
      await tracer.tracer.close()
    }
    const [home, foot] = [least(quiet), least(busy)]
    const day = HOURS_AT_HOME * home.bytes + HOURS_ON_FOOT * foot.bytes
    const rows = [
      row('a day: 20 h at home, 4 h on foot, B', 'goal', day, DAY_GOAL_BYTES),
      ...against('sync with nothing to say', home, https ? least(quietHttps) : undefined),
      ...against('sync of an hour on foot', foot, https ? least(busyHttps) : undefined),
    ]
    return rows
  } finally {
    child.disconnect()
  }
}

function against(name, ours, theirs) {
  const anchor = theirs === undefined ? '' : 'the same frames over HTTPS, one connection a peer'
  return [
    row(`${name}, B on the wire`, anchor, ours.bytes, theirs?.bytes),
    row(`${name}, ms of CPU`, anchor, ours.cpuMs, theirs?.cpuMs),
  ]
}

function row(name, anchor, ours, theirs) {
  return theirs === undefined
    ? { name, against: anchor, ours }
    : { name, against: anchor, ours, theirs, ratio: ours / theirs }
}

async function openPerson(manifest) {
  const exchanges = []
  const inner = libp2pDialer()
  const dialer = {
    async open() {
      const session = await inner.open()
      return {
        close: () => session.close(),
        async request(peer, protocol, frame, options) {
          const reply = await session.request(peer, protocol, frame, options)
          exchanges.push({ peer: Buffer.from(peer.key).toString('hex'), up: frame.length, down: reply.length })
          return reply
        },
      }
    },
  }
  const init = { federation: manifest, storage: memoryStorage(), dialer, clock: systemClock(), redaction: false }
  return { tracer: await createTracer(init), exchanges }
}

/** Sockets that this process dialled since the last look. */
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
  return { bytes, cpuMs: (user + system) / 1000 }
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

function least(rounds) {
  return { bytes: Math.min(...rounds.map(({ bytes }) => bytes)), cpuMs: Math.min(...rounds.map(({ cpuMs }) => cpuMs)) }
}
