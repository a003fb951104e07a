/**
 * What `geotrace doctor` does: looks at everything that a node needs and says what to do about what is missing.
 * node/README.md "When something is wrong". Changes nothing; exit 1 when a check fails.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { CORE_SHA256, systemClock } from '@geotrace/core-wasm'
import { bytesToHex, isFederationError, keyToPeerId, type Manifest, peerIdToKey } from '@geotrace/core-wasm/wire'
import { readAdminFile } from '../../admin/admin-file.ts'
import { adminRequest } from '../../admin/client.ts'
import type { NodeStatus } from '../../admin/node-status.ts'
import { span } from '../../admin/page/words.ts'
import { createHost } from '../../net/host.ts'
import { HOST_LIMITS } from '../../net/limits.ts'
import type { Host } from '../../net/protocol.ts'
import { silent } from '../../platform/log.ts'
import { nativeSigner } from '../../platform/native-signer.ts'
import { systemRandom } from '../../platform/random.ts'
import { hasIdentity, type Identity, loadIdentity } from '../identity/identity.ts'
import { optionsToListen } from '../process/run-options.ts'
import { ownAddresses } from '../salt/run.ts'
import { readManifest } from '../terminal/options.ts'
import type { Output } from '../terminal/output.ts'
import { VERSION } from '../terminal/version.ts'
import { type Finding, fail, ok, warn } from './finding.ts'
import { checkDisk, checkNode, checkPortsFree, checkRights, judgeLimits, readLimits } from './machine.ts'
import { askPeers, checkOwnAddresses, judgeClock, judgePeers, type NamedPeer, offsetsToMedian } from './network.ts'

export interface DoctorOptions {
  dir: string
  federation?: string
  json?: boolean
}

const MARKS = { ok: 'ok  ', warn: 'warn', fail: 'FAIL' } as const

export async function examine({ dir, federation, json }: DoctorOptions, out: Output): Promise<void> {
  const findings: Finding[] = []
  const found = (...more: Finding[]): void => {
    findings.push(...more)
    if (!json) for (const item of more) for (const line of findingLines(item)) out.line(line)
  }
  out.progress('looking at this machine …')
  const report = await runningReport(dir)
  const running = (await readAdminFile(dir))?.pid
  found(checkNode(process.versions.node), checkRights(dir), await checkDisk(dir))
  found(...judgeLimits(await readLimits(report && running), report?.connectionsMax ?? HOST_LIMITS.connections))

  const manifest = readFederation(federation ?? join(dir, 'federation.json'), found)
  const identity = readIdentity(dir)
  if (manifest !== undefined) found(checkCore(manifest))
  if (manifest !== undefined && identity !== undefined) {
    out.progress('asking the peers …')
    await examineNetwork(manifest, identity, dir, report !== undefined, found)
  }
  found(...judgeRunning(report))

  const worst = findings.some(({ severity }) => severity === 'fail')
  if (json) out.json({ ok: !worst, version: VERSION, dir, running: report !== undefined, findings })
  else out.line(summary(findings))
  if (worst) process.exitCode = 1
}

async function examineNetwork(
  manifest: Manifest,
  identity: Identity,
  dir: string,
  isRunning: boolean,
  found: (...more: Finding[]) => void,
): Promise<void> {
  const clock = systemClock()
  const { key } = nativeSigner(identity.secret)
  const addresses = ownAddresses(manifest, keyToPeerId(key), dir)
  const others = toPeers(manifest).filter((peer) => bytesToHex(peer.key) !== bytesToHex(key))
  // Beside a running node under another name: two peers with one key would take each other's streams.
  await withHost(isRunning ? systemRandom(32) : identity.secret, async (host) => {
    const seen = await askPeers(host, others, clock, !isRunning)
    found(judgePeers(seen))
    if (!isRunning) found(judgeClock(offsetsToMedian(seen.offsets)))
  })
  if (isRunning) found(await checkOwnAddresses(freshHosts, { key, addresses }))
  else found(await checkPortsFree(optionsToListen({}, addresses)))
}

function judgeRunning(report: NodeStatus | undefined): Finding[] {
  if (report === undefined) {
    return [warn('running', 'the node does not run, so its roster and shards are unknown', 'geotrace salt run')]
  }
  const { health, uptimeMs, roster, nowMs, shards, hints, reach, clockOffsetMs } = report
  const bad = hints.find(({ level }) => level === 'fail') ?? hints[0]
  const state = `${health}, up for ${span(uptimeMs)}`
  const held = shards.filter((item) => item.held).length
  return [
    health === 'serving'
      ? ok('running', `${state}, ${held} of ${shards.length} seeds held`)
      : warn('running', state, bad?.next ?? 'wait a minute, then ask again'),
    judgeClock(reach === undefined || reach.answered === 0 ? undefined : clockOffsetMs),
    judgeRoster(roster, nowMs),
  ]
}

export function judgeRoster(roster: NodeStatus['roster'], nowMs: number): Finding {
  if (roster === undefined)
    return warn('roster', 'none is certified yet', 'it is when enough of the operators named in federation.json are up')
  const { height, name, fromMs, untilMs, reserveUntilMs } = roster
  const what = `roster ${height} (${name})`
  if (nowMs < fromMs) return ok('roster', `${what} is certified and in force in ${span(fromMs - nowMs)}`)
  if (nowMs < untilMs)
    return ok('roster', `${what} is certified and in force; its period ends in ${span(untilMs - nowMs)}`)
  if (nowMs < reserveUntilMs)
    return warn(
      'roster',
      `${what} stands on its reserve for ${span(reserveUntilMs - nowMs)} more`,
      'too few operators vote for a newer one: are they up?',
    )
  return fail('roster', `${what} has run out`, 'ask the other operators whether the federation goes on')
}

export function checkCore({ core }: Pick<Manifest, 'core'>): Finding {
  const pins = [core.simd, core.scalar]
  if (pins.includes(CORE_SHA256.simd) && pins.includes(CORE_SHA256.scalar))
    return ok('core', `the build that federation.json pins, ${core.simd.slice(0, 16)}`)
  return fail(
    'core',
    `this build of the core (${CORE_SHA256.simd.slice(0, 16)}) is not the one that federation.json pins (${core.simd.slice(0, 16)})`,
    'check out the version that your federation names, then `npm ci && npm run build`',
  )
}

function readFederation(path: string, found: (finding: Finding) => void): Manifest | undefined {
  try {
    const manifest = readManifest(path)
    found(
      ok(
        'federation',
        `${manifest.name}: ${manifest.members.length} salt nodes of ${manifest.operators.length - 1} operators`,
      ),
    )
    return manifest
  } catch (error) {
    if (!isFederationError(error)) throw error
    found(
      fail(
        'federation',
        error.message,
        existsSync(path) ? 'ask for the file again, and put it there as it is' : `put federation.json to ${path}`,
      ),
    )
    return undefined
  }
}

/** Undefined when there is none that may be used; `checkRights` has said so. */
function readIdentity(dir: string): Identity | undefined {
  try {
    return hasIdentity(dir) ? loadIdentity(dir) : undefined
  } catch {
    return undefined
  }
}

/** A running node's report after it looked around; undefined when none runs on `dir`. */
async function runningReport(dir: string): Promise<NodeStatus | undefined> {
  try {
    return (await adminRequest(dir, 'POST', '/look')) as NodeStatus
  } catch (error) {
    if (isFederationError(error, 'NODE_NOT_RUNNING')) return undefined
    throw error
  }
}

function toPeers({ members, central }: Manifest): NamedPeer[] {
  return [...members, central].map(({ peerId, operator, addresses }) => ({
    key: peerIdToKey(peerId),
    name: operator,
    addresses,
  }))
}

async function withHost<T>(secret: Uint8Array, task: (host: Host) => Promise<T>): Promise<T> {
  const host = await createHost({ secret, listen: [], clock: systemClock(), log: silent })
  try {
    return await task(host)
  } finally {
    await host.stop()
  }
}

/** A new stranger for every request, so that each dials. */
const freshHosts: Pick<Host, 'request'> = {
  request: (...request) => withHost(systemRandom(32), (host) => host.request(...request)),
}

function findingLines({ check, severity, what, next }: Finding): string[] {
  const line = `${MARKS[severity]}  ${check.padEnd(11)} ${what}`
  return next === undefined
    ? [line]
    : [line, `      ${' '.repeat(11)} → ${next.split('\n').join(`\n${' '.repeat(19)}`)}`]
}

function summary(findings: readonly Finding[]): string {
  const count = (severity: Finding['severity']) => findings.filter((item) => item.severity === severity).length
  const [fails, warns] = [count('fail'), count('warn')]
  if (fails + warns === 0) return 'All is well.'
  return `${fails} to mend, ${warns} to look at.`
}
