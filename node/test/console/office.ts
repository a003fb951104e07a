/** A central peer without a network behind a control server, with reports, marks, codes and accounts, for the console. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { periodToRule } from '@geotrace/core-wasm/spread'
import { foundRoster, testManifest, testSpread, testTrees } from '@geotrace/core-wasm/testing'
import { DAY_MS, manifestToId } from '@geotrace/core-wasm/wire'
import { audited, openAuditLog, readAuditLog } from '../../src/admin/audit-log.ts'
import { adminRequest } from '../../src/admin/client.ts'
import { readConsole } from '../../src/admin/console-files.ts'
import { type AdminRoutes, adminServer } from '../../src/admin/server.ts'
import { accounts } from '../../src/admin/staff/accounts.ts'
import { textInFile } from '../../src/admin/staff/kept-text.ts'
import { newFactor } from '../../src/admin/staff/second-factor.ts'
import type { CentralPeer } from '../../src/central/peer.ts'
import { SEED_PROFILE } from '../../src/central/risk/risk-profile.ts'
import { ACTIONS } from '../../src/cli/central/audit.ts'
import { centralRoutes } from '../../src/cli/central/routes.ts'
import { staffRoutes } from '../../src/cli/central/staff-routes.ts'
import { type SpreadSource, spreadRoutes } from '../../src/cli/spread/routes.ts'
import { silent } from '../../src/platform/log.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { HOUR_MS, type World, world } from '../central/world.ts'

const CONSOLE = fileURLToPath(new URL('../../console/dist', import.meta.url))

export interface Office {
  readonly w: World
  /** A link to the console for the operator, or for an account. */
  link(account?: string): Promise<string>
  stop(): Promise<void>
}

/** Reports are held; anna is a case worker, and report 2 came with her code. */
export async function openOffice(): Promise<Office> {
  const w = await world({ config: { review: true, breakerPeople: 4 } })
  const dir = mkdtempSync(join(tmpdir(), 'geotrace-office-'))
  const { clock } = w
  const people = accounts(textInFile(join(dir, 'accounts.json')), clock, systemRandom)
  const log = await openAuditLog(dir, clock)
  const spread = published(clock.now())
  const routes = {
    ...centralRoutes(toPeer(w), '0123456789abcdef', 'threshold, 3 of 5'),
    ...staffRoutes(dir, new Uint8Array(32), people, () => readAuditLog(dir)),
    ...spreadRoutes(() => spread, clock),
    'GET /rosters': () => ({ isForked: false, rosters: [ROSTER] }),
  }
  const files = await readConsole(CONSOLE)
  if (files === undefined) throw new Error('the console is not built: npm run build')
  const staff = { accounts: people, files, clock, audited: (all: AdminRoutes) => audited(all, log, ACTIONS) }
  const shared = { role: 'central' as const, dir, staff, random: systemRandom, log: silent }
  const server = await adminServer({ ...shared, routes })
  const tokens = await live(w, dir)
  // Carla has set a second factor.
  await people.add({ name: 'carla', role: 'auditor', needsFactor: true })
  const factor = newFactor(systemRandom)
  const file = join(dir, 'accounts.json')
  const list = JSON.parse(readFileSync(file, 'utf8')) as { name: string }[]
  writeFileSync(
    file,
    JSON.stringify(
      list.map((item) => (item.name === 'carla' ? { ...item, factor: { ...factor, isSet: true } } : item)),
    ),
  )
  return {
    w,
    async link(account) {
      const to = account === undefined ? dir : { name: account, port: server.port, token: tokens.get(account)! }
      const { code } = (await adminRequest(to, 'POST', '/login')) as { code: string }
      return `http://127.0.0.1:${server.port}/#${code}`
    },
    async stop() {
      await server.stop()
      await w.risk.stop()
      await log.close()
      rmSync(dir, { recursive: true })
    },
  }
}

const SPREAD = { areas: [36_771], resolution: 7, periodDays: 1, minimum: 100, epsilon: 1_000 }

/** A federation that published the counts of yesterday, and none of the day before. */
function published(nowMs: number): SpreadSource {
  const today = Math.floor(nowMs / DAY_MS)
  const long = { shards: 1, periodEpochs: 90, reserveEpochs: 9 }
  const manifest = testManifest({ spread: SPREAD, ...long }, (today - 3) * DAY_MS - HOUR_MS)
  const certified = foundRoster(manifest, testTrees(manifest))
  const counts = Array.from({ length: 344 }, (_, i) =>
    i === 0 ? 55 : Math.round(90 * Math.exp(-((i - 100) ** 2) / 90)),
  )
  const spread = testSpread(certified, manifestToId(manifest), today - 1, counts)
  const inForce = (epoch: number) => (epoch >= certified.roster.firstEpoch ? certified : undefined)
  return {
    table: {
      ruleOf: (period) => periodToRule(inForce, period),
      spreadOf: (period) => (period === today - 1 ? spread : undefined),
    },
    isCounted: (epoch) => inForce(epoch) !== undefined,
  }
}

const ROSTER = { height: 3, firstEpoch: 373_960, operators: 5, members: 6, votes: 4, changes: ['ash adds a node'] }

/** Four people, of whom two report: report 1 is published, report 2 is held. */
async function live({ device, epoch, clock, codes, risk }: World, dir: string): Promise<Map<string, string>> {
  const tokens = new Map<string, string>()
  for (const [name, role] of [
    ['anna', 'case-worker'],
    ['berta', 'auditor'],
  ] as const) {
    const order = { name, role, ...(name === 'anna' && { codesPerDay: 50 }) }
    tokens.set(name, ((await adminRequest(dir, 'POST', '/accounts', order)) as { token: string }).token)
  }
  const [first, second] = [
    await codes.issue({ count: 20, days: 3, label: 'laboratory 3' }, { name: 'operator' }),
    await codes.issue({ count: 2, days: 1 }, { name: 'anna' }),
  ]
  const ago = (epochs: number): number => epoch() - epochs
  for (const [epochs, spots] of [
    [24, ['café', 'tram']],
    [6, ['office']],
  ] as const)
    for (let i = 0; i < 3; i++) await device().sync({ rows: { [ago(epochs)]: spots.slice(0, i + 1) } })
  await device().sync({ rows: { [ago(24)]: ['café', 'tram'] }, code: first.codes[0]! })
  await clock.advanceTo(clock.now() + HOUR_MS)
  await risk.review(1, 'publish')
  await risk.settled()
  await device().sync({ rows: { [ago(6)]: ['office'] }, code: second.codes[0]!, testDay: 20_776 })
  await risk.settled()
  return tokens
}

/** The parts of a central peer that the console asks for. */
function toPeer({ service, risk, codes, store, published }: World): CentralPeer {
  const status = (): ReturnType<CentralPeer['status']> => ({
    ...{ state: 'serving', federation: 'north-country', peerId: undefined, addresses: [], roster: 3 },
    ...{ standing: 'current', opensSeals: true, evidence: [], reach: { asked: 6, answered: 6, strayed: [] } },
    ...{ ...service.counters, sealUnknown: 0, sealedRefusals: 0, inFlight: 0, sourceHashes: published.length },
    ...{ enrolments: 0, tokens: 0, leads: undefined },
    ...{
      retentionDays: 14,
      profile: { name: 'seed', version: 0 },
      activeReports: risk.status.reports,
      riskMs: 1_234,
      riskFailures: 0,
      riskWaiting: risk.status.waiting,
    },
    ...{ quarantined: risk.status.quarantined, held: risk.status.held },
  })
  return {
    status,
    condition: async () => ({ health: 'serving', quarantined: 0, stopped: 0, freeMib: 51_200 }),
    statistics: async () => {
      const { bytes, ...counts } = await store.statistics()
      return { ...counts, storeMib: Math.ceil(bytes / 2 ** 20), codes: await codes.counts() }
    },
    issueCodes: codes.issue,
    revokeCode: codes.revoke,
    codeStatus: codes.status,
    codeBatches: codes.batches.list,
    revokeBatch: codes.batches.revoke,
    reports: async () =>
      await Promise.all(
        (await store.reports()).map(async (report) => ({
          ...{ id: report.id, at: report.at, from: report.from * 4_800_000, until: report.until * 4_800_000 },
          ...(report.testDay !== undefined && { testedAt: report.testDay * 86_400_000 }),
          ...(report.batch !== undefined && { batch: report.batch }),
          ...(report.reason !== undefined && { reason: report.reason }),
          ...risk.factsOf(report),
          marked: (await store.markedUsers(report.id)).length,
        })),
      ),
    review: risk.review,
    dryRun: ({ report }) => risk.dryRun(report, SEED_PROFILE),
  } as Partial<CentralPeer> as CentralPeer
}
