/**
 * Runs a salt node as a process with its control server, page, probes and limits, until the process is stopped.
 * node/README.md "Operating". Throws PORT_TAKEN and the errors of `SaltNode.start`.
 */
import { type Clock, loadCore } from '@geotrace/core-wasm'
import { FederationError, hexToBytes, type Manifest, RELEASE_NAME_BYTES } from '@geotrace/core-wasm/wire'
import { membershipRoutes } from '../../admin/membership-routes.ts'
import { metrics } from '../../admin/metrics.ts'
import type { NodeStatus } from '../../admin/node-status.ts'
import { pageContent } from '../../admin/page/content.ts'
import { saltingText } from '../../admin/page/salting-words.ts'
import { healthAnswer } from '../../admin/probes.ts'
import { SALT_GAUGES } from '../../admin/salt-gauges.ts'
import type { AdminRoutes } from '../../admin/server.ts'
import type { Log } from '../../platform/log.ts'
import { manifestClock } from '../../platform/manifest-clock.ts'
import { systemRandom } from '../../platform/random.ts'
import { type SaltNode, saltNode } from '../../salt/node.ts'
import { spreadRole } from '../../spread/spread-role.ts'
import { federationName } from '../identity/federation-name.ts'
import type { Identity } from '../identity/identity.ts'
import { allowFile } from '../process/allow-file.ts'
import { allowance } from '../process/allowance.ts'
import type { CertificateFiles } from '../process/certificate-files.ts'
import { runDaemon } from '../process/daemon.ts'
import { lookRegularly } from '../process/look.ts'
import { type MemoryGuard, memoryGuard } from '../process/memory-guard.ts'
import { openProbes } from '../process/probe-ports.ts'
import { processLog } from '../process/process-log.ts'
import { type CapOptions, optionsToCertificate, type RunOptions } from '../process/run-options.ts'
import { dirOption } from '../terminal/options.ts'
import type { Output } from '../terminal/output.ts'
import { type OwnRelease, readOwnRelease } from '../verify/own-release.ts'
import { hintLog } from './hint-log.ts'
import { MEMORY_SHED_SHARE } from './hints.ts'
import { type ReleaseWatch, watchRelease } from './release-watch.ts'
import { abstainsUntil } from './restored.ts'
import { memoryBytes, saltTraffic, statusReader } from './status-reader.ts'

const MIB = 1 << 20
const MB = 1e6
/** The delay for a client that is refused near the memory limit. */
const RETRY_MS = 60_000

interface ServeInit {
  options: RunOptions & CapOptions
  identity: Identity
  manifest: Manifest
  peerId: string
  /** The public addresses of the node. */
  addresses: readonly string[]
  listen: readonly string[]
  out: Output
}
/** Values that several parts of the process use. */
interface Setting extends ServeInit {
  clock: Clock
  log: Log
  abstainsUntilMs: number | undefined
  certificate: CertificateFiles | undefined
  allowed: ReturnType<typeof allowFile> | undefined
  release: OwnRelease | undefined
}

export async function serve(init: ServeInit): Promise<void> {
  const { options, manifest, out } = init
  const clock = manifestClock(manifest)
  const log = processLog('salt', { ...init, federation: federationName(manifest) }, options.logLevel, out)
  const certificate = optionsToCertificate(options, log)
  if (manifest.parameters.salting === 'plain') log.warn('salting.weak')
  const allowed = options.allow === undefined ? undefined : allowFile(options.allow, log)
  const release = await readOwnRelease(options.dir)
  if (release !== undefined && release.differences.length > 0)
    log.warn('release.differs', { files: release.differences.length })
  const setting = {
    ...init,
    release,
    clock,
    log,
    abstainsUntilMs: abstainsUntil(options.dir, manifest, clock.now()),
    certificate,
    allowed,
  }
  let guard: MemoryGuard | undefined
  const node = await makeNode(setting, () => guard?.isShedding === true)
  const watch = watchRelease({ dir: options.dir, release, apps: () => appsOf(node), clock, log })
  const status = settingToReader(setting, node, watch)
  const scraped = metrics(SALT_GAUGES, status)
  const probes = await openProbes(
    [
      {
        port: options.healthPort,
        option: '--health-port',
        path: '/healthz',
        probe: () => healthAnswer(status(), status().federationId, saltingText(status().salting)),
      },
      { port: options.metricsPort, option: '--metrics-port', path: '/metrics', probe: scraped.answer },
    ],
    log,
  )
  const exceeded = new Promise<void>((stop) => {
    const maxBytes = options.maxMemory * MIB
    guard = memoryGuard({ maxBytes, shedBytes: maxBytes * MEMORY_SHED_SHARE, rss: memoryBytes, clock, log, stop })
  })
  const stopLooking = lookRegularly(node, clock, log)
  watch.start()
  try {
    if (out.isWatched) greet(init)
    const exitCode = await runDaemon({
      role: 'salt',
      dir: options.dir,
      peer: node,
      routes: toRoutes(node, status, clock),
      health: () => status().health,
      page: () => pageContent(status()),
      random: systemRandom,
      log,
      failed: exceeded,
      onTick: hintLog(() => status().hints, log),
    })
    if (exitCode === 1) out.fails()
  } finally {
    stopLooking()
    watch.stop()
    certificate?.stop()
    allowed?.stop()
    guard?.stop()
    scraped.stop()
    for (const probe of probes) await probe.stop()
  }
}

async function makeNode(setting: Setting, isShedding: () => boolean): Promise<SaltNode> {
  const { options, identity, manifest, addresses, listen, clock, log, abstainsUntilMs, certificate, allowed } = setting
  const claim = toClaim(setting.release)
  const { secret, operatorSecret } = identity
  const { dir, localAddress, maxConnections, maxMbDay } = options
  const traffic = maxMbDay === undefined ? undefined : allowance(maxMbDay * MB, clock.now())
  const node = saltNode({
    manifest,
    // The node checks whether the federation pins this core, because a later roster may pin another one.
    core: await loadCore(),
    secret,
    ...(operatorSecret !== undefined && abstainsUntilMs === undefined && { operatorSecret }),
    dir,
    addresses,
    listen,
    ...(claim && { release: claim }),
    ...(localAddress !== undefined && { localAddress }),
    ...(certificate && { certificate }),
    ...(allowed && { allows: allowed.allows }),
    limits: { connections: maxConnections },
    admit() {
      if (isShedding()) throw new FederationError('BUSY', 'the memory limit is near', { retryAfterMs: RETRY_MS })
      traffic?.assert(saltTraffic(node.status()), clock.now())
    },
    clock,
    random: systemRandom,
    log,
    roles: [spreadRole],
  })
  return node
}

/** Origins of the web apps in the newest roster. */
function appsOf(node: SaltNode): readonly string[] {
  return node.membership()?.rosters.newest?.roster.apps ?? []
}

function settingToReader(setting: Setting, node: SaltNode, watch: ReleaseWatch): () => NodeStatus {
  const { options, manifest, peerId, clock, abstainsUntilMs } = setting
  return statusReader({
    node,
    manifest,
    peerId,
    dir: options.dir,
    abstainsUntilMs,
    release: watch.status,
    connectionsMax: options.maxConnections,
    memoryMaxBytes: options.maxMemory * MIB,
    clock,
  })
}

/** A node claims no release from which its own files differ. */
function toClaim(release: OwnRelease | undefined): Uint8Array | undefined {
  if (release === undefined || release.differences.length > 0) return undefined
  return hexToBytes(release.id).slice(0, RELEASE_NAME_BYTES)
}

function toRoutes(node: SaltNode, status: () => NodeStatus, clock: Clock): AdminRoutes {
  return {
    ...membershipRoutes(() => node.membership(), clock),
    'GET /status': status,
    'POST /look': async () => {
      await node.lookAround()
      return status()
    },
  }
}

/** Printed on a terminal only, so that a log collector does not get it. */
function greet({ listen, options, out }: ServeInit): void {
  const dir = dirOption(options.dir, 'salt')
  for (const address of listen) out.note(`Listening on ${address}`)
  out.note(
    `Status: geotrace status${dir} · Status page: geotrace status --page${dir} · Troubleshooting: geotrace doctor${dir} · Stop: Ctrl-C`,
  )
}
