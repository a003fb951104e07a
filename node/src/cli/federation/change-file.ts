/**
 * A signed change as a JSON file that operators send to each other: readable fields, and the signed bytes in base64. A
 * reader uses only the bytes; the other fields are written from them. Throws COMMAND_INVALID.
 */
import { readFileSync } from 'node:fs'
import { decodeChange, EPOCH_MS, FederationError, type SignedChange } from '@geotrace/core-wasm/wire'
import { changeToBase64, changeToText } from '../../admin/membership-routes.ts'
import { invalidCommand } from '../terminal/options.ts'

/** A week of epochs: enough time to find sponsors. After that week a forgotten file is invalid. */
const CHANGE_LIFE_EPOCHS = 126

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
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    return invalidCommand(`cannot read ${path}; name a file that \`geotrace federation join\` or \`propose\` printed`)
  }
  try {
    const { change } = JSON.parse(text) as ChangeFile
    return decodeChange(new Uint8Array(Buffer.from(change, 'base64')))
  } catch (cause) {
    const reason = `expected a signed change in ${path}; \`geotrace federation join\` or \`propose\` prints one`
    throw new FederationError('COMMAND_INVALID', reason, { reason }, { cause })
  }
}
