/**
 * The hints in the status of a salt node: what is wrong, and the next step of the volunteer. node/README.md "When something
 * is wrong". Each rule is a pure function that gives one hint or none.
 */
import { EPOCH_MS } from '@geotrace/core-wasm/wire'
import { type Hint, missingParts } from '../../admin/node-status.ts'
import { mebibytes, plural } from '../../admin/page/words.ts'
import { SKEW_MAX_MS } from '../../membership/clock-watch.ts'
import type { Joining } from '../../membership/joining.ts'
import { lackedShards, type SaltNodeStatus } from '../../salt/node-status.ts'
import { DISK_FULL_BYTES, DISK_LEAST_BYTES } from '../process/disk.ts'
import { minute } from '../terminal/times.ts'
import type { FederationView } from './federation-view.ts'
import { joiningText } from './joining-text.ts'

/** A larger clock offset gives a warning, long before the node stops serving. */
const DRIFT_MS = 5_000
/** Share of the memory limit above which the node refuses salt requests. */
export const MEMORY_SHED_SHARE = 0.9
/** Phones connect and send within a moment, so this many silent sockets are unusual. */
const WAITING_MANY = 100
/** Time for peers to answer, and for seeds to arrive, before their absence gives a hint. */
const ALONE_MS = 30_000
/** A hint on BUSY appears when more than one in this many answers was BUSY. */
const ANSWERED_PER_BUSY = 100
/** Shard numbers shown before "and N more". */
const SHARDS_SHOWN_MAX = 12

export interface HintInit {
  status: SaltNodeStatus
  nowMs: number
  memoryBytes: number
  memoryMaxBytes: number
  diskFreeBytes: number
  /** The name of the federation, and the digits of its id that people compare. */
  federation: string
  federationId: string
  view: FederationView
  /** Operators whose peers run with the manifest of another federation. */
  strayed: readonly string[]
  /** Unix ms until which a restored node abstains; undefined when it votes. */
  abstainsUntilMs: number | undefined
}

type Rule = (init: HintInit) => Hint | undefined

const RULES: readonly Rule[] = [
  strayedHint,
  clockHint,
  diskHint,
  peersHint,
  seedsHint,
  nextPeriodHint,
  soleHint,
  waitingHint,
  forkHint,
  pinsHint,
  rosterHint,
  coreHint,
  memoryHint,
  restoredHint,
  socketsHint,
  busyHint,
]

/** All hints that apply, in the order of the rules. */
export function toHints(init: HintInit): Hint[] {
  return RULES.map((rule) => rule(init)).filter((hint) => hint !== undefined)
}

/** Whether the newest roster names the node as one that stays. */
export function isSeated({ state }: Pick<SaltNodeStatus, 'state'>): boolean {
  return state === 'serving' || state === 'seeds-missing'
}

/** The shards under the roster in force, or under the first roster before it begins. */
export function shardsNow({ shards }: Pick<SaltNodeStatus, 'shards'>, nowMs: number): SaltNodeStatus['shards'] {
  const begun = shards.filter(({ firstEpoch }) => firstEpoch * EPOCH_MS <= nowMs)
  const period = (begun.at(-1) ?? shards[0])?.firstEpoch
  return shards.filter(({ firstEpoch }) => firstEpoch === period)
}

/** Whether the newest roster pins the build of the core that runs. */
export function isPinned({ roster, core }: SaltNodeStatus): boolean {
  return roster === undefined || roster.core.simd === core || roster.core.scalar === core
}

function clockHint({ status }: HintInit): Hint | undefined {
  const offset = Math.abs(status.clockOffsetMs)
  const what = `the clock is ${seconds(offset)} off the median of the peers`
  if (offset > SKEW_MAX_MS) {
    return fail(
      `${what}, so this node refuses all requests`,
      'turn on time synchronisation; the node serves again within a minute',
    )
  }
  if (offset <= DRIFT_MS) return undefined
  return warn(what, 'turn on time synchronisation; above 30 s the node stops serving')
}

function peersHint(init: HintInit): Hint | undefined {
  const { status, nowMs } = init
  const { state, reach } = status
  if (hasStrayed(init)) return undefined
  if (state === 'joining' && upMs(status, nowMs) > ALONE_MS) {
    const answering =
      reach === undefined || reach.answered === 0
        ? 'no other peer answers'
        : `${reach.answered} of ${reach.asked} peers answer`
    return warn(
      `no roster is certified yet, and ${answering}`,
      'the peers certify it when enough of them are online; `geotrace doctor` dials their addresses and yours',
    )
  }
  if (!isSeated(status) || reach === undefined || reach.asked === 0 || reach.answered * 2 >= reach.asked) {
    return undefined
  }
  return warn(
    `only ${reach.answered} of ${reach.asked} peers answer`,
    'if the other peers can reach each other, the fault is on this machine: run `geotrace doctor`',
  )
}

function seedsHint({ status, nowMs }: HintInit): Hint | undefined {
  const missing = lackedShards(status.shards, nowMs)
  // After a restart the seeds arrive within seconds.
  if (!isSeated(status) || missing.length === 0 || upMs(status, nowMs) <= ALONE_MS) return undefined
  return warn(
    `the seeds of ${shardList(missing)} are missing`,
    'no action: another replica of the shard sends them when it is online; if all replicas restarted at once, they come with the next roster',
  )
}

function nextPeriodHint({ status, nowMs }: HintInit): Hint | undefined {
  const { nextPeriod } = status
  if (nextPeriod === undefined || nextPeriod.missing.length === 0 || nowMs < nextPeriod.lateFromMs) return undefined
  if (!isSeated(status) || upMs(status, nowMs) <= ALONE_MS) return undefined
  const { parts, missing, neededMs } = nextPeriod
  return warn(
    `${missingParts(nextPeriod)} of ${parts} parts of the next period are missing, for ${shardList(missing.map(({ shard }) => shard))}; they are needed from ${minute(neededMs)}`,
    'no action on this node: it asks the other replicas again and again; `geotrace doctor` names the peers that do not answer, so ask their operators',
  )
}

/** Whether this node seems to have the federation.json of another founding: more peers say so than agree with it. */
export function hasStrayed({ status: { reach }, strayed }: Pick<HintInit, 'status' | 'strayed'>): boolean {
  return strayed.length > (reach?.answered ?? 0)
}

function strayedHint(init: HintInit): Hint | undefined {
  const { strayed, federationId } = init
  if (strayed.length === 0) return undefined
  const what = `${plural(strayed.length, 'peer runs', 'peers run')} another federation than ${federationId}: ${strayed.join(', ')}`
  return hasStrayed(init)
    ? fail(
        what,
        'the federation.json of this node is of another founding: ask your founder for the right file and its id',
      )
    : warn(what, 'send their operators your federation.json and its id; `geotrace status` shows the id')
}

function diskHint({ diskFreeBytes }: HintInit): Hint | undefined {
  if (diskFreeBytes >= DISK_LEAST_BYTES) return undefined
  const what = `${mebibytes(diskFreeBytes)} of the disk are free`
  return diskFreeBytes < DISK_FULL_BYTES
    ? fail(
        `${what}, so this node can store no quota and refuses requests`,
        'free some space; the node then serves again',
      )
    : warn(what, 'free some space; a node that cannot store quotas refuses requests')
}

/** A restart of this node would lose seeds that nobody else has. */
function soleHint({ status, view, nowMs }: HintInit): Hint | undefined {
  const { soleShards } = view
  if (!isSeated(status) || soleShards.length === 0 || upMs(status, nowMs) <= ALONE_MS) return undefined
  return warn(
    `no other replica of ${shardList(soleShards)} is online`,
    'keep this node running: its stop would leave their regions without salts until the next roster',
  )
}

/** `shard 2`, `shards 2, 5 and 9 more` */
export function shardList(shards: readonly number[]): string {
  const shown = shards.slice(0, SHARDS_SHOWN_MAX).join(', ')
  const more = shards.length > SHARDS_SHOWN_MAX ? ` and ${shards.length - SHARDS_SHOWN_MAX} more` : ''
  return `${shards.length === 1 ? 'shard' : 'shards'} ${shown}${more}`
}

function waitingHint({ status, view: { joining } }: HintInit): Hint | undefined {
  if (status.state !== 'waiting' || joining === undefined) return undefined
  return warn(joiningText(joining), joiningStep(joining))
}

function joiningStep({ endorsed, admitted, ranked }: Joining): string {
  if (admitted !== undefined || ranked !== undefined) return 'no action: keep the node running'
  if (endorsed === undefined)
    return 'send the file of `geotrace federation join` to sponsors; after their votes it takes three rosters'
  const missing = endorsed.needs - endorsed.by.length
  return missing > 0
    ? `ask ${missing} more of the operators to run \`geotrace federation vote\` on your file`
    : 'no action: keep the node running'
}

function forkHint({ status }: HintInit): Hint | undefined {
  if (status.membership?.isForked !== true) return undefined
  return fail(
    'two rosters of one period are certified, because a third of the operators or more voted twice',
    'talk to the other operators; this node keeps the roster that it received first and accepts no other',
  )
}

function pinsHint({ status }: HintInit): Hint | undefined {
  if (status.membership?.evidence.includes('pins') !== true) return undefined
  return warn(
    'the central peer signed two rosters for one epoch, so it may treat devices differently',
    'tell the other operators, and ask the authority whether two central peers run with one key',
  )
}

function rosterHint({ status: { roster }, nowMs }: HintInit): Hint | undefined {
  if (roster === undefined || nowMs < roster.untilMs) return undefined
  if (nowMs >= roster.reserveUntilMs) {
    return fail(
      `roster ${roster.height} has expired, and no newer roster is known`,
      'ask the other operators whether the federation continues; restart the node to look for a newer roster',
    )
  }
  return warn(
    `no roster after ${roster.height} is certified; its reserve lasts until ${minute(roster.reserveUntilMs)}`,
    'too few operators vote; `geotrace doctor` shows which peers are online',
  )
}

function coreHint({ status }: HintInit): Hint | undefined {
  if (isPinned(status)) return undefined
  return warn(
    'the federation pins another build of the core than this one',
    'upgrade: check out the version that your federation names, run `npm ci && npm run build`, and restart the node',
  )
}

function memoryHint({ memoryBytes, memoryMaxBytes }: HintInit): Hint | undefined {
  if (memoryBytes <= memoryMaxBytes * MEMORY_SHED_SHARE) return undefined
  return warn(
    `memory use is ${mebibytes(memoryBytes)} of ${mebibytes(memoryMaxBytes)}, so the node refuses salt requests`,
    'above the limit the node stops; raise --max-memory or lower --max-connections',
  )
}

function restoredHint({ abstainsUntilMs }: HintInit): Hint | undefined {
  if (abstainsUntilMs === undefined) return undefined
  return warn(
    `the node was restored from a backup and does not vote before ${minute(abstainsUntilMs)}`,
    'restart the node after that time; a second vote in one period would be proof against you',
  )
}

function socketsHint({ status }: HintInit): Hint | undefined {
  const { waiting } = status.network
  if (waiting < WAITING_MANY) return undefined
  return warn(
    `${waiting} sockets wait without sending, or reconnect too soon: an attack or a scanner`,
    'no action while `geotrace doctor` gets answers: the node closes each of these sockets after 10 s, and each costs 5 KiB',
  )
}

function busyHint({ status }: HintInit): Hint | undefined {
  const busy = status.refused.BUSY ?? 0
  if (busy === 0 || busy <= status.answered / ANSWERED_PER_BUSY) return undefined
  return warn(
    `${busy} requests were refused with BUSY`,
    'the limits or the machine are too small for the demand: see --max-connections, --max-mb-day, --max-memory',
  )
}

function upMs({ startedMs }: SaltNodeStatus, nowMs: number): number {
  return startedMs === undefined ? 0 : nowMs - startedMs
}
function warn(what: string, next: string): Hint {
  return { level: 'warn', what, next }
}
function fail(what: string, next: string): Hint {
  return { level: 'fail', what, next }
}
function seconds(ms: number): string {
  return ms < 120_000 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60_000)} min`
}
