/**
 * `geotrace central run`: runs the central peer as a process. node/CENTRAL.md. Throws COMMAND_INVALID, FILE_EXPOSED,
 * PORT_TAKEN, MANIFEST_INVALID, and the errors of the store.
 */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Clock } from '@geotrace/core-wasm'
import { keyToPeerId, secretToSigner } from '@geotrace/core-wasm/wire'
import { audited, openAuditLog, readAuditLog } from '../../admin/audit-log.ts'
import { readConsole } from '../../admin/console-files.ts'
import { membershipRoutes } from '../../admin/membership-routes.ts'
import { metrics } from '../../admin/metrics.ts'
import { parametersToSalting, saltingText } from '../../admin/page/salting-words.ts'
import { healthAnswer } from '../../admin/probes.ts'
import type { AdminRoutes } from '../../admin/server.ts'
import { readSharedAuditLog, sharedAuditLog } from '../../admin/shared-audit-log.ts'
import { ACCOUNTS_FILE, accounts } from '../../admin/staff/accounts.ts'
import { type KeptText, textInFile, textInStore } from '../../admin/staff/kept-text.ts'
import type { CentralPeerInit } from '../../central/opening.ts'
import { type CentralPeer, centralPeer } from '../../central/peer.ts'
import { type ProfileVersion, readProfiles, versionToConfig } from '../../central/profiles/versions.ts'
import type { Log } from '../../platform/log.ts'
import { manifestClock } from '../../platform/manifest-clock.ts'
import { ownMemory } from '../../platform/own-memory.ts'
import { systemRandom } from '../../platform/random.ts'
import { federationName } from '../identity/federation-name.ts'
import { assertOwnCommitment } from '../identity/founding-nonce.ts'
import { loadIdentity } from '../identity/identity.ts'
import { assertLocalAddress, assertPortsFree } from '../identity/ports.ts'
import { runDaemon } from '../process/daemon.ts'
import { lookRegularly } from '../process/look.ts'
import { memoryGuard } from '../process/memory-guard.ts'
import { openProbes } from '../process/probe-ports.ts'
import { processLog } from '../process/process-log.ts'
import { assertPortsDiffer, optionsToCertificate, optionsToListen, type RunOptions } from '../process/run-options.ts'
import { abstainsUntil, wasRestored } from '../salt/restored.ts'
import { spreadRoutes, toSpreadSource } from '../spread/routes.ts'
import { dirOption, readManifest } from '../terminal/options.ts'
import type { Output } from '../terminal/output.ts'
import { PACKAGE_ROOT } from '../terminal/package-root.ts'
import { VERSION } from '../terminal/version.ts'
import { ACTIONS } from './audit.ts'
import { STOP_MAX_MS } from './drain.ts'
import { CENTRAL_GAUGES, measure } from './gauges.ts'
import { centralRoutes } from './routes.ts'
import { staffRoutes } from './staff-routes.ts'
import { toServers } from './store/store-place.ts'

const MIB = 1 << 20
/** `npm run build` makes it. */
const CONSOLE = fileURLToPath(new URL('console/dist', PACKAGE_ROOT))
/** The log has a line above this share of the limit. */
const MEMORY_WARN_SHARE = 0.9
/** Computations pause every few milliseconds, but a full disk or a large collection may block the loop for seconds. */
const STALL_MAX_MS = 60_000

interface CentralRunOptions extends RunOptions {
  degrees?: number
  maxMemory: number
  storeCeiling?: number
  controlPort?: number
  review?: boolean
  breaker?: number
  storeKeyFile?: string
  store?: string
  secretDir?: string
  newStore?: boolean
}

export async function runCentral(options: CentralRunOptions, out: Output): Promise<void> {
  const { secret, operatorSecret } = loadIdentity(options.dir)
  const manifest = readManifest(options.federation ?? join(options.dir, 'federation.json'))
  const { key } = secretToSigner(secret)
  assertOwnCommitment(options.dir, manifest, keyToPeerId(key))
  const [clock, random, federationId] = [manifestClock(manifest), systemRandom, federationName(manifest)]
  const listen = optionsToListen(options, manifest.central.addresses)
  const { healthPort, metricsPort, controlPort } = options
  const ports = { '--health-port': healthPort, '--metrics-port': metricsPort, '--control-port': controlPort }
  assertPortsDiffer(listen, ports)
  await assertLocalAddress(options.localAddress)
  await assertPortsFree(listen, 'central', dirOption(options.dir, 'central'))
  const facts = { peerId: keyToPeerId(key), federation: federationId, addresses: manifest.central.addresses, listen }
  const log = processLog('central', facts, options.logLevel, out)
  const certificate = optionsToCertificate(options, log)
  const salting = saltingText(parametersToSalting(manifest.parameters))
  if (manifest.parameters.salting === 'plain') log.warn('salting.weak')
  const abstainsUntilMs = abstainsUntil(options.dir, manifest, clock.now())
  if (abstainsUntilMs !== undefined) log.warn('votes.withheld', { untilMs: abstainsUntilMs })
  const profile = (await readProfiles(options.dir, key)).at(-1)
  const votes = operatorSecret !== undefined && abstainsUntilMs === undefined
  const peer = centralPeer({
    ...optionsToInit(options, profile),
    manifest,
    secret,
    ...(votes && { operatorSecret }),
    listen,
    ...(certificate && { certificate }),
    clock,
    random,
    log,
  })
  const { audit, readAudit } = await openAudit(options, peer, clock)
  const started = { version: VERSION, profile: profile?.version ?? 0, degrees: peer.profile.degrees }
  const probe = async () => healthAnswer(await peer.condition(), federationId, salting)
  const maxBytes = options.maxMemory * MIB
  const scraped = metrics(CENTRAL_GAUGES, () => measure(peer, maxBytes))
  const probes = await openProbes(
    [
      { port: options.healthPort, option: '--health-port', path: '/healthz', probe },
      { port: options.metricsPort, option: '--metrics-port', path: '/metrics', probe: scraped.answer },
    ],
    log,
  )
  const stopLooking = lookRegularly(peer, clock, log)
  const { failed, stop: stopGuard } = guardMemory(maxBytes, clock, log)
  try {
    const people = accounts(keptAccounts(options, peer), clock, random)
    const routes = {
      ...centralRoutes(peer, federationId, salting),
      ...membershipRoutes(peer.membership, clock),
      ...spreadRoutes(() => toSpreadSource(peer.membership()), clock),
      ...staffRoutes(options.dir, key, people, readAudit),
    }
    const files = await readConsole(CONSOLE)
    const noted = withStartNoted(peer, () => audit.append('peer.start', started))
    const staff = { accounts: people, files, clock, audited: (all: AdminRoutes) => audited(all, audit, ACTIONS) }
    const shared = { role: 'central' as const, dir: options.dir, peer: noted, routes, staff, random, log }
    const daemon = { ...shared, failed, ...(controlPort !== undefined && { controlPort }) }
    if ((await runDaemon({ ...daemon, stallMaxMs: STALL_MAX_MS, stopMaxMs: STOP_MAX_MS })) === 1) out.fails()
  } finally {
    stopGuard()
    stopLooking()
    certificate?.stop()
    for (const open of probes) await open.stop()
    scraped.stop()
    await audit.close()
  }
}

/** All processes of a store on servers have one log in it. */
async function openAudit({ dir, store }: CentralRunOptions, { shared }: CentralPeer, clock: Clock) {
  return store === undefined
    ? { audit: await openAuditLog(dir, clock), readAudit: () => readAuditLog(dir) }
    : { audit: sharedAuditLog(shared, clock), readAudit: () => readSharedAuditLog(shared()) }
}

/** The peer, whose start has a line in the audit log. The log may be in the store that the start opens. */
function withStartNoted(peer: CentralPeer, note: () => Promise<void>): CentralPeer {
  return {
    ...peer,
    async start() {
      await peer.start()
      await note().catch(async (error: unknown) => {
        await peer.stop()
        throw error
      })
    },
  }
}

/** One list for all processes of a store. */
function keptAccounts({ dir, store }: CentralRunOptions, peer: CentralPeer): KeptText {
  const path = join(dir, ACCOUNTS_FILE)
  return store === undefined ? textInFile(path) : textInStore(() => peer.shared(), 'staff/accounts', path)
}

/** `failed` resolves when the process takes more memory than it may. */
function guardMemory(maxBytes: number, clock: Clock, log: Log): { failed: Promise<void>; stop(): void } {
  let stopGuard = (): void => {}
  const failed = new Promise<void>((stop) => {
    const bounds = { maxBytes, shedBytes: maxBytes * MEMORY_WARN_SHARE, rss: ownMemory }
    stopGuard = memoryGuard({ ...bounds, clock, log, stop }).stop
  })
  return { failed, stop: () => stopGuard() }
}

function optionsToInit(
  options: CentralRunOptions,
  version: ProfileVersion | undefined,
): Pick<CentralPeerInit, 'dir' | 'localAddress' | 'keyPath' | 'servers' | 'secretDir' | 'config' | 'founding'> {
  const { dir, localAddress, degrees, storeCeiling, review, breaker, storeKeyFile, secretDir, store } = options
  return {
    dir,
    ...(localAddress !== undefined && { localAddress }),
    config: {
      ...(version && versionToConfig(version)),
      ...(degrees !== undefined && { degrees }),
      ...(storeCeiling !== undefined && { storeCeilingMib: storeCeiling }),
      ...(review && { review }),
      ...(breaker !== undefined && { breakerPeople: breaker }),
    },
    ...(storeKeyFile !== undefined && { keyPath: storeKeyFile }),
    ...(store !== undefined && { servers: toServers(store) }),
    ...(secretDir !== undefined && { secretDir }),
    ...toFounding(options),
  }
}

function toFounding({ dir, newStore }: CentralRunOptions): Pick<CentralPeerInit, 'founding'> {
  if (newStore === true) return { founding: 'anew' }
  return wasRestored(dir) ? { founding: 'restored' } : {}
}
