/**
 * The judgements of `geotrace central doctor` about store, keys, retention, backups, reports, accounts and the running peer.
 * node/CENTRAL.md "When something is wrong". Pure.
 */
import { DAY_MS } from '@geotrace/core-wasm/wire'
import { grouped, plural, span } from '../../admin/page/words.ts'
import type { Account } from '../../admin/staff/accounts.ts'
import { type Finding, fail, ok, warn } from '../doctor/finding.ts'
import { DISK_LOW_BYTES, DISK_WARN_BYTES } from '../process/disk.ts'
import { minute } from '../terminal/times.ts'
import type { CentralFacts } from './facts.ts'
import type { ServerLook } from './store/server-look.ts'

const MIB = 1 << 20
/** A backup lacks everything after it, and devices do not deposit again what was acknowledged. */
const BACKUP_WARN_MS = 2 * DAY_MS
const BACKUP_FAIL_MS = 14 * DAY_MS

/** The next step for each health other than `serving`. */
const HEALTH_STEPS: Readonly<Record<string, string>> = {
  joining: 'wait until roster 0 is certified; `geotrace federation log` shows how far the founding is',
  'catching-up': 'wait two minutes, then run the doctor again',
  'disk-low': 'free some space: below 256 MiB the peer takes no deposits',
  'disk-full': 'free some space; the peer opens its store again by itself',
  'disk-failed': 'read the log for `store.condition`, and check the disk or the database server',
  'store-damaged':
    'delete nothing and copy the directory; then see "The store is damaged" in node/CENTRAL.md, and `geotrace central verify`',
  'store-full': 'raise --store-ceiling, if the disk has room',
}

export function judgeCentralDisk(freeBytes: number, hasBallast: boolean, dir: string): Finding {
  const ballast = hasBallast ? '' : '; the ballast for erasures is used up, or was never made'
  const what = `${grouped(Math.round(freeBytes / MIB))} MiB free on the disk of ${dir}${ballast}`
  if (freeBytes < DISK_LOW_BYTES) return fail('disk', what, 'free some space: the peer refuses deposits and new users')
  if (freeBytes < DISK_WARN_BYTES) return warn('disk', what, 'free some space soon: below 256 MiB no deposit is taken')
  return ok('disk', what)
}

/** The keys beside the data: a thief of the disk then reads the store. */
export function judgeStoreKeys(
  keys: { exists: boolean; isOneDisk: boolean; path: string },
  isFounded: boolean,
): Finding {
  const { exists, isOneDisk, path } = keys
  if (!exists && isFounded)
    return fail(
      'store-keys',
      `${path} is missing`,
      'mount its disk, or restore your copy of the file; nobody reads the store without it',
    )
  if (!exists) return ok('store-keys', 'made at the first start')
  if (!isOneDisk) return ok('store-keys', `${path}, on another disk than the store`)
  const next = 'keep the file on another disk: stop the peer, move the file, and run with --store-key-file FILE'
  return warn('store-keys', `${path} is on the disk of the store, so a thief of the disk can read the store`, next)
}

/** The store of a peer that does not run. */
export function judgeStoppedStore(hasStore: boolean, isFounded: boolean, dirOption: string): Finding {
  if (hasStore) return ok('store', `there; \`geotrace central verify${dirOption}\` reads it whole`)
  if (!isFounded) return ok('store', 'made at the first start')
  return fail(
    'store',
    'the store is missing',
    `mount its disk, or restore a backup: geotrace central restore BACKUP${dirOption}`,
  )
}

/** The servers of the store, in the order of the authority. */
export function judgeServers(servers: readonly ServerLook[], isFounded: boolean): Finding {
  const all = plural(servers.length, 'database server')
  const places = (state: ServerLook['state']): number[] =>
    servers.flatMap((server, n) => (server.state === state ? [n + 1] : []))
  const [silent, empty, copies] = [places('silent'), places('empty'), places('copy')]
  if (silent.length > 0) {
    const next = 'check the address in --store or GEOTRACE_STORE, the password, and whether the server runs'
    const { reason } = servers[silent[0]! - 1]!
    return fail('database', `server ${silent.join(', ')} of ${servers.length} gives no answer: ${reason}`, next)
  }
  if (copies.length > 0)
    return fail('database', 'an unfinished copy of a store', 'run geotrace central migrate again; it goes on')
  if (empty.length > 0 && isFounded)
    return fail(
      'database',
      `server ${empty.join(', ')} of ${servers.length} has no store`,
      'give the right address, or restore the last dump; then geotrace central restore with --store',
    )
  return ok('database', empty.length > 0 ? `${all}, empty: the first start makes the store` : `${all} with the store`)
}

export function judgeRunningStore({ store, users, days, storeMib }: CentralFacts): Finding {
  if (store !== undefined)
    return fail('store', `the store cannot be counted (${store})`, 'delete nothing; read the log for `store.condition`')
  const rows = (days ?? []).reduce((sum, day) => sum + day.rows, 0)
  const size = `${grouped(users ?? 0)} users, ${plural(rows, 'row')} on ${plural(days?.length ?? 0, 'day')}`
  return ok('store', `${size}, ${grouped(storeMib ?? 0)} MiB`)
}

/** `days` are the UTC days with rows. A day may be one older than the period, until the next sweep. */
export function judgeRetention(days: readonly number[], retentionDays: number, nowMs: number): Finding {
  const first = Math.floor(nowMs / DAY_MS) - retentionDays
  const old = days.filter((day) => day < first)
  const [oldest] = [...days].sort((a, b) => a - b)
  const from = oldest === undefined ? 'no day has rows' : `rows since ${dayText(oldest)}`
  const what = `${from}; the period is ${plural(retentionDays, 'day')}`
  if (old.length <= 1) return ok('retention', what)
  const next =
    'compare the clock of this machine with others, and look for `retention.waits` and `retention.failed` in the log'
  return fail('retention', `${what}, so ${plural(old.length, 'day')} should be gone`, next)
}

export function judgeSeals(hasKeys: boolean, opensSeals: boolean | undefined): Finding {
  const next = 'nothing to do: the next roster names a new key; devices keep their syncs until then'
  if (opensSeals === false) return warn('seals', 'the key of the newest roster is lost', next)
  if (!hasKeys && opensSeals === undefined)
    return warn('seals', 'no seal key in the directory', 'run `geotrace central init` again')
  return ok('seals', opensSeals === undefined ? 'there' : 'the peer opens the syncs of devices')
}

export function judgeBackup(lastMs: number | undefined, isFounded: boolean, nowMs: number, dirOption: string): Finding {
  const next = `make one: geotrace central backup /backup/TODAY${dirOption}`
  if (lastMs === undefined) {
    return isFounded
      ? warn('backup', 'no backup was made and verified here', next)
      : ok('backup', 'nothing to back up yet')
  }
  const age = nowMs - lastMs
  const what = `the last verified backup is of ${minute(lastMs)}, ${span(Math.max(0, age))} ago`
  if (age > BACKUP_FAIL_MS) return fail('backup', `${what}; nothing in it is still kept`, next)
  return age > BACKUP_WARN_MS ? warn('backup', what, next) : ok('backup', what)
}

export function judgeReports({ held, quarantined, riskWaiting, riskFailures }: CentralFacts): Finding {
  const waiting = held.length
  const next = 'see them: geotrace reports list; then try, publish or reject each'
  if (waiting > 0) return warn('reports', `${plural(waiting, 'report')} held until you decide: ${numbers(held)}`, next)
  if (quarantined.length > 0) {
    const advice = 'see geotrace status; retract the report if it is not genuine, or run with fewer degrees'
    return warn('reports', `${plural(quarantined.length, 'report')} in quarantine: ${numbers(quarantined)}`, advice)
  }
  const failures = riskFailures === 0 ? '' : `, ${plural(riskFailures, 'failed computation')} since the start`
  return ok('reports', `none waits for a decision; ${plural(riskWaiting, 'report')} in computation${failures}`)
}

function numbers(items: readonly { report: number }[]): string {
  const shown = items.slice(0, 10).map(({ report }) => report)
  return `${shown.join(', ')}${items.length > shown.length ? ' …' : ''}`
}

export function judgeAccounts(accounts: readonly Account[]): Finding {
  const valid = accounts.filter(({ revokedAt }) => revokedAt === undefined)
  if (valid.length === 0)
    return ok('accounts', 'none: only the operator of this machine acts, under one name in the audit log')
  const roles = [...new Set(valid.map(({ role }) => role))].map(
    (role) => `${valid.filter((account) => account.role === role).length} ${role}`,
  )
  const what = `${plural(valid.length, 'account')}: ${roles.join(', ')}`
  const locked = valid.filter(({ secondFactor }) => secondFactor === 'locked').map((account) => account.name)
  if (locked.length > 0) {
    const next = 'ask the owner; then geotrace central accounts reset-factor, or revoke the account'
    return warn('accounts', `${what}; locked after ten wrong codes: ${locked.join(', ')}`, next)
  }
  const without = valid.filter(({ secondFactor }) => secondFactor === undefined).length
  return ok('accounts', without === 0 ? what : `${what}; ${without} without a second factor`)
}

export function judgeAudit({ count, broken }: { count: number; broken: readonly number[] }): Finding {
  if (broken.length === 0) return ok('audit', `${plural(count, 'line')}, each with the hash of the line before`)
  const what = `line ${broken[0]} does not follow from the line before`
  return fail(
    'audit',
    what,
    'keep the file, and compare it with a copy: somebody with access to this machine changed it',
  )
}

export function judgeRunningPeer(facts: CentralFacts | undefined, version: string, dirOption: string): Finding[] {
  if (facts === undefined) {
    const what = 'the central peer does not run, so devices keep their deposits'
    return [warn('running', what, `start it: geotrace central run${dirOption}`)]
  }
  return [judgeHealth(facts), judgeMembership(facts), judgeVersion(facts.version, version)]
}

function judgeHealth({ health, syncs, inFlight, leads }: CentralFacts): Finding {
  const duty = leads === undefined ? '' : leads ? ', leads the processes of its store' : ', follows another process'
  const what = `${health}${duty}; ${plural(syncs, 'sync')} answered since the start, ${inFlight} in progress`
  if (health === 'serving') return ok('running', what)
  const next = HEALTH_STEPS[health] ?? 'wait a minute, then run the doctor again'
  return (health === 'joining' || health === 'catching-up' ? warn : fail)('running', what, next)
}

function judgeMembership({ roster, standing, evidence }: CentralFacts): Finding {
  const what = roster === undefined ? 'no roster is certified yet' : `roster ${roster}, ${standing ?? 'unknown'}`
  if (evidence.length > 0)
    return fail(
      'roster',
      `${what}; proven lies: ${evidence.join(', ')}`,
      'talk to the other operators before anything else',
    )
  if (roster === undefined) return warn('roster', what, 'wait until enough operators are online')
  if (standing === 'current') return ok('roster', what)
  const next =
    'check the network of this machine; epochs without a pin wait on the devices until this peer is `current`'
  return warn('roster', what, next)
}

function judgeVersion(running: string, own: string): Finding {
  if (running === own) return ok('version', `the peer runs ${running}, as these files are`)
  const next = 'restart the peer: geotrace central drain, then geotrace central run'
  return warn('version', `the peer runs ${running}, and the files here are ${own}`, next)
}

function dayText(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10)
}
