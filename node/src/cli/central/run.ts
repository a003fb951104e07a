/** What `geotrace central run` does: the central peer as a process. node/CENTRAL.md. */
import { join } from 'node:path'
import { membershipRoutes } from '../../admin/membership-routes.ts'
import { healthAnswer } from '../../admin/probes.ts'
import { centralPeer } from '../../central/peer.ts'
import { centralRoutes } from '../../central/routes.ts'
import { manifestClock } from '../../manifest-clock.ts'
import { systemRandom } from '../../random.ts'
import { runDaemon } from '../daemon.ts'
import { loadIdentity } from '../identity.ts'
import { readManifest } from '../options.ts'
import type { Output } from '../output.ts'
import { assertPortsFree } from '../ports.ts'
import { openProbes } from '../probe-ports.ts'
import { processLog } from '../process-log.ts'
import { optionsToCertificate, optionsToListen, type RunOptions } from '../run-options.ts'

export async function runCentral(options: RunOptions & { degrees: number }, out: Output): Promise<void> {
  const { secret, operatorSecret } = loadIdentity(options.dir)
  const manifest = readManifest(options.federation ?? join(options.dir, 'federation.json'))
  const [clock, random, log] = [manifestClock(manifest), systemRandom, processLog('central', options.logLevel, out)]
  const listen = optionsToListen(options, manifest.central.addresses)
  await assertPortsFree(listen, 'geotrace central run')
  const certificate = optionsToCertificate(options, log)
  const peer = centralPeer({
    manifest,
    secret,
    ...(operatorSecret && { operatorSecret }),
    dir: options.dir,
    listen,
    ...(options.localAddress !== undefined && { localAddress: options.localAddress }),
    ...(certificate && { certificate }),
    config: { degrees: options.degrees },
    clock,
    random,
    log,
  })
  const probe = () => healthAnswer({ health: peer.status().state })
  const probes = await openProbes([{ port: options.healthPort, option: '--health-port', path: '/healthz', probe }], log)
  try {
    const routes = { ...centralRoutes(peer), ...membershipRoutes(peer.membership) }
    await runDaemon({ dir: options.dir, peer, routes, random, log })
  } finally {
    certificate?.stop()
    for (const open of probes) await open.stop()
  }
}
