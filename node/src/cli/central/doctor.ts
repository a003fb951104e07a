/**
 * `geotrace central doctor`: checks everything that the central peer needs, whether it runs or not. It names the next step for
 * each problem. node/CENTRAL.md "When something is wrong". The command changes nothing. Exit code 1 when a check fails.
 */
import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '@geotrace/core-wasm'
import { bytesToHex, isFederationError, keyToPeerId, type Manifest, manifestToId } from '@geotrace/core-wasm/wire'
import { readAdminFile } from '../../admin/admin-file.ts'
import { readAuditLog } from '../../admin/audit-log.ts'
import { adminRequest } from '../../admin/client.ts'
import { ACCOUNTS_FILE, type Account, accounts } from '../../admin/staff/accounts.ts'
import { textInFile } from '../../admin/staff/kept-text.ts'
import { SEAL_KEYS_DIR, SEAL_KEYS_RECORD } from '../../central/sealed/seal-keys.ts'
import { isOneDisk } from '../../central/store/store-keys.ts'
import { HOST_LIMITS } from '../../net/limits.ts'
import { BALLAST } from '../../platform/disk-space.ts'
import { readRecord } from '../../platform/file-records.ts'
import { manifestClock } from '../../platform/manifest-clock.ts'
import { nativeSigner } from '../../platform/native-signer.ts'
import { systemRandom } from '../../platform/random.ts'
import { type Finding, fail, ok } from '../doctor/finding.ts'
import { type Found, findingList, tried } from '../doctor/finding-list.ts'
import { freshHosts, manifestToPeers, withHost } from '../doctor/hosts.ts'
import { checkNode, checkPortsFree, checkRights, judgeLimits, readLimits } from '../doctor/machine.ts'
import { checkCore, checkFederation, checkRecords, checkSalting } from '../doctor/manifest.ts'
import { askPeers, checkOwnAddresses, judgeClock, judgePeers, offsetsToMedian } from '../doctor/network.ts'
import { hasIdentity, loadIdentity } from '../identity/identity.ts'
import { freeBytes } from '../process/disk.ts'
import { optionsToListen } from '../process/run-options.ts'
import { dirOption, readManifestText } from '../terminal/options.ts'
import type { Output } from '../terminal/output.ts'
import { assertRole } from '../terminal/role.ts'
import { VERSION } from '../terminal/version.ts'
import {
  judgeAccounts,
  judgeAudit,
  judgeBackup,
  judgeCentralDisk,
  judgeReports,
  judgeRetention,
  judgeRunningPeer,
  judgeRunningStore,
  judgeSeals,
  judgeServers,
  judgeStoppedStore,
  judgeStoreKeys,
} from './doctor-findings.ts'
import type { CentralFacts } from './facts.ts'
import { readLastBackup } from './store/last-backup.ts'
import { lookAtServers } from './store/server-look.ts'
import { type StoreOptions, toKeyPath, toServers } from './store/store-place.ts'

export interface CentralDoctorOptions extends StoreOptions {
  federation?: string
}
/** The facts that the checks share. */
interface Examined extends CentralDoctorOptions {
  /** The status of the running peer; undefined when none runs. */
  readonly facts: CentralFacts | undefined
  /** Whether the peer has started before, so that a missing store is a lost one. */
  readonly isFounded: boolean
  readonly nowMs: number
}

export async function examineCentral(options: CentralDoctorOptions, out: Output): Promise<void> {
  const { dir, federation } = options
  await assertRole(dir, 'central')
  // A path on the command line is right, or nothing is checked at all.
  if (federation !== undefined) readManifestText(federation)
  const { found, conclude } = findingList(out)
  out.progress('checking this machine …')
  const facts = await readFacts(dir)
  const { manifest, finding } = checkFederation(federation ?? join(dir, 'federation.json'))
  const nowMs = (manifest === undefined ? systemClock() : manifestClock(manifest)).now()
  const isFounded = (await readRecord(join(dir, 'records'), 'federation').catch(() => undefined)) !== undefined
  const examined: Examined = { ...options, facts, isFounded, nowMs }
  await examineMachine(examined, found)
  await examineStore(examined, found)
  found(finding)
  if (manifest !== undefined) await examineFederation(manifest, examined, out, found)
  found(...judgeRunningPeer(facts, VERSION, dirOption(dir, 'central')))
  conclude({ dir, running: facts !== undefined })
}

async function examineMachine({ dir, facts, ...options }: Examined, found: Found): Promise<void> {
  const pid = facts && (await readAdminFile(dir))?.pid
  const files = [
    toKeyPath({ dir, ...options }),
    ...['accounts.json', 'audit.log', SEAL_KEYS_DIR].map((name) => join(dir, name)),
  ]
  found(checkNode(process.versions.node))
  found(...(await tried('rights', () => checkRights(dir, files))))
  found(...(await tried('disk', () => judgeCentralDisk(freeBytes(dir), existsSync(join(dir, BALLAST)), dir))))
  found(...(await tried('limits', async () => judgeLimits(await readLimits(pid), HOST_LIMITS.connections))))
}

async function examineStore(examined: Examined, found: Found): Promise<void> {
  const { dir, facts, isFounded, nowMs } = examined
  const option = dirOption(dir, 'central')
  const servers = examined.store === undefined ? undefined : toServers(examined.store)
  if (servers !== undefined)
    found(...(await tried('database', async () => judgeServers(await lookAtServers(servers), isFounded))))
  if (facts !== undefined) found(judgeRunningStore(facts))
  else if (servers === undefined)
    found(judgeStoppedStore(existsSync(join(dir, 'store', 'store.json')), isFounded, option))
  found(...(await tried('store-keys', async () => await checkStoreKeys(examined))))
  const sealKeys = () => readRecord(join(dir, SEAL_KEYS_DIR), SEAL_KEYS_RECORD)
  found(...(await tried('seals', async () => judgeSeals((await sealKeys()) !== undefined, facts?.opensSeals))))
  found(
    ...(servers === undefined
      ? await tried('backup', async () => judgeBackup(await readLastBackup(dir), isFounded, nowMs, option))
      : [ok('backup', 'the database servers have their own backups (node/CENTRAL.md, "PostgreSQL")')]),
  )
  if (facts !== undefined) found(judgeReports(facts))
  found(...(await tried('accounts', async () => judgeAccounts(await listAccounts(examined)))))
  found(...(await tried('audit', async () => judgeAudit(await readAudit(examined)))))
}

async function readAudit({ dir, facts }: Examined): Promise<{ count: number; broken: readonly number[] }> {
  if (facts !== undefined) return (await adminRequest(dir, 'GET', '/audit')) as { count: number; broken: number[] }
  const { lines, broken } = await readAuditLog(dir)
  return { count: lines.length, broken }
}

/** The list of a stopped peer is in its directory, unless several processes share it in their store. */
async function listAccounts({ dir, facts, nowMs }: Examined): Promise<Account[]> {
  if (facts !== undefined) return ((await adminRequest(dir, 'GET', '/accounts')) as { accounts: Account[] }).accounts
  return await accounts(textInFile(join(dir, ACCOUNTS_FILE)), { now: () => nowMs }, systemRandom).list()
}

async function checkStoreKeys({ isFounded, facts, ...options }: Examined): Promise<Finding | undefined> {
  const path = toKeyPath(options)
  const store = join(options.dir, 'store')
  // The running peer knows where its keys are; the options of this command may not name them.
  if (facts !== undefined && options.storeKeyFile === undefined && !existsSync(path))
    return facts.storeKeys === undefined ? undefined : ok('store-keys', facts.storeKeys)
  const isOnDisk = options.store === undefined && existsSync(path) && existsSync(store)
  const isSame = isOnDisk && (await isOneDisk(path, store))
  return judgeStoreKeys({ exists: existsSync(path), isOneDisk: isSame, path }, isFounded)
}

async function examineFederation(manifest: Manifest, examined: Examined, out: Output, found: Found): Promise<void> {
  const { dir, nowMs } = examined
  found(...(await tried('records', () => checkRecords(dir, manifest))))
  found(checkSalting(manifest))
  found(checkCore(manifest))
  const { retentionDays } = manifest.parameters
  found(...(await tried('retention', async () => judgeRetention(await daysWithRows(examined), retentionDays, nowMs))))
  out.progress('asking the peers …')
  found(...(await tried('network', () => examineNetwork(manifest, examined, found))))
}

async function examineNetwork(
  manifest: Manifest,
  { dir, facts }: Examined,
  found: Found,
): Promise<Finding | undefined> {
  if (!hasIdentity(dir)) return undefined
  const { secret } = loadIdentity(dir)
  const { key } = nativeSigner(secret)
  const peerId = keyToPeerId(key)
  const { addresses } = manifest.central
  if (peerId !== manifest.central.peerId) {
    const what = `federation.json names ${manifest.central.peerId} as the central peer, and the key here is ${peerId}`
    return fail('addresses', what, 'bring back the peer.key of this federation, or use the directory of the other one')
  }
  const isRunning = facts !== undefined
  const clock = manifestClock(manifest)
  // Beside a running peer the doctor uses another key, because two hosts with one key would take each other's streams.
  await withHost(isRunning ? systemRandom(32) : secret, async (host) => {
    const others = manifestToPeers(manifest).filter((peer) => bytesToHex(peer.key) !== bytesToHex(key))
    const seen = await askPeers(host, others, clock, manifestToId(manifest))
    found(judgePeers(seen, existsSync(join(dir, 'records', 'roster-0'))), judgeClock(offsetsToMedian(seen.offsets)))
  })
  return isRunning
    ? await checkOwnAddresses(freshHosts, { key, addresses })
    : await checkPortsFree(optionsToListen({}, addresses), 'central', dirOption(dir, 'central'))
}

/** The UTC days with rows: as the running peer says, otherwise by the tables or the folders of the store. */
async function daysWithRows({ dir, facts, store: servers }: Examined): Promise<number[]> {
  if (facts?.days !== undefined) return facts.days.map(({ day }) => day)
  if (servers !== undefined) return (await lookAtServers(toServers(servers))).flatMap((seen) => seen.days)
  const store = join(dir, 'store')
  const names = existsSync(store) ? await readdir(store) : []
  return names.flatMap((name) => /^day-(\d+)$/.exec(name)?.slice(1).map(Number) ?? [])
}

/** Undefined when no peer runs on `dir`. */
async function readFacts(dir: string): Promise<CentralFacts | undefined> {
  try {
    return (await adminRequest(dir, 'GET', '/status')) as CentralFacts
  } catch (error) {
    if (isFederationError(error, 'NODE_NOT_RUNNING')) return undefined
    throw error
  }
}
