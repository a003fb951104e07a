/**
 * Sends more requests than one salt node can answer, and measures answers and refusals. PROTOCOL.md §6.5.
 * `peak`: twelve connections send a request after each answer. `flood`: all connections send requests at a fixed rate,
 * whatever the node answers. `heeded`: some connections beside the flood wait as long as BUSY announces.
 * All connections are open before the measurement, so their handshakes are not counted.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { DATA, frameReader, RST, rawPeers, wholeRequest } from '../../core-wasm/bench/raw-peer.js'
import { loopback, percentile, saltQuestion } from './salt-client.js'
import { startServer } from './servers.js'

const [PER_ADDRESS, BLOCK] = [8, 102]
/** Without bounds for one connection, because this benchmark measures the bounds of all connections together. */
const LIMITS = { workPerSecond: 1e9, workBurst: 1e9, newBurst: 1e6 }
const [OK, BUSY] = [0, 11]
const SLICE_MS = 5
const RECOVERY_TRIES = 50
/** Connections that wait as long as BUSY announces. */
const HEEDING = 16

/**
 * Answers a second of time and a second of the server's CPU, which other load on the machine does not change. Latencies
 * in ms. `recoveryMs`: time from the end of the flood until each connection has had an answer at usual speed.
 */
export async function overload({ times = 10, seconds = 5, addresses = 24, progress = () => {} } = {}) {
  const server = await startServer('salt', { limits: LIMITS })
  const dialled = []
  try {
    const question = await saltQuestion(server.where.manifest)
    for (let i = 0; i < addresses; i++) {
      progress(`salt: overload: address ${i + 1} of ${addresses} …`)
      const localAddress = loopback(BLOCK, i)
      dialled.push(await rawPeers(question.peer.addresses[0], { localAddress, count: PER_ADDRESS }))
    }
    const lines = dialled.flatMap(({ peers }) => peers).map((peer) => line(peer, question))
    progress('salt: overload: peak …')
    await closedLoop(lines, 1)
    const cpu = async (task) => {
      const before = (await server.usage()).cpuUs
      const result = await task()
      const cpuSeconds = ((await server.usage()).cpuUs - before) / 1e6
      return { ...result, perCpuSecond: (result.perSecond * seconds) / cpuSeconds }
    }
    const peak = await cpu(() => closedLoop(lines, seconds))
    progress(`salt: overload: ${times} times the peak …`)
    let isOver = false
    const heeding = heed(lines.splice(-HEEDING), () => isOver)
    const flood = await cpu(() => openLoop(lines, peak.perSecond * times, seconds))
    isOver = true
    const heeded = summary(await heeding, seconds)
    const ended = performance.now()
    let recoveryMs = 0
    for (const item of lines) recoveryMs = Math.max(recoveryMs, (await recovered(item, 2 * peak.p50)) - ended)
    const { rssMostBytes } = await server.usage()
    return { peak, flood, heeded, recoveryMs, rssMostBytes }
  } finally {
    for (const { stop } of dialled) await stop()
    await server.stop()
  }
}

/** Time at which this connection is answered within `withinMs` again; infinity after some tries. */
async function recovered(item, withinMs) {
  for (let i = 0; i < RECOVERY_TRIES; i++) {
    const { status, ms } = await item.ask()
    if (status === OK && ms < withinMs) return performance.now()
  }
  return Number.POSITIVE_INFINITY
}

/** One connection: `ask` resolves with the status of the answer and the time it took. */
function line(peer, { protocol, request }) {
  const open = new Map()
  let id = -1
  const settle = (stream, status, retryMs) => {
    const asked = open.get(stream)
    if (asked === undefined) return
    open.delete(stream)
    asked.resolve({ status, ms: performance.now() - asked.at, retryMs: retryMs ?? 0 })
  }
  // The reply starts after both names with their length bytes: its length, its status, and the seconds of a refusal.
  const head = 1 + '/multistream/1.0.0\n'.length + 1 + protocol.id.length + 1
  const read = frameReader(({ type, flags, id: stream, body }) => {
    const asked = open.get(stream)
    if (asked === undefined) return
    if (flags & RST) settle(stream, 'reset')
    if (type !== DATA || body.length === 0) return
    const wanted = head + 8
    asked.head = asked.head.length >= wanted ? asked.head : Buffer.concat([asked.head, body.subarray(0, wanted)])
    const length = asked.head[head]
    if (length === undefined) return
    const at = head + (length < 0x80 ? 1 : 2)
    const status = asked.head[at]
    if (status === BUSY && asked.head.length < at + 5) return
    if (status !== undefined) settle(stream, status, status === BUSY ? asked.head.readUInt32BE(at + 1) * 1_000 : 0)
  })
  peer.listen(read)
  peer.closed.then(() => {
    for (const stream of [...open.keys()]) settle(stream, 'closed')
  })
  return {
    waiting: () => open.size,
    ask: () =>
      new Promise((resolve) => {
        id += 2
        open.set(id, { at: performance.now(), head: Buffer.alloc(0), resolve })
        if (!peer.send(wholeRequest(id, protocol.id, request))) settle(id, 'closed')
      }),
  }
}

async function closedLoop(lines, seconds) {
  const results = []
  const until = performance.now() + seconds * 1_000
  await Promise.all(
    lines.slice(0, 12).map(async (item) => {
      while (performance.now() < until) results.push(await item.ask())
    }),
  )
  return summary(results, seconds)
}

/** Each connection is a phone that sends two requests a second, and after BUSY waits as announced. */
async function heed(lines, isOver) {
  const results = []
  await Promise.all(
    lines.map(async (item) => {
      while (!isOver()) {
        const result = await item.ask()
        results.push(result)
        await pause(result.status === OK ? 500 : result.retryMs)
      }
    }),
  )
  return results
}

async function openLoop(lines, perSecond, seconds) {
  const results = []
  const asked = []
  const started = performance.now()
  let sent = 0
  let next = 0
  while (performance.now() - started < seconds * 1_000) {
    const due = ((performance.now() - started) / 1_000) * perSecond
    for (; sent < due; sent++) {
      // A connection with four open requests may send no fifth, so the next connection sends it.
      for (let i = 0; i < lines.length && lines[next].waiting() >= 4; i++) next = (next + 1) % lines.length
      if (lines[next].waiting() < 4) asked.push(lines[next].ask().then((result) => results.push(result)))
      next = (next + 1) % lines.length
    }
    await pause(SLICE_MS)
  }
  const inTime = summary([...results], seconds)
  const late = Promise.all(asked)
  return { ...inTime, late, offeredPerSecond: sent / seconds, askedPerSecond: asked.length / seconds }
}

function summary(results, seconds) {
  const of = (wanted) => results.filter(({ status }) => status === wanted).map(({ ms }) => ms)
  const [ok, busy] = [of(OK), of(BUSY)]
  const others = results.length - ok.length - busy.length
  const times = (list) => ({ p50: percentile(list, 0.5), p99: percentile(list, 0.99) })
  return {
    perSecond: ok.length / seconds,
    ...times(ok),
    busyPerSecond: busy.length / seconds,
    busy: times(busy),
    others,
  }
}
