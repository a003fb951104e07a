/**
 * The checks that must pass before a salt node listens. PROTOCOL.md §4.1, §4.3.
 * Throws MANIFEST_INVALID, CORE_MISMATCH, ADDRESS_NOT_LOOPBACK.
 */
import type { Core } from '@geotrace/core-wasm'
import {
  bytesToHex,
  DEMO_PHRASE,
  demoSecret,
  FederationError,
  isLoopback,
  keyToPeerId,
  type Manifest,
  type Roster,
} from '@geotrace/core-wasm/wire'
import { nativeSigner } from '../platform/native-signer.ts'

/** Throws MANIFEST_INVALID: the central peer must not hold a shard. */
export function assertServable({ central }: Manifest, key: Uint8Array): void {
  if (keyToPeerId(key) === central.peerId) refuse('members', 'the central peer holds no shard')
}

/** Throws CORE_MISMATCH unless the manifest or the newest roster known pins this core. */
export function assertCore({ core: founding }: Manifest, newest: Roster | undefined, core: Pick<Core, 'sha256'>): void {
  const pins = [founding, ...(newest === undefined ? [] : [toHex(newest.core)])]
  if (pins.some(({ simd, scalar }) => core.sha256 === simd || core.sha256 === scalar)) return
  throw new FederationError(
    'CORE_MISMATCH',
    'the federation does not pin this build of the core; install a version that it pins',
    {
      want: pins.at(-1)!.simd,
      got: core.sha256,
    },
  )
}

/** Whether the roster pins this core. If not, the volunteer should upgrade. */
export function isCoreOf(roster: Roster, { sha256 }: Pick<Core, 'sha256'>): boolean {
  const { simd, scalar } = toHex(roster.core)
  return sha256 === simd || sha256 === scalar
}

function toHex({ simd, scalar }: Roster['core']): Manifest['core'] {
  return { simd: bytesToHex(simd), scalar: bytesToHex(scalar) }
}

/** Throws ADDRESS_NOT_LOOPBACK for demo keys off the loopback. Parsing the manifest checked its own addresses only. */
export function assertDemoIsLocal(manifest: Manifest, listen: readonly string[]): void {
  const address = listen.find((item) => !isLoopback(item))
  if (address === undefined) return
  const isPublished = manifest.operators.some(
    ({ name, key }) => bytesToHex(nativeSigner(demoSecret(DEMO_PHRASE, `operator/${name}`)).key) === key,
  )
  if (manifest.demo === undefined && !isPublished) return
  const message = `demo keys are public and serve only on this machine, not on ${address}`
  throw new FederationError('ADDRESS_NOT_LOOPBACK', message, { address })
}

function refuse(path: string, reason: string): never {
  throw new FederationError('MANIFEST_INVALID', `federation.json: ${path}: ${reason}`, { path, reason })
}
