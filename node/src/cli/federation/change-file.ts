/**
 * A signed change as a JSON file that operators send to each other: readable fields, and the signed bytes in base64. A
 * reader uses only the bytes; the other fields are written from them. Throws COMMAND_INVALID.
 */
import { decodeChange, EPOCH_MS, FederationError, type SignedChange } from '@geotrace/core-wasm/wire'
import { changeToBase64, changeToText } from '../../admin/membership-routes.ts'
import { readSmallFile } from '../terminal/small-file.ts'

/** A week of epochs: enough time to find sponsors. After that week a forgotten file is invalid. */
const CHANGE_LIFE_EPOCHS = 126
/** A change with the signatures of all operators has less than half of this. */
const FILE_MAX_BYTES = 262_144

interface ChangeFile {
  what: string
  until: string
  signatures: number
  /** Base64. */
  change: string
}

export function untilEpoch(nowMs: number): number {
  return Math.floor(nowMs / EPOCH_MS) + CHANGE_LIFE_EPOCHS
}

export function changeToFile(signed: SignedChange): ChangeFile {
  return {
    what: changeToText(signed.change, undefined),
    until: new Date(signed.change.until * EPOCH_MS).toISOString(),
    signatures: signed.signatures.length,
    change: changeToBase64(signed),
  }
}

/** Throws COMMAND_INVALID. */
export function readChangeFile(path: string): SignedChange {
  const next = 'name a file that `geotrace federation join` or `propose` printed'
  const text = readSmallFile(path, { what: 'change', maxBytes: FILE_MAX_BYTES, next }).toString('utf8')
  try {
    const { change } = JSON.parse(text) as ChangeFile
    return decodeChange(new Uint8Array(Buffer.from(change, 'base64')))
  } catch (cause) {
    const reason = `expected a signed change in ${path}`
    throw new FederationError('COMMAND_INVALID', `${reason}; ${next}`, { reason, next }, { cause })
  }
}
