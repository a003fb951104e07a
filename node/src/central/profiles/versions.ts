/**
 * The versions of the profile in `profiles.json` of the peer's directory. node/CENTRAL.md "Profiles". Each version is signed by
 * the key of the central peer, and none is ever changed: a rollback is a new version with old settings. The newest version is
 * in force from the next start. Throws STORAGE_CORRUPT, COMMAND_INVALID.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  bytesToHex,
  FederationError,
  hexToBytes,
  isValidSignature,
  type Signer,
  signContent,
  utf8,
} from '@geotrace/core-wasm/wire'
import * as z from 'zod/mini'
import { replaceFile } from '../../platform/atomic-file.ts'
import type { CentralConfig } from '../config.ts'
import { type ProfileSettings, toSettings } from './settings.ts'

const PROFILES_FILE = 'profiles.json'
const VERSIONS_MAX = 10_000

const schema = z.strictObject({
  version: z.int().check(z.minimum(1), z.maximum(VERSIONS_MAX)),
  /** When it was signed, Unix ms. */
  at: z.int(),
  settings: z.unknown(),
  signature: z.string().check(z.regex(/^[0-9a-f]{128}$/)),
})

export interface ProfileVersion {
  readonly version: number
  readonly at: number
  readonly settings: ProfileSettings
  readonly signature: string
}

/** All versions, the oldest first; a peer without the file has none. `key` is that of the central peer. */
export async function readProfiles(dir: string, key: Uint8Array): Promise<ProfileVersion[]> {
  const path = join(dir, PROFILES_FILE)
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
  try {
    const versions = z
      .array(schema)
      .parse(JSON.parse(text))
      .map((item) => toVersion(item, key))
    if (versions.every(({ version }, i) => version === i + 1)) return versions
  } catch {
    // The error below says what to do.
  }
  throw new FederationError('STORAGE_CORRUPT', `${path} was changed or damaged; restore the file`, { what: path })
}

/** Keeps a signed version, which must be the next one. Throws COMMAND_INVALID. */
export async function appendProfile(dir: string, key: Uint8Array, body: unknown): Promise<ProfileVersion> {
  const versions = await readProfiles(dir, key)
  const parsed = schema.safeParse(body)
  if (!parsed.success) return invalid('expected a signed version of a profile')
  const added = toVersion(parsed.data, key)
  if (added.version !== versions.length + 1) invalid(`expected version ${versions.length + 1}, got ${added.version}`)
  await replaceFile(join(dir, PROFILES_FILE), `${JSON.stringify([...versions, added])}\n`)
  return added
}

export function signProfile(settings: ProfileSettings, version: number, at: number, signer: Signer): ProfileVersion {
  const signature = signContent(signer, 'geotrace/profile', toContent({ version, at, settings }))
  return { version, at, settings, signature: bytesToHex(signature) }
}

/** The settings of a central peer that follow from a version. */
export function versionToConfig({ version, settings }: ProfileVersion): Partial<CentralConfig> {
  const { infectiousBefore, infectiousAfter, ...profile } = settings
  return { profile, infectiousBefore, infectiousAfter, profileVersion: version }
}

function toVersion({ version, at, settings, signature }: z.infer<typeof schema>, key: Uint8Array): ProfileVersion {
  const made = { version, at, settings: toSettings(settings) }
  if (!isValidSignature(key, 'geotrace/profile', toContent(made), hexToBytes(signature)))
    invalid(`version ${version} is not signed by this central peer`)
  return { ...made, signature }
}

/** The names in one order, because JSON keeps the order of its writer. */
function toContent({ version, at, settings }: Omit<ProfileVersion, 'signature'>): Uint8Array {
  const sorted = (value: object): unknown[] => Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  const { sizes, ...rest } = settings
  return utf8(JSON.stringify([version, at, sorted(rest), sorted(sizes)]))
}

function invalid(reason: string): never {
  throw new FederationError('COMMAND_INVALID', reason, { reason })
}
