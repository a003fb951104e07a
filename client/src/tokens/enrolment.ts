/**
 * Whether this device is enrolled for tokens, and whether its federation has any. PROTOCOL.md §5.12. The secret names the
 * device to the issuer. No sync has it, and erasing the diary deletes it. Throws STORAGE_CORRUPT.
 */
import type { TokenParameters } from '@geotrace/core-wasm/wire'
import type { Device } from '../device/device.ts'
import { decodeRecord, encodeRecord } from '../storage/key-layout.ts'
import { put, type Storage, type StorageOperation } from '../storage/storage.ts'
import { TOKEN_KEYS } from '../storage/token-keys.ts'

interface Enrolment {
  /** Hex. */
  readonly secret: string
  readonly isEnrolled: boolean
}

export async function readEnrolment(storage: Storage): Promise<Enrolment | undefined> {
  const bytes = await storage.get(TOKEN_KEYS.enrolment)
  return bytes && decodeRecord<Enrolment>(TOKEN_KEYS.enrolment, bytes)
}

export function putEnrolment(enrolment: Enrolment): StorageOperation {
  return put(TOKEN_KEYS.enrolment, encodeRecord(enrolment))
}

/** The manifest and the rosters, which name the tokens of a federation. */
interface Source {
  readonly manifest: Device['manifest']
  readonly rosters?: Pick<NonNullable<Device['rosters']>, 'newest'> | undefined
}

/** The tokens of the newest roster that the device knows, before the first one those of the manifest. */
export function toTokenParameters({ manifest, rosters }: Source): TokenParameters | undefined {
  const newest = rosters?.newest
  return newest === undefined ? manifest.parameters.tokens : newest.roster.tokens
}
