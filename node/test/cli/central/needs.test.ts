/**
 * The needs of an authority (issue 15), each with a test that shows it. CENTRAL.md, "What is missing", has those that are not
 * met or partly met.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

type State = 'yes' | 'partly' | 'no'
const read = (name: string): string => readFileSync(fileURLToPath(new URL(`../../../${name}`, import.meta.url)), 'utf8')

const NEEDS: readonly [need: string, state: State, file: string, title: string][] = [
  [
    'dry run before publication',
    'yes',
    'test/console/console.test.ts',
    'an admin sees the numbers, tries and publishes a held report',
  ],
  [
    'exact retraction, with a reason and an undo',
    'yes',
    'test/central/review/reviewed-reports.test.ts',
    'the restoration of a retracted report gives the same marks again',
  ],
  [
    'audit log with a hash chain',
    'yes',
    'test/admin/shared-audit-log.test.ts',
    'processes that share a store write one chain',
  ],
  [
    'roles and several workers',
    'yes',
    'test/admin/staff/accounts.test.ts',
    'the processes of one store share accounts, attempts',
  ],
  ['second factor', 'yes', 'test/admin/staff/accounts.test.ts', 'with a second factor the token alone does nothing'],
  ['several authorities', 'no', '', ''],
  ['statistics', 'yes', 'test/deploy.test.ts', 'every measure in a rule is one that a peer gives'],
  ['console', 'yes', 'test/console/console.test.ts', 'the console passes axe and never scrolls sideways'],
  [
    'codes in batches, with expiry, revocation, label, status and quota',
    'yes',
    'test/central/codes/batches.test.ts',
    'a worker with a quota orders so many codes in a UTC day',
  ],
  [
    'hot backup that is read whole',
    'yes',
    'test/central/store/level/store-backup.test.ts',
    'a backup under way has all that was acknowledged before',
  ],
  [
    'restore that brings no erased user back',
    'yes',
    'test/central/store/postgres/postgres-store.test.ts',
    'an old dump that is restored erases again who was erased since',
  ],
  [
    'migration between engines',
    'partly',
    'test/central/store/postgres/store-copy.ts',
    'gives every device the marks, rows and acknowledgements that it had',
  ],
  [
    'rebuild of what follows from other data',
    'partly',
    'test/central/risk/risk-engine.test.ts',
    'settings with fewer degrees or higher thresholds take back marks after a start',
  ],
  [
    'PostgreSQL',
    'yes',
    'test/central/store/postgres/postgres-store.test.ts',
    'connections that end lose no acknowledged deposit',
  ],
  ['several processes', 'yes', 'test/central/lease/two-processes.test.ts', 'one process leads, both take syncs'],
  ['failover', 'yes', 'test/central/lease/two-processes.test.ts', 'the follower leads after the leader has stopped'],
  [
    'infectious window',
    'yes',
    'test/central/review/reviewed-reports.test.ts',
    'a code with an end of the infectious time leaves later epochs out',
  ],
  [
    'withdrawal and recovery',
    'yes',
    'test/central/review/reviewed-reports.test.ts',
    'a report that its reporter withdrew cannot be restored',
  ],
  [
    'dose profile',
    'yes',
    'test/central/profiles/profiles.test.ts',
    'the command shows, compares, sets and rolls back profiles',
  ],
  [
    'versioned configuration, kept with each report',
    'yes',
    'test/central/profiles/profiles.test.ts',
    'each computation keeps the name and the version of its profile',
  ],
  [
    'circuit breaker',
    'yes',
    'test/central/review/reviewed-reports.test.ts',
    'the circuit breaker stops a report of too many people',
  ],
  [
    'review before publication',
    'yes',
    'test/central/review/reviewed-reports.test.ts',
    'a report gives no marks before its publication',
  ],
  ['global view', 'yes', 'test/console/console.test.ts', 'an admin sees where reporters have been with ±'],
  [
    'retention, with its proof',
    'yes',
    'test/central/store/level/level-retention.test.ts',
    'after the period nothing of a person is left',
  ],
  [
    'erasure of a user',
    'yes',
    'test/central/store/conformance.ts',
    'an erasure deletes all data of one user and no data of another',
  ],
  [
    'sealed rows, with keys of days that are destroyed',
    'yes',
    'test/central/store/postgres/postgres-store.test.ts',
    'and drops the days without keys',
  ],
  [
    'exports as CSV and JSON',
    'yes',
    'test/cli/central/audit.test.ts',
    'the audit shows each action with its details as a table, as CSV and as JSON',
  ],
  [
    'alarms about disk and damage, and /healthz',
    'yes',
    'test/central/health.test.ts',
    'the health names the fault of the store first and of the disk second',
  ],
]

it('the list has the twenty-eight needs, and each one that is met names a test that exists', () => {
  expect(NEEDS).toHaveLength(28)
  const lost = NEEDS.filter(([, state, file, title]) => state !== 'no' && !read(file).includes(title))
  expect(lost).toEqual([])
})

it('CENTRAL.md names each need that is not met whole', () => {
  const [, missing = ''] = /^### What is missing\n([\s\S]*?)(?=^##)/m.exec(read('CENTRAL.md')) ?? []
  const named = [...missing.matchAll(/^- \*\*(.*?)\*\*/gm)].map(([, name]) => name)
  expect(named).toEqual(NEEDS.filter(([, state]) => state !== 'yes').map(([need]) => need))
})
