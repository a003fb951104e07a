/**
 * A salt node's status as its volunteer reads it: one word of health, and what to do about what is not well.
 * node/README.md "Operating". Pure: numbers in, record out.
 */
import { EPOCH_MS } from '@geotrace/core-wasm/wire'
import type { Health, Hint, NodeStatus } from '../../admin/node-status.ts'
import { SKEW_MAX_MS } from '../../membership/clock-watch.ts'
import type { SaltNodeStatus } from '../../salt/node.ts'

/** Enough to want time synchronisation, long before the node stops serving. */
const DRIFT_MS = 5_000
/** Share of the memory cap above which salt requests are shed. */
export const MEMORY_SHED_SHARE = 0.9
/** Phones come in and speak within a moment. */
const WAITING_MANY = 100
/** Peers of a founding that nobody has answered for this long are worth a word. */
const LONELY_MS = 30_000

export interface ReportInit {
  status: SaltNodeStatus
  version: string
  node: string
  federation: string
  nowMs: number
  connectionsMax: number
  memoryBytes: number
  memoryMaxBytes: number
  /** Unix ms until which a restored node gives no vote; undefined when it votes. */
  abstainsUntilMs: number | undefined
  hasVote: boolean
  history: NodeStatus['history']
}

export function nodeStatus(init: ReportInit): NodeStatus {
  const { status, version, node, federation, nowMs, connectionsMax, memoryBytes, memoryMaxBytes, history } = init
  const { roster, core } = status
  const hints = toHints(init)
  return {
    version,
    node,
    federation,
    peerId: status.peerId,
    state: status.state,
    health: toHealth(status, nowMs),
    hints,
    nowMs,
    uptimeMs: status.startedMs === undefined ? 0 : nowMs - status.startedMs,
    roster: roster && {
      height: roster.height,
      name: roster.name,
      fromMs: roster.fromMs,
      untilMs: roster.untilMs,
      reserveUntilMs: roster.reserveUntilMs,
    },
    shardCount: roster?.shards ?? 0,
    shards: shardsNow(status, nowMs),
    reach: status.reach,
    clockOffsetMs: status.clockOffsetMs,
    answered: status.answered,
    refused: status.refused,
    requesters: status.requesters,
    network: status.network,
    connectionsMax,
    memoryBytes,
    memoryMaxBytes,
    core: { sha256: core, pinned: isPinned(status) },
    votes: init.hasVote && init.abstainsUntilMs === undefined,
    history,
  }
}

/** Those of the roster in force now; before it begins, of the first one. */
function shardsNow({ shards }: SaltNodeStatus, nowMs: number): SaltNodeStatus['shards'] {
  const begun = shards.filter(({ firstEpoch }) => firstEpoch * EPOCH_MS <= nowMs)
  const period = (begun.at(-1) ?? shards[0])?.firstEpoch
  return shards.filter(({ firstEpoch }) => firstEpoch === period)
}

export function toHealth(status: SaltNodeStatus, nowMs: number): Health {
  const { state, roster, shards, clockOffsetMs, membership } = status
  if (membership?.isForked === true) return 'forked'
  if (state !== 'serving') return state
  if (Math.abs(clockOffsetMs) > SKEW_MAX_MS) return 'clock-skewed'
  if (roster !== undefined && nowMs >= roster.reserveUntilMs) return 'roster-ended'
  if (shards.some(({ held }) => !held)) return 'seeds-missing'
  return 'serving'
}

function toHints({ status, nowMs, memoryBytes, memoryMaxBytes, abstainsUntilMs }: ReportInit): Hint[] {
  const { state, startedMs, roster, shards, reach, clockOffsetMs, refused } = status
  const hints: Hint[] = []
  const offset = Math.abs(clockOffsetMs)
  if (offset > SKEW_MAX_MS) {
    hints.push(
      fail(
        `the clock is ${seconds(offset)} off the other nodes': this node serves nobody`,
        'turn on time synchronisation; it serves again within a minute',
      ),
    )
  } else if (offset > DRIFT_MS) {
    hints.push(
      warn(
        `the clock is ${seconds(offset)} off the other nodes'`,
        'turn on time synchronisation; beyond 30 s the node stops serving',
      ),
    )
  }
  const upMs = startedMs === undefined ? 0 : nowMs - startedMs
  if (state === 'joining' && upMs > LONELY_MS) {
    const answering =
      reach === undefined || reach.answered === 0
        ? 'no other peer answers'
        : `${reach.answered} of ${reach.asked} peers answer`
    hints.push(
      warn(
        `no roster is certified yet, and ${answering}`,
        'peers certify it when enough of them are up; `geotrace doctor` tries their addresses and yours',
      ),
    )
  } else if (state === 'serving' && reach !== undefined && reach.asked > 0 && reach.answered * 2 < reach.asked) {
    hints.push(
      warn(
        `only ${reach.answered} of ${reach.asked} peers answer`,
        'if others reach each other, the fault is here: `geotrace doctor`',
      ),
    )
  }
  const missing = shards.filter(({ held }) => !held).map(({ shard }) => shard)
  // After a restart they come a moment later.
  if (state === 'serving' && missing.length > 0 && upMs > LONELY_MS) {
    hints.push(
      warn(
        `the seeds of shard ${missing.join(', ')} are missing`,
        'they come from another replica of the shard by themselves when one is up; if all restarted at once, with the next roster',
      ),
    )
  }
  if (state === 'waiting') {
    hints.push(
      warn(
        'no roster names this node yet',
        'send the file of `geotrace federation join` to sponsors; after their votes it takes three rosters',
      ),
    )
  }
  if (status.membership?.isForked === true) {
    hints.push(
      fail(
        'two rosters of one period are certified: a third of the operators or more voted twice',
        'talk to the other operators; this node keeps the roster that it saw first and takes no other',
      ),
    )
  }
  if (roster !== undefined && nowMs >= roster.reserveUntilMs) {
    hints.push(
      fail(
        `roster ${roster.height} has run out, and no newer one is known`,
        'ask the other operators whether the federation goes on; start the node again to look for a newer roster',
      ),
    )
  } else if (roster !== undefined && nowMs >= roster.untilMs) {
    hints.push(
      warn(
        `no newer roster than ${roster.height} is certified; it stands on its reserve until ${minute(roster.reserveUntilMs)}`,
        'too few operators vote: are the others up? `geotrace doctor`',
      ),
    )
  }
  if (!isPinned(status)) {
    hints.push(
      warn(
        'the federation pins another build of the core than this one',
        'upgrade: check out the version that your federation names, `npm ci && npm run build`, start again',
      ),
    )
  }
  if (memoryBytes > memoryMaxBytes * MEMORY_SHED_SHARE) {
    hints.push(
      warn(
        `memory is at ${mib(memoryBytes)} of ${mib(memoryMaxBytes)} MiB: salt requests are shed`,
        'beyond the cap the node stops; --max-memory or --max-connections change it',
      ),
    )
  }
  if (abstainsUntilMs !== undefined) {
    hints.push(
      warn(
        `restored from a backup: gives no vote before ${minute(abstainsUntilMs)}`,
        'start it again after that; two votes in one period would be proof against you',
      ),
    )
  }
  const { waiting } = status.network
  if (waiting >= WAITING_MANY) {
    hints.push(
      warn(
        `${waiting} sockets wait at the door and say nothing, or come again too soon: an attack, or a scanner`,
        'nothing to do while `geotrace doctor` finds it answering: they are closed after 10 s, and cost 5 KiB each',
      ),
    )
  }
  const full = refused.BUSY ?? 0
  if (full > 0 && full > status.answered / 100) {
    hints.push(
      warn(
        `${full} requests were turned away as BUSY`,
        'the caps are low for the demand, or the machine is: see --max-connections, --max-mb-day, --max-memory',
      ),
    )
  }
  return hints
}

function isPinned({ roster, core }: SaltNodeStatus): boolean {
  return roster === undefined || roster.core.simd === core || roster.core.scalar === core
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
function mib(bytes: number): number {
  return Math.round(bytes / (1 << 20))
}
function minute(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}
