/** The sight of each party on one sync, from the frames that left the device. Pure. */
import {
  decodeEvaluateRequest,
  decodeSaltRequest,
  EVALUATE_PROTOCOL,
  type Manifest,
  RELAY_PROTOCOL,
  SALT_PROTOCOL,
} from '@geotrace/core-wasm/wire'
import type { SentFrame } from './watched-dialer.ts'

const EPOCH_MS = 80 * 60_000
const MINUTE_MS = 60_000

export interface Seen {
  /** Distinct salt nodes that were asked for salts or evaluations. */
  nodes: number
  shards: number[]
  /** Unix ms: the time that these nodes can tell. */
  from: number
  until: number
  /** Blinded elements, or time blocks of salts, that the node saw which was asked most. */
  items: number
  /** Whether `items` are blinded elements. */
  isBlinded: boolean
  /** Sealed syncs at the relay, which sees their size only. */
  sealedBytes: number
  /** Requests for rosters and pins. */
  rosters: number
  messages: number
  bytes: number
}

/** `frames` of one sync. */
export function framesToSeen(frames: readonly SentFrame[], { parameters }: Manifest): Seen {
  const asked = frames.filter(({ protocol }) => protocol === SALT_PROTOCOL.id || protocol === EVALUATE_PROTOCOL.id)
  const requests = asked.map(({ peer, protocol, frame }) => ({
    peer,
    ...(protocol === SALT_PROTOCOL.id ? saltsOf(frame) : evaluationsOf(frame)),
  }))
  const byNode = new Map<string, number>()
  for (const { peer, items } of requests) byNode.set(peer, (byNode.get(peer) ?? 0) + items)
  const sealed = frames.filter(({ protocol }) => protocol === RELAY_PROTOCOL.id)
  return {
    nodes: byNode.size,
    shards: [...new Set(requests.map(({ shard }) => shard))].sort((a, b) => a - b),
    from: Math.min(...requests.map(({ from }) => from)),
    until: Math.max(...requests.map(({ until }) => until)),
    items: Math.max(0, ...byNode.values()),
    isBlinded: parameters.salting === 'threshold',
    sealedBytes: sealed.reduce((sum, { frame }) => sum + frame.length, 0),
    rosters: frames.length - asked.length - sealed.length,
    messages: frames.length,
    bytes: frames.reduce((sum, { frame }) => sum + frame.length, 0),
  }
}

function saltsOf(frame: Uint8Array) {
  const { shard, blocks } = decodeSaltRequest(frame)
  return {
    shard,
    items: blocks.length,
    from: Math.min(...blocks.map(({ size, n }) => size * n)) * MINUTE_MS,
    until: Math.max(...blocks.map(({ size, n }) => size * (n + 1))) * MINUTE_MS,
  }
}

function evaluationsOf(frame: Uint8Array) {
  const { shard, epochs, elements } = decodeEvaluateRequest(frame)
  return {
    shard,
    items: elements.flat().length,
    from: epochs[0]! * EPOCH_MS,
    until: (epochs.at(-1)! + 1) * EPOCH_MS,
  }
}
