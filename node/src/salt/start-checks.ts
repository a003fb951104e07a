/**
 * What must hold before a salt node opens a file or a port. PROTOCOL.md §4.3, §5.
 */
import type { Core } from '@geotrace/core-wasm'
import {
  bytesToHex,
  DEMO_PHRASE,
  demoSecret,
  FederationError,
  isLoopback,
  type Manifest,
} from '@geotrace/core-wasm/wire'
import { nativeSigner } from '../membership/native-signer.ts'
import type { Peer } from '../membership/peers.ts'

/** Throws MANIFEST_INVALID: the central peer must not hold a shard. */
export function assertMember({ member }: Peer): void {
  if (member !== undefined) return
  const reason = 'the central peer holds no shard'
  throw new FederationError('MANIFEST_INVALID', `federation.json: members: ${reason}`, { path: 'members', reason })
}

/** Throws CORE_MISMATCH. */
export function assertCore(manifest: Manifest, { sha256 }: Pick<Core, 'sha256'>): void {
  const { simd, scalar } = manifest.core
  if (sha256 === simd || sha256 === scalar) return
  throw new FederationError('CORE_MISMATCH', 'the core is not one that this federation pins', {
    want: simd,
    got: sha256,
  })
}

/** Throws ADDRESS_NOT_LOOPBACK. The manifest's own addresses were checked when it was read; these may be others. */
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
