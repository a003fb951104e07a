/**
 * `geotrace salt run`: looks first whether the node can run at all, so that whoever has forgotten something is told at
 * once, then runs it. node/README.md. Throws COMMAND_INVALID, FILE_EXPOSED, PORT_TAKEN, MANIFEST_INVALID.
 */
import { join } from 'node:path'
import { keyToPeerId, type Manifest, secretToSigner } from '@geotrace/core-wasm/wire'
import { hostToAddresses, SALT_PORTS } from '../addresses.ts'
import { loadIdentity } from '../identity.ts'
import { readManifest } from '../options.ts'
import type { Output } from '../output.ts'
import { assertPortsFree } from '../ports.ts'
import { type CapOptions, optionsToListen, type RunOptions } from '../run-options.ts'
import { readCard } from './init.ts'

export async function runSalt(options: RunOptions & CapOptions, out: Output): Promise<void> {
  const identity = loadIdentity(options.dir)
  const manifest = readManifest(options.federation ?? join(options.dir, 'federation.json'))
  const peerId = keyToPeerId(secretToSigner(identity.secret).key)
  const listen = optionsToListen(options, ownAddresses(manifest, peerId, options.dir))
  await assertPortsFree(listen, 'geotrace salt run')
  // libp2p and level take a second to load.
  const { serve } = await import('./serve.ts')
  await serve({ options, identity, manifest, peerId, listen, out })
}

/** Where others expect this node: what the federation says, else its card, else the ports that everybody takes. */
export function ownAddresses(manifest: Manifest, peerId: string, dir: string): readonly string[] {
  const member = manifest.members.find((item) => item.peerId === peerId)
  return member?.addresses ?? readCard(dir)?.addresses ?? hostToAddresses('0.0.0.0', SALT_PORTS)
}
