/**
 * A salt node as a process: with its control server, page, probes and caps, until it is told to stop.
 * node/README.md. Throws PORT_TAKEN, and whatever the node refuses to start with.
 */
import { type Clock, loadCore } from '@geotrace/core-wasm'
import { FederationError, type Manifest, SALT_PROTOCOL } from '@geotrace/core-wasm/wire'
import { history } from '../../admin/history.ts'
import { membershipRoutes } from '../../admin/membership-routes.ts'
import { metrics } from '../../admin/metrics.ts'
import type { NodeStatus } from '../../admin/node-status.ts'
import { pageContent } from '../../admin/page/content.ts'
import { healthAnswer } from '../../admin/probes.ts'
import type { Log } from '../../platform/log.ts'
import { manifestClock } from '../../platform/manifest-clock.ts'
import { systemRandom } from '../../platform/random.ts'
import { type SaltNode, saltNode } from '../../salt/node.ts'
import type { Identity } from '../identity/identity.ts'
import { allowance } from '../process/allowance.ts'
import type { CertificateFiles } from '../process/certificate-files.ts'
import { runDaemon } from '../process/daemon.ts'
import { type MemoryGuard, memoryGuard } from '../process/memory-guard.ts'
import { openProbes } from '../process/probe-ports.ts'
import { processLog } from '../process/process-log.ts'
import { type CapOptions, optionsToCertificate, type RunOptions } from '../process/run-options.ts'
import type { Output } from '../terminal/output.ts'
import { VERSION } from '../terminal/version.ts'
import { MEMORY_SHED_SHARE, nodeStatus } from './health.ts'
import { abstainsUntil } from './restored.ts'

const MIB = 1 << 20
const MB = 1e6
/** Fresh enough for a page that a person looks at; the node itself asks once an hour. */
const LOOK_MS = 5 * 60_000
/** TCP, Noise and yamux of a request on a connection of its own: 8.7 KB on the wire, 4.0 of them frames (2026-11, README). */
const REQUEST_OVERHEAD_BYTES = 4_700
/** Of the daemon's ticks, ten a second: a hint may be five seconds late. */
const TICKS_PER_HINT = 50

export interface ServeInit {
  options: RunOptions & CapOptions
  identity: Identity
  manifest: Manifest
  peerId: string
  /** Where others reach it. */
  addresses: readonly string[]
  listen: readonly string[]
  out: Output
}
/** What the parts of the process share. */
interface Setting extends ServeInit {
  clock: Clock
  log: Log
  abstainsUntilMs: number | undefined
  certificate: CertificateFiles | undefined
}

export async function serve(init: ServeInit): Promise<void> {
  const { options, manifest, listen, out } = init
  const clock = manifestClock(manifest)
  const log = processLog('salt', options.logLevel, out)
  const certificate = optionsToCertificate(options, log)
  const abstainsUntilMs = abstainsUntil(options.dir, manifest, clock.now())
  const setting = { ...init, clock, log, abstainsUntilMs, certificate }
  let guard: MemoryGuard | undefined
  const node = await makeNode(setting, () => guard?.isShedding === true)
  const report = readStatus(setting, node)
  const scraped = metrics(report)
  const probes = await openProbes(
    [
      { port: options.healthPort, option: '--health-port', path: '/healthz', probe: () => healthAnswer(report()) },
      { port: options.metricsPort, option: '--metrics-port', path: '/metrics', probe: scraped.answer },
    ],
    log,
  )
  let cancelLook = (): void => {}
  const look = (): void => {
    node.lookAround().catch(() => log.error('salt.look-failed'))
    cancelLook = clock.setTimer(look, LOOK_MS)
  }
  try {
    const failed = new Promise<void>((stop) => {
      const maxBytes = options.maxMemory * MIB
      guard = memoryGuard({ maxBytes, shedBytes: maxBytes * MEMORY_SHED_SHARE, rss, clock, log, stop })
    })
    cancelLook = clock.setTimer(look, LOOK_MS)
    if (out.isWatched) greet(listen, out)
    await runDaemon({
      dir: options.dir,
      peer: node,
      routes: {
        ...membershipRoutes(node.membership),
        'GET /status': report,
        'POST /look': async () => {
          await node.lookAround()
          return report()
        },
      },
      page: () => pageContent(report()),
      random: systemRandom,
      log,
      failed,
      onTick: hintWriter(report, log),
    })
  } finally {
    cancelLook()
    certificate?.stop()
    guard?.stop()
    scraped.stop()
    for (const probe of probes) await probe.stop()
  }
}

async function makeNode(setting: Setting, isShedding: () => boolean): Promise<SaltNode> {
  const { options, identity, manifest, addresses, listen, clock, log, abstainsUntilMs, certificate } = setting
  const { secret, operatorSecret } = identity
  const { dir, localAddress, maxConnections, maxMbDay } = options
  const traffic = maxMbDay === undefined ? undefined : allowance(maxMbDay * MB, clock.now())
  const node = saltNode({
    manifest,
    // Whether the federation pins it is for the node to say: a later roster may pin another.
    core: await loadCore(),
    secret,
    ...(operatorSecret !== undefined && abstainsUntilMs === undefined && { operatorSecret }),
    dir,
    addresses,
    listen,
    ...(localAddress !== undefined && { localAddress }),
    ...(certificate && { certificate }),
    limits: { connections: maxConnections },
    admit() {
      if (isShedding()) throw new FederationError('BUSY', 'the memory cap is near', { retryAfterMs: 60_000 })
      traffic?.assert(saltTraffic(node), clock.now())
    },
    clock,
    random: systemRandom,
    log,
  })
  return node
}

function readStatus(setting: Setting, node: SaltNode): () => NodeStatus {
  const { options, identity, manifest, peerId, clock, abstainsUntilMs } = setting
  const day = history()
  const self = manifest.members.find((item) => item.peerId === peerId)
  return () => {
    const status = node.status()
    const nowMs = clock.now()
    day.note({ answered: status.answered, refused: sum(status.refused) }, nowMs)
    return nodeStatus({
      status,
      version: VERSION,
      node: self?.operator ?? peerId.slice(-8),
      federation: manifest.name,
      nowMs,
      connectionsMax: options.maxConnections,
      memoryBytes: rss(),
      memoryMaxBytes: options.maxMemory * MIB,
      hasVote: identity.operatorSecret !== undefined,
      abstainsUntilMs,
      history: day.spans,
    })
  }
}

/** Bytes on the network for devices since the start. */
function saltTraffic(node: SaltNode): number {
  const stats = node.status().network.protocols[SALT_PROTOCOL.id]
  if (stats === undefined) return 0
  return stats.bytes + (stats.answered + sum(stats.refused)) * REQUEST_OVERHEAD_BYTES
}

/** For the person at the terminal; a log collector gets none of it. */
function greet(listen: readonly string[], out: Output): void {
  for (const address of listen) out.note(`listening at ${address}`)
  out.note(
    'how it is: geotrace status   a page: geotrace status --page   what is wrong: geotrace doctor   stop: Ctrl-C',
  )
}

/** A line in the log for every hint that is new, so that a terminal says what the page would. */
function hintWriter(report: () => NodeStatus, log: Log): () => void {
  let ticks = 0
  let known = new Set<string>()
  return () => {
    if (ticks++ % TICKS_PER_HINT !== 0) return
    const { hints } = report()
    for (const { what, next } of hints) if (!known.has(next)) log.warn('salt.hint', { what, next })
    known = new Set(hints.map(({ next }) => next))
  }
}

function rss(): number {
  return process.memoryUsage.rss()
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0)
}
