/**
 * `geotrace central run`: runs the central peer as a process. node/CENTRAL.md. Throws COMMAND_INVALID, FILE_EXPOSED,
 * PORT_TAKEN, MANIFEST_INVALID, and the errors of the store.
 */
import { join } from 'node:path'
import { keyToPeerId, secretToSigner } from '@geotrace/core-wasm/wire'
import { membershipRoutes } from '../../admin/membership-routes.ts'
import { healthAnswer } from '../../admin/probes.ts'
import { type CentralPeerInit, centralPeer } from '../../central/peer.ts'
import { manifestClock } from '../../platform/manifest-clock.ts'
import { systemRandom } from '../../platform/random.ts'
import { federationName } from '../identity/federation-name.ts'
import { assertOwnCommitment } from '../identity/founding-nonce.ts'
import { loadIdentity } from '../identity/identity.ts'
import { assertLocalAddress, assertPortsFree } from '../identity/ports.ts'
import { runDaemon } from '../process/daemon.ts'
import { lookRegularly } from '../process/look.ts'
import { openProbes } from '../process/probe-ports.ts'
import { processLog } from '../process/process-log.ts'
import { assertPortsDiffer, optionsToCertificate, optionsToListen, type RunOptions } from '../process/run-options.ts'
import { wasRestored } from '../salt/restored.ts'
import { dirOption, readManifest } from '../terminal/options.ts'
import type { Output } from '../terminal/output.ts'
import { centralRoutes } from './routes.ts'

interface CentralRunOptions extends RunOptions {
  degrees: number
  storeCeiling?: number
  newStore?: boolean
}

export async function runCentral(options: CentralRunOptions, out: Output): Promise<void> {
  const { secret, operatorSecret } = loadIdentity(options.dir)
  const manifest = readManifest(options.federation ?? join(options.dir, 'federation.json'))
  assertOwnCommitment(options.dir, manifest, keyToPeerId(secretToSigner(secret).key))
  const [clock, random, federationId] = [manifestClock(manifest), systemRandom, federationName(manifest)]
  const listen = optionsToListen(options, manifest.central.addresses)
  assertPortsDiffer(listen, { '--health-port': options.healthPort })
  await assertLocalAddress(options.localAddress)
  await assertPortsFree(listen, 'central', dirOption(options.dir, 'central'))
  const { addresses } = manifest.central
  const facts = { peerId: keyToPeerId(secretToSigner(secret).key), federation: federationId, addresses, listen }
  const log = processLog('central', facts, options.logLevel, out)
  const certificate = optionsToCertificate(options, log)
  const peer = centralPeer({
    manifest,
    secret,
    ...(operatorSecret && { operatorSecret }),
    dir: options.dir,
    listen,
    ...(options.localAddress !== undefined && { localAddress: options.localAddress }),
    ...(certificate && { certificate }),
    config: {
      degrees: options.degrees,
      ...(options.storeCeiling !== undefined && { storeCeilingMib: options.storeCeiling }),
    },
    ...toFounding(options),
    clock,
    random,
    log,
  })
  const probe = async () => healthAnswer(await peer.condition(), federationId)
  const probes = await openProbes([{ port: options.healthPort, option: '--health-port', path: '/healthz', probe }], log)
  const stopLooking = lookRegularly(peer, clock, log)
  try {
    const routes = { ...centralRoutes(peer, federationId), ...membershipRoutes(peer.membership, clock) }
    if ((await runDaemon({ role: 'central', dir: options.dir, peer, routes, random, log })) === 1) out.fails()
  } finally {
    stopLooking()
    certificate?.stop()
    for (const open of probes) await open.stop()
  }
}

function toFounding({ dir, newStore }: CentralRunOptions): Pick<CentralPeerInit, 'founding'> {
  if (newStore === true) return { founding: 'anew' }
  return wasRestored(dir) ? { founding: 'restored' } : {}
}
