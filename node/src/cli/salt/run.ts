/**
 * `geotrace salt run`: checks keys, manifest and ports, so that a missing part is reported at once, and then runs the node.
 * node/README.md. Throws COMMAND_INVALID, FILE_EXPOSED, PORT_TAKEN, MANIFEST_INVALID.
 */
import { join } from 'node:path'
import { keyToPeerId, type Manifest, secretToSigner } from '@geotrace/core-wasm/wire'
import { hostToAddresses, SALT_PORTS } from '../identity/addresses.ts'
import { readCard } from '../identity/card.ts'
import { assertOwnCommitment } from '../identity/founding-nonce.ts'
import { loadIdentity } from '../identity/identity.ts'
import { assertLocalAddress, assertPortsFree } from '../identity/ports.ts'
import { assertPortsDiffer, type CapOptions, optionsToListen, type RunOptions } from '../process/run-options.ts'
import { dirOption, readManifest } from '../terminal/options.ts'
import type { Output } from '../terminal/output.ts'

export async function runSalt(options: RunOptions & CapOptions, out: Output): Promise<void> {
  const identity = loadIdentity(options.dir)
  const manifest = readManifest(options.federation ?? join(options.dir, 'federation.json'))
  const peerId = keyToPeerId(secretToSigner(identity.secret).key)
  assertOwnCommitment(options.dir, manifest, peerId)
  const addresses = ownAddresses(manifest, peerId, options.dir)
  const listen = optionsToListen(options, addresses.length > 0 ? addresses : hostToAddresses('0.0.0.0', SALT_PORTS))
  assertPortsDiffer(listen, { '--health-port': options.healthPort, '--metrics-port': options.metricsPort })
  await assertLocalAddress(options.localAddress)
  await assertPortsFree(listen, 'salt', dirOption(options.dir, 'salt'))
  // libp2p and level take a second to load.
  const { serve } = await import('./serve.ts')
  await serve({ options, identity, manifest, peerId, addresses, listen, out })
}

/** The public addresses of this node: those of its card, otherwise those of the manifest. */
export function ownAddresses(manifest: Manifest, peerId: string, dir: string): readonly string[] {
  const member = manifest.members.find((item) => item.peerId === peerId)
  return readCard(dir)?.addresses ?? member?.addresses ?? []
}
