/**
 * `geotrace doctor`: checks everything that a node needs and names the next step for each problem. node/README.md "When
 * something is wrong". The command changes nothing, and the exit code is 1 when a check fails.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { bytesToHex, isFederationError, keyToPeerId, type Manifest, manifestToId } from '@geotrace/core-wasm/wire'
import { readAdminFile } from '../../admin/admin-file.ts'
import { adminRequest } from '../../admin/client.ts'
import type { NodeStatus } from '../../admin/node-status.ts'
import { HOST_LIMITS } from '../../net/limits.ts'
import { manifestClock } from '../../platform/manifest-clock.ts'
import { nativeSigner } from '../../platform/native-signer.ts'
import { systemRandom } from '../../platform/random.ts'
import { hasIdentity, type Identity, loadIdentity } from '../identity/identity.ts'
import { optionsToListen } from '../process/run-options.ts'
import { ownAddresses } from '../salt/run.ts'
import { dirOption, readManifestText } from '../terminal/options.ts'
import type { Output } from '../terminal/output.ts'
import { assertRole } from '../terminal/role.ts'
import { readOwnRelease } from '../verify/own-release.ts'
import type { Finding } from './finding.ts'
import { type Found, findingList, tried } from './finding-list.ts'
import { freshHosts, manifestToPeers, withHost } from './hosts.ts'
import { checkDisk, checkNode, checkPortsFree, checkRights, judgeLimits, readLimits } from './machine.ts'
import { checkCore, checkFederation, checkRecords, checkSalting } from './manifest.ts'
import { askPeers, checkOwnAddresses, judgeClock, judgePeers, offsetsToMedian } from './network.ts'
import { checkRelay } from './relay.ts'
import { checkRelease } from './release.ts'
import { judgeRunning } from './running.ts'

export interface DoctorOptions {
  dir: string
  federation?: string
}
export async function examine({ dir, federation }: DoctorOptions, out: Output): Promise<void> {
  await assertRole(dir, 'salt')
  // A path on the command line is right, or nothing is checked at all.
  if (federation !== undefined) readManifestText(federation)
  const { found, conclude } = findingList(out)
  out.progress('checking this machine …')
  const status = await lookAround(dir)
  const pid = status && (await readAdminFile(dir))?.pid
  found(checkNode(process.versions.node))
  found(...(await tried('rights', () => checkRights(dir))))
  found(...(await tried('disk', () => checkDisk(dir))))
  const connections = status?.connectionsMax ?? HOST_LIMITS.connections
  found(...(await tried('limits', async () => judgeLimits(await readLimits(pid), connections))))

  const { manifest, finding } = checkFederation(federation ?? join(dir, 'federation.json'))
  found(finding)
  const identity = readIdentity(dir)
  if (manifest !== undefined) {
    found(...(await tried('records', () => checkRecords(dir, manifest))))
    found(checkSalting(manifest))
    found(checkCore(manifest))
  }
  if (manifest !== undefined && identity !== undefined) {
    out.progress('asking the peers …')
    found(...(await tried('network', () => examineNetwork(manifest, identity, dir, status, found))))
  }
  if (manifest !== undefined) found(...(await tried('release', () => examineRelease(dir, manifest, status))))
  found(...judgeRunning(status, dirOption(dir, 'salt')))

  conclude({ dir, running: status !== undefined })
}

async function examineNetwork(
  manifest: Manifest,
  identity: Identity,
  dir: string,
  status: NodeStatus | undefined,
  found: Found,
): Promise<Finding> {
  const isRunning = status !== undefined
  const clock = manifestClock(manifest)
  const { key } = nativeSigner(identity.secret)
  const addresses = ownAddresses(manifest, keyToPeerId(key), dir)
  const others = manifestToPeers(manifest).filter((peer) => bytesToHex(peer.key) !== bytesToHex(key))
  // Beside a running node the doctor uses another key, because two hosts with one key would take each other's streams.
  await withHost(isRunning ? systemRandom(32) : identity.secret, async (host) => {
    const seen = await askPeers(host, others, clock, manifestToId(manifest))
    found(judgePeers(seen, existsSync(join(dir, 'records', 'roster-0'))))
    if (!isRunning) found(judgeClock(offsetsToMedian(seen.offsets)))
  })
  if (status?.relay !== undefined) {
    const self = { key, addresses }
    found(await checkRelay({ host: freshHosts, self, manifest, seal: status.relay.seal }))
  }
  return isRunning
    ? await checkOwnAddresses(freshHosts, { key, addresses })
    : await checkPortsFree(optionsToListen({}, addresses), 'salt', dirOption(dir, 'salt'))
}

/** The apps of the newest roster that a running node knows, or else those of the manifest. */
async function examineRelease(dir: string, manifest: Manifest, status: NodeStatus | undefined): Promise<Finding[]> {
  const apps = status?.release.apps.map(({ origin }) => origin) ?? manifest.parameters.apps
  const release = await readOwnRelease(dir)
  return checkRelease({ dir, release, apps, nowMs: manifestClock(manifest).now() })
}

/** The keys of the node; undefined when they cannot be used, which `checkRights` reports. */
function readIdentity(dir: string): Identity | undefined {
  try {
    return hasIdentity(dir) ? loadIdentity(dir) : undefined
  } catch {
    return undefined
  }
}

/** The status of a running node after it has checked its peers; undefined when no node runs on `dir`. */
async function lookAround(dir: string): Promise<NodeStatus | undefined> {
  try {
    return (await adminRequest(dir, 'POST', '/look')) as NodeStatus
  } catch (error) {
    if (isFederationError(error, 'NODE_NOT_RUNNING')) return undefined
    throw error
  }
}
