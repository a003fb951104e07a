/**
 * `npm run bench -- bytes`: the bytes of whole days at the sockets of one device, under three of five. They hold handshakes,
 * framing, padding, part keys, sealed deposits and rosters. A federation in this process lives through each day on a
 * simulated clock, and the device syncs every hour. At home it records nothing that it deposits, so these syncs are quiet.
 * README "Figures".
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTracer, libp2pDialer, memoryStorage } from '@geotrace/client/node'
import { isFederationError, simulatedClock } from '@geotrace/core-wasm'
import { startFederation } from '@geotrace/node/testing'

const MINUTE_MS = 60_000
const DAY_MIN = 24 * 60
const FIX_MIN = 5
/** Days of each kind, each with its own places, noise and founding. */
const DRAWS = 3
/** A federation founds at this minute of the day, and the day of the device begins at midnight. */
const FOUNDED_MIN = -60
const DAY_MS = Date.UTC(2026, 10, 20)
/** Devices have addresses of their own, by which their sockets are known. */
const DEVICE = (draw) => `127.7.0.${draw + 1}`
const TRIES_MAX = 50
const PASSING = ['BUSY', 'PEER_TIMEOUT', 'PEER_UNREACHABLE']
const WALK_MS = 1.4
const NOISE_M = 5
/** A position drifts for about half an hour. */
const DRIFT_MIN = 30
const METRE = 1 / 111_195
const BASE = { lat: 47.2, lng: 8.5 }

/** The days of THRESHOLD of the design, with their goals in bytes. */
const DAYS = [
  {
    name: 'an office day: 8 h at the office, 90 min on foot, the rest at home',
    goal: 260_000,
    steps: [
      { kind: 'walk', from: 480, to: 525 },
      { kind: 'stay', from: 525, to: 1_005 },
      { kind: 'walk', from: 1_005, to: 1_050 },
    ],
  },
  {
    name: '20 h in places that are no home, 4 h on foot',
    goal: 430_000,
    steps: [
      { kind: 'stay', from: 0, to: 600 },
      { kind: 'walk', from: 600, to: 840 },
      { kind: 'stay', from: 840, to: DAY_MIN },
    ],
  },
]

export async function rows({ progress }) {
  const sockets = watchSockets()
  const result = []
  for (const [index, { name, goal, steps }] of DAYS.entries()) {
    const days = []
    for (let draw = 0; draw < DRAWS; draw++) {
      progress(`${name}: day ${draw + 1} of ${DRAWS} …`)
      days.push(await liveDay(sockets, steps, seeded(1 + index * DRAWS + draw), DEVICE(draw)))
    }
    days.sort((a, b) => a.bytes - b.bytes)
    const [middle, most] = [days[Math.floor(DRAWS / 2)], days.at(-1)]
    result.push(
      row(`${name}, B, the median of ${DRAWS} days`, 'goal', middle.bytes, goal),
      row('the dearest of them, B', 'goal', most.bytes, goal),
      row('of the median: evaluations with their padding at each node', '', middle.evaluations),
      row('of the median: connections', '', middle.connections),
      row('of the median: fixes of which nothing was deposited', '', middle.lost),
    )
  }
  return result
}

async function liveDay(sockets, steps, random, address) {
  const dir = mkdtempSync(join(tmpdir(), 'geotrace-days-'))
  const clock = simulatedClock(DAY_MS + FOUNDED_MIN * MINUTE_MS)
  const federation = await startFederation({ dir, clock })
  const dialer = libp2pDialer({ localAddress: address })
  const init = { federation: federation.manifest, storage: memoryStorage(), dialer, clock, redaction: false }
  const tracer = await createTracer(init)
  const fixes = toFixes(steps, random)
  const day = { bytes: 0, connections: 0, evaluations: 0, lost: fixes.length }
  try {
    await clock.jumpTo(DAY_MS)
    for (let minute = 0; minute <= DAY_MIN; minute += FIX_MIN) {
      await clock.jumpTo(DAY_MS + minute * MINUTE_MS)
      for (const fix of fixes.filter(({ at }) => at > clock.now() - FIX_MIN * MINUTE_MS && at <= clock.now())) {
        const { accepted } = await tracer.record(fix)
        if (!accepted) throw new Error('a fix was not accepted')
      }
      if (minute % 60 !== 0 || minute === 0) continue
      const { evaluations, hashed } = await syncHour(tracer)
      day.evaluations += evaluations
      day.lost -= hashed
    }
    const own = [...sockets].filter(({ source }) => source === address)
    day.bytes = own.reduce((sum, { socket }) => sum + socket.bytesRead + socket.bytesWritten, 0)
    day.connections = own.length
    return day
  } finally {
    sockets.clear()
    await tracer.close()
    await federation.stop()
    rmSync(dir, { recursive: true, force: true })
  }
}

/** Syncs until no peer of this busy process puts the device off. The bytes of all tries count. */
async function syncHour(tracer) {
  let [evaluations, hashed] = [0, 0]
  for (let tries = 1; ; tries++) {
    try {
      const result = await tracer.sync()
      evaluations += result.evaluationsPadded
      hashed += result.fixesHashed
      if (result.fixesDeferred === 0 || tries === TRIES_MAX) return { evaluations, hashed }
    } catch (error) {
      if (tries === TRIES_MAX || !PASSING.some((code) => isFederationError(error, code))) throw error
    }
  }
}

/** One fix every five minutes. A walk changes its direction a little at every fix, and a stay keeps its place. */
function toFixes(steps, random) {
  const gauss = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  const phase = random() * FIX_MIN
  const fixes = []
  for (const { kind, from, to } of steps) {
    let position = shift(BASE, (random() - 0.5) * 20_000, (random() - 0.5) * 20_000)
    let direction = random() * 2 * Math.PI
    const noise = drifting(gauss)
    for (let minute = from + phase; minute < to; minute += FIX_MIN) {
      if (kind === 'walk') {
        direction += gauss() * 0.6
        const metres = WALK_MS * FIX_MIN * 60
        position = shift(position, Math.cos(direction) * metres, Math.sin(direction) * metres)
      }
      fixes.push({ ...shift(position, ...noise()), accuracyM: NOISE_M, at: Math.round(DAY_MS + minute * MINUTE_MS) })
    }
  }
  return fixes
}

/** Half of the noise is new at each fix, half of it drifts. */
function drifting(gauss) {
  const half = NOISE_M * Math.SQRT1_2
  const keep = Math.exp(-FIX_MIN / DRIFT_MIN)
  const add = Math.sqrt(1 - keep * keep)
  let drift = [gauss() * half, gauss() * half]
  return () => {
    drift = drift.map((value) => keep * value + add * gauss() * half)
    return drift.map((value) => value + gauss() * half)
  }
}

function shift({ lat, lng }, east, north) {
  return { lat: lat + north * METRE, lng: lng + (east * METRE) / Math.cos((lat * Math.PI) / 180) }
}

/** mulberry32 */
function seeded(seed) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let word = Math.imul(state ^ (state >>> 15), 1 | state)
    word = (word + Math.imul(word ^ (word >>> 7), 61 | word)) ^ word
    return ((word ^ (word >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Every socket that this process dials, with the address that it dials from. */
function watchSockets() {
  const dialled = new Set()
  const { connect } = Socket.prototype
  Socket.prototype.connect = function (...args) {
    const [options] = args.flat()
    dialled.add({ socket: this, source: options?.localAddress })
    return connect.apply(this, args)
  }
  return dialled
}

function row(name, against, ours, theirs) {
  return theirs === undefined ? { name, against, ours } : { name, against, ours, theirs, ratio: ours / theirs }
}
