/** Splits a frame that leaves the device into its fields. PROTOCOL.md §7.1 to §7.3, §7.6. Widths come from the wire's constants. */
import {
  bytesToHex,
  decodeEvaluateRequest,
  decodeSaltRequest,
  decodeSyncRequest,
  ELEMENT_BYTES,
  EVALUATE_PROTOCOL,
  GROUP_HEAD_BYTES,
  KEY_BYTES,
  type Manifest,
  RELAY_PROTOCOL,
  ROSTER_NAME_BYTES,
  ROW_BYTES,
  SALT_PROTOCOL,
  SPREAD_SLIP_BYTES,
  SYNC_ID_BYTES,
  USER_SECRET_BYTES,
} from '@geotrace/core-wasm/wire'
import { format, later } from './text/text.ts'

export interface Field {
  name: string
  /** The field's meaning, for people. */
  says: string
  bytes: number
  kind: 'head' | 'secret' | 'time' | 'hash' | 'code' | 'padding'
}

const EPOCH_MS = 80 * 60_000
const EPOCH_BYTES = 4
const KIND_BYTES = 32
const SALT_BLOCK_BYTES = 5

/** The name of a sync before it is sealed, in the place of a protocol. */
export const OPENED_SYNC = 'sync'

/** The fields of `frame`, in order, covering every byte. */
export function frameToFields(protocol: string, frame: Uint8Array, manifest: Manifest): Field[] {
  if (protocol === OPENED_SYNC) return syncFields(frame, manifest)
  if (protocol === RELAY_PROTOCOL.id) return sealedFields(frame)
  if (protocol === SALT_PROTOCOL.id) return saltFields(frame)
  if (protocol === EVALUATE_PROTOCOL.id) return evaluateFields(frame)
  return [{ ...later().frames.request, bytes: frame.length, kind: 'head' }]
}

function sealedFields(frame: Uint8Array): Field[] {
  const { frames: text } = later()
  return [
    { ...text.sealedVersion, bytes: 1, kind: 'head' },
    { ...text.oneTimeKey, bytes: KEY_BYTES, kind: 'secret' },
    { ...text.sealedSync, bytes: frame.length - 1 - KEY_BYTES, kind: 'padding' },
  ]
}

function syncFields(frame: Uint8Array, manifest: Manifest): Field[] {
  const { minute, groups, report, generation, cursor } = decodeSyncRequest(frame, manifest.parameters.syncRequestBytes)
  const { frames: text } = later()
  const { time } = format()
  const fields: Field[] = [
    { ...text.version, bytes: 1, kind: 'head' },
    { name: text.minute, says: minute === 0 ? text.filledIn : time(minute * 60_000), bytes: 4, kind: 'time' },
    { ...text.secret, bytes: USER_SECRET_BYTES, kind: 'secret' },
    { ...text.syncId, bytes: SYNC_ID_BYTES, kind: 'head' },
    { name: text.kind, says: text.kinds[report.kind], bytes: KIND_BYTES, kind: 'code' },
    { ...text.slip, bytes: 4 + SPREAD_SLIP_BYTES, kind: 'padding' },
    { name: text.marks, says: text.marksSay(generation, cursor), bytes: 8, kind: 'head' },
    { name: text.groups, says: text.epochs(groups.length), bytes: 1, kind: 'head' },
  ]
  for (const { epoch, rows } of groups) {
    const back = rows.filter(({ lags }) => lags === 0).length
    const from = time(epoch * EPOCH_MS)
    const says = back === 0 ? text.rows(rows.length, from) : text.rowsBack(rows.length, back, from)
    fields.push({ name: text.epoch, says, bytes: GROUP_HEAD_BYTES, kind: 'time' })
    fields.push({ ...text.hashes, bytes: rows.length * ROW_BYTES, kind: 'hash' })
  }
  const left = frame.length - fields.reduce((sum, field) => sum + field.bytes, 0)
  fields.push({ ...text.padding, bytes: left, kind: 'padding' })
  return fields
}

function saltFields(frame: Uint8Array): Field[] {
  const { shard, blocks, roster } = decodeSaltRequest(frame)
  const { frames: text } = later()
  const { time, number } = format()
  const sizes = [...new Set(blocks.map(({ size }) => size))].sort((a, b) => a - b)
  const first = Math.min(...blocks.map(({ size, n }) => size * n)) * 60_000
  const last = Math.max(...blocks.map(({ size, n }) => size * (n + 1))) * 60_000
  return [
    { name: text.suite, says: text.plain, bytes: 2, kind: 'head' },
    rosterField(roster),
    { name: text.shard, says: text.shardSays(shard), bytes: 2, kind: 'head' },
    { name: text.count, says: text.salts(blocks.length), bytes: 1, kind: 'head' },
    {
      name: text.blocks,
      says: text.blocksSay(sizes.map(number), time(first), time(last)),
      bytes: blocks.length * SALT_BLOCK_BYTES,
      kind: 'time',
    },
  ]
}

function evaluateFields(frame: Uint8Array): Field[] {
  const { shard, roster, wantsKeys, epochs, elements } = decodeEvaluateRequest(frame)
  const { frames: text } = later()
  const { time } = format()
  return [
    { name: text.suite, says: text.threshold, bytes: 2, kind: 'head' },
    rosterField(roster),
    { name: text.shard, says: text.shardSays(shard), bytes: 2, kind: 'head' },
    {
      name: text.flags,
      says: text.flagsSay(elements[0]!.length, epochs.length, wantsKeys),
      bytes: 3,
      kind: 'head',
    },
    {
      name: text.epoch,
      says: text.epochsSay(time(epochs[0]! * EPOCH_MS), time((epochs.at(-1)! + 1) * EPOCH_MS)),
      bytes: epochs.length * EPOCH_BYTES,
      kind: 'time',
    },
    { ...text.elements, bytes: elements.flat().length * ELEMENT_BYTES, kind: 'hash' },
  ]
}

function rosterField(roster: Uint8Array): Field {
  const { frames: text } = later()
  return { name: text.roster, says: text.rosterSays(bytesToHex(roster)), bytes: ROSTER_NAME_BYTES, kind: 'head' }
}
