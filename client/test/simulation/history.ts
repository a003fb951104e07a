/**
 * One history. CONTRIBUTING "Simulation". A federation founds itself, and people live for some hours while faults strike.
 * Then all faults end, and every peer and device must catch up. TigerBeetle's simulator has the same two phases: in the
 * first phase no wrong result may appear, in the second phase every result must become complete.
 */
import type { Core } from '@geotrace/core-wasm'
import { EPOCH_MS, EPOCH_OPENS_BEFORE_MS, MINUTE_MS, type Parameters } from '@geotrace/core-wasm/wire'
import {
  FAULTS,
  type FaultKind,
  type Pace,
  pickFault,
  REAL_PACE,
  type SimulatedFederation,
  seededRandom,
  simulatedFederation,
} from '@geotrace/node/testing'
import { type OnSecret, type SimulatedDevice, type SyncOutcome, simulatedDevice } from './device.ts'
import { deviceFaults } from './device-faults.ts'
import { type Findings, judge } from './judge.ts'
import { createTowns, walker } from './town.ts'

export interface Scale {
  nodes: number
  devices: number
  /** Duration of the phase in which faults strike. */
  hours: number
  faults: number
  /** Nodes that apply to join in the first minutes; none unless given. Rosters then follow each other fast. */
  joiners?: number
  /** `plain` unless given. */
  salting?: SaltingName
}
/** Threshold salting with t = 1 among three replicas, or with t > 1: two of three, with five nodes or more three of five. */
export type SaltingName = 'plain' | 't = 1' | 'threshold'

export interface History extends Findings {
  readonly seed: string
  readonly scale: Scale
  /** The digest of all events. Equal seeds give equal digests. */
  readonly digest: string
  readonly events: number
  /** The kinds of fault that struck. */
  readonly faults: readonly string[]
  /** Rosters certified while faults struck, without those that existed when the founding was complete. */
  readonly successions: number
  /** All syncs of the first phase, and how many of them ended in each outcome other than `done`. */
  readonly syncs: number
  readonly unfinished: Readonly<Record<string, number>>
}

export interface HistoryInit {
  seed: string
  core: Core
  scale: Scale
  /** The kinds of fault that may strike; all unless given. */
  kinds?: (devices: readonly SimulatedDevice[]) => readonly FaultKind[]
  listen?: (line: string) => void
}

const DAY_MS = Date.UTC(2026, 10, 21)
const SHARDS = 6
/** In most histories peers probe links and announce presence at longer intervals, which changes no rule. */
const LONG_PACE: Pace = { linkMs: 15_000, probeMs: 60_000, presenceMs: 120_000 }
const REAL_PACE_SHARE = 0.1
/** The share holds up to this many nodes. Larger federations get less, because the cost grows with the square of nodes. */
const REAL_PACE_NODES = 5
/** The founding roster begins with the oldest open epoch. Its reserve must last until the end of the history. */
const EPOCHS_BEFORE = 4
const RECOVERY_HOURS = 2
/** From the first start of a node until all peers must serve, without faults. */
const FOUNDING_MS = 2 * MINUTE_MS
/** Intervals in a history of an hour or more. A shorter history shortens them, so that it contains as many events. */
const FIX_EVERY_MS = [8 * MINUTE_MS, 16 * MINUTE_MS] as const
const SYNC_EVERY_MS = [35 * MINUTE_MS, 60 * MINUTE_MS] as const
const SYNC_AGAIN_MS = [2 * MINUTE_MS, 6 * MINUTE_MS] as const
const STEP_MS = 2_000
/** After all faults: the last blocks close, then all devices sync in rounds. Two or three rounds are usual. */
const CLOSE_MS = 6 * MINUTE_MS
const ROUND_MS = 2 * MINUTE_MS
const ROUNDS_MAX = 50
const REPORTS = 2
/** The share of histories with joiners. One roster admits a joiner, the next ranks it, and the third gives it shards. */
const JOINING_SHARE = 1 / 8
const JOINING_HOURS = 7
const JOIN_WITHIN_MS = 10 * MINUTE_MS

/** A quarter of the histories has t = 1, half a greater threshold. */
const SALTINGS: readonly SaltingName[] = ['plain', 't = 1', 'threshold', 'threshold']
const LARGE_NODES = 5
/** Small classes, because an element is as dear in a simulation as everything else that a request costs. */
const CLASSES = [2, 12]

function saltingParameters({ nodes, salting = 'plain' }: Scale): Partial<Parameters> {
  if (salting === 'plain') return { replicas: Math.min(3, nodes) }
  const more = { salting: 'threshold', evaluations: CLASSES } as const
  if (salting === 't = 1') return { ...more, replicas: 3, threshold: 1 }
  return nodes < LARGE_NODES ? { ...more, replicas: 3, threshold: 2 } : { ...more, replicas: 5, threshold: 3 }
}

export function allFaults(devices: readonly SimulatedDevice[]): FaultKind[] {
  return [...FAULTS, ...deviceFaults(devices)]
}

/** The kinds of fault with these names, or all kinds when `names` is empty. */
export function faultsNamed(names: readonly string[]): typeof allFaults {
  return (devices) => allFaults(devices).filter(({ name }) => names.length === 0 || names.includes(name))
}

/** The scale that a history draws from its seed, up to `largest`. */
export function drawScale(seed: string, largest: Scale): Scale {
  const random = seededRandom(`scale/${seed}`)
  // The cube makes many small histories and some large ones.
  const draw = (least: number, most: number): number => Math.round(least + (most - least) * random.unit() ** 3)
  const nodes = draw(Math.max(3, Math.round(largest.nodes / 4)), largest.nodes)
  const scale = {
    nodes,
    devices: draw(Math.min(4, largest.devices), largest.devices),
    hours: Math.round(20 * random.between(Math.min(1, largest.hours), largest.hours)) / 20,
    // At most as many faults for each node as `largest` has: forty faults on three nodes kill all holders of a seed.
    faults: Math.round((random.unit() * largest.faults * nodes) / largest.nodes),
    salting: random.fork('salting').pick(SALTINGS),
  }
  if (largest.joiners === undefined || !random.chance(JOINING_SHARE)) return scale
  return { ...scale, hours: JOINING_HOURS, joiners: 1 + random.below(largest.joiners) }
}

/**
 * The start of a history, the length of its periods, and how often its peers probe their links. Votes for the next roster
 * begin after the start, mostly while faults strike, and devices need the salts of that roster soon after.
 */
function drawSetting(
  seed: string,
  { nodes, hours, joiners = 0 }: Scale,
): { startMs: number; periodEpochs: number; pace: Pace } {
  const random = seededRandom(`setting/${seed}`)
  const periodEpochs = random.pick(joiners > 0 ? [1] : [1, 1, 2, 3])
  const votesMs = DAY_MS + 6 * EPOCH_MS * random.below(3) - EPOCH_OPENS_BEFORE_MS
  const startMs = Math.round(votesMs - random.unit() * Math.min(1.3 * hours * 60 * MINUTE_MS, periodEpochs * EPOCH_MS))
  const isReal = random.chance(REAL_PACE_SHARE * Math.min(1, REAL_PACE_NODES / nodes))
  return { startMs, periodEpochs, pace: isReal ? REAL_PACE : LONG_PACE }
}

export async function runHistory({ seed, core, scale, kinds = allFaults, listen }: HistoryInit): Promise<History> {
  const { startMs, periodEpochs, pace } = drawSetting(seed, scale)
  const reserveEpochs = EPOCHS_BEFORE + Math.ceil(((scale.hours + RECOVERY_HOURS) * 60 * MINUTE_MS) / EPOCH_MS)
  const federation = simulatedFederation({
    seed,
    core,
    nodes: scale.nodes,
    startMs,
    pace,
    parameters: { ...saltingParameters(scale), shards: SHARDS, periodEpochs, reserveEpochs },
    ...(listen && { listen }),
  })
  const { scheduler } = federation
  await found(federation)
  const foundedHeight = newestHeight(federation)
  const secrets = new Map<string, Map<string, string[]>>()
  const devices = equip(federation, scale.devices, (device, used, secret) => {
    const region = used.salting === 'plain' ? used.region : core.cellToRegion(used.cell)
    const shard = core.regionToShard(region, SHARDS)
    const name = used.salting === 'plain' ? `${shard}/${used.size}/${used.n}` : `${shard}/${used.cell}/${used.epoch}`
    const seen = secrets.get(name) ?? new Map<string, string[]>()
    secrets.set(name, seen)
    const hex = Buffer.from(secret).toString('hex')
    seen.set(hex, [...(seen.get(hex) ?? []), device])
  })
  const healMs = scheduler.nowMs + scale.hours * 60 * MINUTE_MS
  const struck = strike(federation, devices, kinds(devices), scale, healMs)
  live(federation, devices, healMs, Math.min(1, scale.hours))
  reportSome(federation, devices, healMs)
  await scheduler.run(healMs)
  const successions = newestHeight(federation) - foundedHeight
  const troubled = devices.flatMap(({ outcomes }) => outcomes)
  heal(federation, devices)
  await settle(federation, devices)
  const findings = await judge(federation, devices, secrets)
  return {
    ...findings,
    seed,
    scale,
    digest: federation.trace.digest(),
    events: scheduler.count,
    faults: struck,
    successions,
    syncs: troubled.length,
    unfinished: countUnfinished(troubled),
  }
}

async function found(federation: SimulatedFederation): Promise<void> {
  const { scheduler, saltNodes, central, complaints } = federation
  for (const peer of [...saltNodes, central]) peer.start()
  const isFounded = (): boolean =>
    central.running?.status().state === 'serving' && saltNodes.every(({ running }) => isWhole(running?.status()))
  const untilMs = scheduler.nowMs + FOUNDING_MS
  while (!isFounded() && scheduler.nowMs < untilMs) await scheduler.run(scheduler.nowMs + STEP_MS)
  if (!isFounded()) complaints.push('the federation was not founded in time')
}

function newestHeight({ saltNodes }: SimulatedFederation): number {
  return Math.max(...saltNodes.map(({ running }) => running?.status().roster?.height ?? 0))
}

function isWhole(status: { state: string; shards: { held: boolean }[] } | undefined): boolean {
  return status?.state === 'serving' && status.shards.every(({ held }) => held)
}

function equip(federation: SimulatedFederation, count: number, onSecret: OnSecret): SimulatedDevice[] {
  return Array.from({ length: count }, (_, i) => {
    const own = federation.random.fork(`device-${i}`)
    // Some devices share an address, as under a carrier's or a household's router.
    const house = own.chance(0.2) ? own.below(4) : 4 + i
    const address = own.chance(0.3)
      ? `/ip6/2001:db8:${house.toString(16)}::1/tcp/1`
      : `/ip4/100.64.${house >> 8}.${house & 255}/tcp/1`
    const device = simulatedDevice(federation, `device-${i}`, address, own, onSecret)
    device.machine.offsetMs = Math.round(own.between(-45_000, 45_000))
    device.start()
    return device
  })
}

/** People walk. Their devices record, sync on schedule, and sync again soon after a failed sync. */
function live(
  federation: SimulatedFederation,
  devices: readonly SimulatedDevice[],
  healMs: number,
  /** Factor for the intervals between two fixes and between two syncs. */
  share: number,
): void {
  const { scheduler, random } = federation
  const scaled = ([least, most]: readonly [number, number]) => [share * least, share * most] as const
  const [fixEveryMs, syncEveryMs, syncAgainMs] = [scaled(FIX_EVERY_MS), scaled(SYNC_EVERY_MS), scaled(SYNC_AGAIN_MS)]
  const [apart, ...towns] = createTowns(devices.length, random.fork('towns'))
  for (const [i, device] of devices.entries()) {
    const own = random.fork(`life/${device.name}`)
    const next = walker(i === 0 ? apart! : own.pick(towns), own)
    const record = (): void => {
      device.record(next(), own.between(2, 11))
      if (scheduler.nowMs < healMs) scheduler.after(own.between(...fixEveryMs), record)
    }
    const sync = (): void => {
      if (scheduler.nowMs >= healMs) return
      scheduler.after(own.between(...syncEveryMs), sync)
      void device.sync().then((outcome) => {
        if (outcome !== undefined && outcome.how !== 'done') scheduler.after(own.between(...syncAgainMs), again)
      })
    }
    const again = (): void => {
      if (scheduler.nowMs < healMs) void device.sync()
    }
    scheduler.after(own.between(0, fixEveryMs[1]), record)
    scheduler.after(own.between(0, syncEveryMs[1]), sync)
  }
}

function strike(
  federation: SimulatedFederation,
  devices: readonly SimulatedDevice[],
  kinds: readonly FaultKind[],
  { faults, joiners = 0 }: Scale,
  healMs: number,
): string[] {
  const { scheduler, random, saltNodes, central } = federation
  const own = random.fork('faults')
  const machines = (): string[] => [...saltNodes, central, ...devices].map(({ name }) => name)
  const plan = (kind: FaultKind, i: number, withinMs: number): string => {
    scheduler.after(own.between(0, withinMs), () => {
      federation.trace.note(scheduler.nowMs, `fault ${kind.name}`)
      kind.strike({ federation, random: own.fork(`${i}`), machines: machines(), healMs })
    })
    return kind.name
  }
  const joins = FAULTS.find(({ name }) => name === 'node-joins')!
  return [
    ...Array.from({ length: faults }, (_, i) => plan(pickFault(kinds, own), i, healMs - scheduler.nowMs)),
    ...Array.from({ length: joiners }, (_, i) => plan(joins, faults + i, JOIN_WITHIN_MS)),
  ]
}

/** Some people test positive and report. Another person tries a code that is used already. */
function reportSome(federation: SimulatedFederation, devices: readonly SimulatedDevice[], healMs: number): void {
  const { scheduler, random, central } = federation
  const own = random.fork('reports')
  const [thief, ...reporters] = own.sample(devices.slice(1), REPORTS + 1)
  for (const device of reporters) {
    const attempt = (code: string): void => {
      void device.sync(code).then((outcome) => {
        // When the request is lost or the device is killed, the code waits and a later sync sends it.
        if (outcome?.how !== 'done') return
        if (own.chance(0.3)) scheduler.after(MINUTE_MS, () => void thief!.sync(code))
      })
    }
    const ask = (): void => {
      const peer = central.running
      if (peer?.status().state !== 'serving' || device.running === undefined) {
        if (scheduler.nowMs < healMs) scheduler.after(MINUTE_MS, ask)
        return
      }
      void peer.issueCodes({ count: 1, days: 1 }).then(({ codes: [code] }) => attempt(code!))
    }
    scheduler.after(own.between(0.3, 1) * (healMs - scheduler.nowMs), ask)
  }
}

function heal(federation: SimulatedFederation, devices: readonly SimulatedDevice[]): void {
  const { network, saltNodes, central, scheduler, trace } = federation
  trace.note(scheduler.nowMs, 'all faults end')
  network.cuts.clear()
  network.liars.clear()
  network.conditions = { loss: 0, replays: 0, resets: 0, delayMs: [5, 80] }
  for (const peer of [...saltNodes, central]) {
    peer.machine.slowMs = 0
    peer.start()
  }
  for (const device of devices) device.start()
}

/** All devices sync in rounds, until no device has anything left to send or to read. */
async function settle({ scheduler, random }: SimulatedFederation, devices: readonly SimulatedDevice[]): Promise<void> {
  const own = random.fork('settle')
  await scheduler.run(scheduler.nowMs + CLOSE_MS)
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const before = devices.map(({ outcomes }) => outcomes.length)
    for (const device of devices) scheduler.after(own.between(0, ROUND_MS / 2), () => void device.sync())
    // Meanwhile nodes recover their seeds and check their clocks, and a refused device may ask again.
    await scheduler.run(scheduler.nowMs + ROUND_MS)
    const isQuiet = devices.every(({ outcomes }, i) => outcomes.length > before[i]! && isClean(outcomes.at(-1)!))
    if (isQuiet) return
  }
}

function isClean({ how, result }: SyncOutcome): boolean {
  return how === 'done' && result!.rowsDeposited + result!.marksNew + result!.marksLeft === 0
}

function countUnfinished(outcomes: readonly SyncOutcome[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { how } of outcomes) if (how !== 'done') counts[how] = (counts[how] ?? 0) + 1
  return counts
}
