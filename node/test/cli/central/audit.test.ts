import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { openAuditLog } from '../../../src/admin/audit-log.ts'
import { run } from '../captured.ts'

const dir = mkdtempSync(join(tmpdir(), 'geotrace-audit-'))
const file = join(dir, 'audit.log')
mkdirSync(join(dir, 'store'))
afterAll(() => rmSync(dir, { recursive: true }))

it('the audit shows each action with its details as a table, as CSV and as JSON, and names a changed line', async () => {
  const at = ['--dir', dir]
  expect((await run('central', 'audit', ...at)).stdout.join('\n')).toContain('No action yet.')
  let now = Date.parse('2026-11-20T10:00:00Z')
  const log = await openAuditLog(dir, { now: () => now } as Parameters<typeof openAuditLog>[1])
  await log.append('codes.issue', { count: 20, days: 3 })
  now += 86_400_000
  await log.append('report.retract', { report: 7 })
  await log.close()

  const { code, stdout } = await run('central', 'audit', ...at)
  expect(code).toBe(0)
  expect(stdout).toEqual([
    '2026-11-20T10:00:00.000Z  codes.issue     count 20, days 3',
    '2026-11-21T10:00:00.000Z  report.retract  report 7',
  ])
  const { stdout: csv } = await run('central', 'audit', ...at, '--csv', '--since', '2026-11-21T00:00:00Z')
  expect(csv[1]).toMatch(/^2026-11-21T10:00:00\.000Z,report\.retract,"\{""report"":7\}",[0-9a-f]{64}$/)
  expect(csv).toHaveLength(2)

  writeFileSync(file, readFileSync(file, 'utf8').replace('"count":20', '"count":2'))
  const changed = await run('--json', 'central', 'audit', ...at)
  expect(changed.code).toBe(1)
  expect(JSON.parse(changed.stdout.join(''))).toMatchObject({ ok: false, broken: [1] })
})
