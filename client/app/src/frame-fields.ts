/** Splits a frame that leaves the device into its fields. PROTOCOL.md §7.1 to §7.3. Widths come from the wire's constants. */
import {
  bytesToHex,
  decodeSaltRequest,
  decodeSyncRequest,
  GROUP_HEAD_BYTES,
  type Manifest,
  ROSTER_NAME_BYTES,
  ROW_BYTES,
  SALT_PROTOCOL,
  SLIP_BYTES,
  SYNC_ID_BYTES,
  SYNC_PROTOCOL,
  USER_SECRET_BYTES,
} from '@geotrace/core-wasm/wire'
import { time } from './words.ts'

export interface Field {
  name: string
  /** The field's meaning, for people. */
  says: string
  bytes: number
  kind: 'head' | 'secret' | 'time' | 'hash' | 'code' | 'padding'
}

const EPOCH_MS = 80 * 60_000
const KIND_BYTES = 32
const SALT_BLOCK_BYTES = 5

/** The fields of `frame`, in order, covering every byte. */
export function frameToFields(protocol: string, frame: Uint8Array, manifest: Manifest): Field[] {
  if (protocol === SYNC_PROTOCOL.id) return syncFields(frame, manifest)
  if (protocol === SALT_PROTOCOL.id) return saltFields(frame)
  return [{ name: 'request', says: 'the wish for a roster', bytes: frame.length, kind: 'head' }]
}

function syncFields(frame: Uint8Array, manifest: Manifest): Field[] {
  const { minute, groups, report, generation, cursor } = decodeSyncRequest(frame, manifest.parameters.syncRequestBytes)
  const kinds = {
    none: 'nothing to report',
    code: 'a report code',
    erase: 'erase everything of mine',
    withdraw: 'withdraw my report',
  }
  const fields: Field[] = [
    { name: 'version', says: 'frames of version 2', bytes: 1, kind: 'head' },
    {
      name: 'minute',
      says: minute === 0 ? 'filled in when it is sent' : time(minute * 60_000),
      bytes: 4,
      kind: 'time',
    },
    {
      name: 'user secret',
      says: 'who deposits: a random number of this device',
      bytes: USER_SECRET_BYTES,
      kind: 'secret',
    },
    { name: 'sync id', says: 'random, so that a repetition is known as one', bytes: SYNC_ID_BYTES, kind: 'head' },
    { name: 'kind', says: kinds[report.kind], bytes: KIND_BYTES, kind: 'code' },
    { name: 'slip', says: 'empty: the space of a contribution to a map', bytes: SLIP_BYTES, kind: 'padding' },
    { name: 'marks so far', says: `generation ${generation}, ${cursor} read`, bytes: 8, kind: 'head' },
    { name: 'groups', says: `${groups.length} epochs`, bytes: 1, kind: 'head' },
  ]
  for (const { epoch, rows } of groups) {
    const back = rows.filter(({ lags }) => lags === 0).length
    const what = back === 0 ? `${rows.length} hashes` : `${rows.length} hashes, ${back} of them to be erased,`
    const says = `${what} of the 80 minutes from ${time(epoch * EPOCH_MS)}`
    fields.push({ name: 'epoch', says, bytes: GROUP_HEAD_BYTES, kind: 'time' })
    fields.push({
      name: 'risk hashes',
      says: '12 bytes each, and one for the length of its block; nobody can read a place out of them without the salts',
      bytes: rows.length * ROW_BYTES,
      kind: 'hash',
    })
  }
  const left = frame.length - fields.reduce((sum, field) => sum + field.bytes, 0)
  fields.push({ name: 'padding', says: 'zeros, so that all syncs are of a few sizes', bytes: left, kind: 'padding' })
  return fields
}

function saltFields(frame: Uint8Array): Field[] {
  const { shard, blocks, roster } = decodeSaltRequest(frame)
  const sizes = [...new Set(blocks.map(({ size }) => size))].sort((a, b) => a - b)
  const first = Math.min(...blocks.map(({ size, n }) => size * n)) * 60_000
  const last = Math.max(...blocks.map(({ size, n }) => size * (n + 1))) * 60_000
  return [
    { name: 'version, suite', says: 'protocol 1, plain salts', bytes: 2, kind: 'head' },
    { name: 'roster', says: `of the federation: ${bytesToHex(roster)}`, bytes: ROSTER_NAME_BYTES, kind: 'head' },
    { name: 'shard', says: `${shard}: one of the world’s shares, everywhere at once`, bytes: 2, kind: 'head' },
    { name: 'count', says: `${blocks.length} salts`, bytes: 1, kind: 'head' },
    {
      name: 'time blocks',
      says: `of ${sizes.join(', ')} minutes, from ${time(first)} to ${time(last)}; no place`,
      bytes: blocks.length * SALT_BLOCK_BYTES,
      kind: 'time',
    },
  ]
}
