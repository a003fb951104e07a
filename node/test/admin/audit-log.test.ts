import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { audited, openAuditLog, readAuditLog } from '../../src/admin/audit-log.ts'
import { OPERATOR } from '../../src/admin/staff/roles.ts'
import { ACTIONS } from '../../src/cli/central/audit.ts'

const root = mkdtempSync(join(tmpdir(), 'geotrace-audit-'))
afterAll(() => rmSync(root, { recursive: true }))
let dir: string
let file: string
let now = 1_764_500_000_000
const clock = { now: () => now++ } as Parameters<typeof openAuditLog>[1]
beforeEach(() => {
  dir = mkdtempSync(join(root, 'peer-'))
  file = join(dir, 'audit.log')
})

async function write(count: number): Promise<void> {
  const log = await openAuditLog(dir, clock)
  await Promise.all(Array.from({ length: count }, (_, report) => log.append('report.retract', { report })))
  await log.close()
}

describe('the audit log', () => {
  it('the chain goes on over restarts, in the order of the actions, and only the owner may read it', async () => {
    expect(await readAuditLog(dir)).toEqual({ lines: [], head: '0'.repeat(64), broken: [] })
    await write(3)
    await write(2)
    const { lines, broken, head } = await readAuditLog(dir)
    expect(broken).toEqual([])
    expect(lines.map(({ details }) => details.report)).toEqual([0, 1, 2, 0, 1])
    expect(head).toBe(lines.at(-1)!.hash)
    expect(statSync(file).mode & 0o777).toBe(0o600)
  })

  it('every changed character, and every removed, repeated or exchanged line, breaks the chain', async () => {
    await write(4)
    const text = readFileSync(file, 'utf8')
    const rows = text.trimEnd().split('\n')
    const isBroken = async (changed: string): Promise<boolean> => {
      writeFileSync(file, changed)
      return (await readAuditLog(dir)).broken.length > 0
    }
    await fc.assert(
      fc.asyncProperty(fc.nat(text.length - 2), fc.constantFrom('0', 'x', ' '), async (at, character) => {
        fc.pre(text[at] !== character)
        // A space between the tokens of JSON changes no value.
        const changed = text.slice(0, at) + character + text.slice(at + 1)
        expect(await isBroken(changed)).toBe(true)
      }),
      { numRuns: 60 },
    )
    for (const changed of [rows.slice(1), rows.toSpliced(1, 1), rows.toSpliced(1, 0, rows[1]!), [...rows].reverse()])
      expect(await isBroken(`${changed.join('\n')}\n`)).toBe(true)
    expect(await isBroken(text)).toBe(false)
  })

  it('a last line without its line break is removed, and the chain goes on from the line before', async () => {
    await write(2)
    truncateSync(file, statSync(file).size - 1)
    await write(1)
    const { lines, broken } = await readAuditLog(dir)
    expect(broken).toEqual([])
    expect(lines.map(({ action }) => action)).toEqual(['report.retract', 'log.cut', 'report.retract'])
  })

  it('lines that are cut off at the end show by the head alone', async () => {
    await write(3)
    const { head } = await readAuditLog(dir)
    const rows = readFileSync(file, 'utf8').trimEnd().split('\n')
    writeFileSync(file, `${rows.slice(0, 2).join('\n')}\n`)
    const cut = await readAuditLog(dir)
    expect(cut.broken).toEqual([])
    expect(cut.head).not.toBe(head)
  })

  it('half a line that a crash left is removed, and the log says so', async () => {
    await write(2)
    appendFileSync(file, '{"at":1,"act')
    await write(1)
    const { lines, broken } = await readAuditLog(dir)
    expect(broken).toEqual([])
    expect(lines.map(({ action }) => action)).toEqual([
      ...['report.retract', 'report.retract', 'log.cut', 'report.retract'],
    ])
    expect(lines[2]!.details).toEqual({ bytes: 12 })
  })

  it('an action that cannot be written does not happen, and a secret of its request is not written', async () => {
    const done: unknown[] = []
    const routes = {
      'POST /codes/revoke': (body: unknown) => void done.push(body),
      'POST /codes': (body: unknown) => void done.push(body),
      'GET /status': () => 'status',
    }
    const log = await openAuditLog(dir, clock)
    const guarded = audited(routes, log, ACTIONS)
    await guarded['POST /codes/revoke']!({ code: '7K3D-9QWX-0A1B-2C3D' }, OPERATOR)
    await guarded['POST /codes']!({ count: 2, days: 3, note: 'anna' }, OPERATOR)
    expect(await guarded['GET /status']!(undefined, OPERATOR)).toBe('status')
    expect(done).toHaveLength(2)
    const text = readFileSync(file, 'utf8')
    expect(text).not.toMatch(/7K3D|anna/)
    expect((await readAuditLog(dir)).lines.map(({ action, details }) => [action, details])).toEqual([
      ['codes.revoke', { by: 'operator', role: 'admin' }],
      ['codes.issue', { count: 2, days: 3, by: 'operator', role: 'admin' }],
    ])
    await log.close()
    await expect(guarded['POST /codes']!({ count: 1, days: 1 }, OPERATOR)).rejects.toThrow()
    expect(done).toHaveLength(2)
  })
})
