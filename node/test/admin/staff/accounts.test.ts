import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { audited, openAuditLog, readAuditLog } from '../../../src/admin/audit-log.ts'
import { adminRequest } from '../../../src/admin/client.ts'
import { type AdminRoutes, type AdminServer, adminServer } from '../../../src/admin/server.ts'
import { type AccountFile, readAccountFile } from '../../../src/admin/staff/account-file.ts'
import { type Accounts, accounts, tokenToHash } from '../../../src/admin/staff/accounts.ts'
import { textInFile, textInStore } from '../../../src/admin/staff/kept-text.ts'
import type { Caller } from '../../../src/admin/staff/roles.ts'
import { stepToCode, timeToStep } from '../../../src/admin/staff/totp.ts'
import { memoryStore } from '../../../src/central/store/memory-store.ts'
import { ACTIONS } from '../../../src/cli/central/audit.ts'
import { staffRoutes } from '../../../src/cli/central/staff-routes.ts'
import { silent } from '../../../src/platform/log.ts'
import { systemRandom } from '../../../src/platform/random.ts'
import { run } from '../../cli/captured.ts'

const confirm = (to: AccountFile, code: string) => adminRequest(to, 'POST', '/second-factor/confirm', { code })
const openSession = async (to: AccountFile, code: string) =>
  (await adminRequest(to, 'POST', '/second-factor/session', { code })) as { session: string }

function fromBase32(text: string): Uint8Array {
  const bits = [...text].map((letter) =>
    'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'),
  )
  return Uint8Array.from(bits.join('').match(/.{8}/g)!, (byte) => Number.parseInt(byte, 2))
}

describe('accounts of the staff', () => {
  let dir: string
  let server: AdminServer
  let people: Accounts
  let log: Awaited<ReturnType<typeof openAuditLog>>
  let nowMs = Date.UTC(2026, 10, 20)
  const clock = { now: () => nowMs, setTimer: () => () => {} }
  const files = new Map([['/', { headers: { 'content-type': 'text/html' }, body: 'console' }]])
  const orders: [unknown, Caller][] = []
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'geotrace-staff-'))
    people = accounts(textInFile(join(dir, 'accounts.json')), clock, systemRandom)
    const routes: AdminRoutes = {
      ...staffRoutes(dir, new Uint8Array(32), people, () => readAuditLog(dir)),
      'GET /status': () => ({ state: 'serving' }),
      'POST /codes': (body, caller) => void orders.push([body, caller]),
      'POST /drain': () => ({}),
    }
    log = await openAuditLog(dir, clock as never)
    server = await adminServer({
      role: 'central',
      dir,
      routes,
      staff: { accounts: people, files, clock, audited: (all) => audited(all, log, ACTIONS) },
      random: systemRandom,
      log: silent,
    })
  })
  afterEach(async () => {
    await server.stop()
    await log.close()
    rmSync(dir, { recursive: true })
  })
  const add = (name: string, role: string, ...more: string[]) => {
    const path = join(dir, `${name}.json`)
    return run('central', 'accounts', 'add', name, '--role', role, '--out', path, '--dir', dir, ...more)
  }
  const accountOf = (name: string) => readAccountFile(join(dir, `${name}.json`))
  const call = (path: string, secret: string, init: RequestInit = {}) =>
    fetch(`http://127.0.0.1:${server.port}${path}`, { ...init, headers: { authorization: `Bearer ${secret}` } })

  it('an account acts under its name and role, with a token that is on the disk as a hash only', async () => {
    expect((await add('anna', 'case-worker', '--quota', '5')).code).toBe(0)
    const { token, port } = await accountOf('anna')
    expect(port).toBe(server.port)
    for (const name of ['anna.json', 'accounts.json']) expect(statSync(join(dir, name)).mode & 0o777).toBe(0o600)
    const stored = readFileSync(join(dir, 'accounts.json'), 'utf8')
    expect([stored.includes(token), stored.includes(tokenToHash(token))]).toEqual([false, true])
    await adminRequest(await accountOf('anna'), 'POST', '/codes', { count: 2 })
    expect(orders.pop()).toEqual([{ count: 2 }, { name: 'anna', role: 'case-worker', codesPerDay: 5 }])
    await adminRequest(dir, 'POST', '/codes', { count: 1 })
    expect(orders.pop()).toEqual([{ count: 1 }, { name: 'operator', role: 'admin' }])
    expect((await readAuditLog(dir)).lines.map(({ action, details }) => [action, details])).toEqual([
      ['account.add', { name: 'anna', by: 'operator', role: 'admin' }],
      ['codes.issue', { count: 2, by: 'anna', role: 'case-worker' }],
      ['codes.issue', { count: 1, by: 'operator', role: 'admin' }],
    ])
  })

  it('an account gets FORBIDDEN for an action of another role, and the action does not happen', async () => {
    await add('berta', 'auditor')
    const berta = await accountOf('berta')
    const refused = { code: 'FORBIDDEN', message: 'the role auditor may not do this; ask an admin' }
    await expect(adminRequest(berta, 'POST', '/codes', { count: 1 })).rejects.toMatchObject(refused)
    await expect(adminRequest(berta, 'POST', '/drain')).rejects.toMatchObject(refused)
    expect(orders).toEqual([])
    expect(await adminRequest(berta, 'GET', '/status')).toEqual({ state: 'serving' })
    expect(await adminRequest(berta, 'GET', '/me')).toEqual({ name: 'berta', role: 'auditor' })
    expect(await adminRequest(berta, 'GET', '/audit')).toMatchObject({ count: 1, broken: [] })
  })

  it('a revoked account and its sessions end at once, and its name is not given again', async () => {
    await add('anna', 'case-worker')
    const anna = await accountOf('anna')
    const { stdout } = await run('central', 'console', '--as', join(dir, 'anna.json'))
    const code = stdout[0]!.split('#')[1]!
    const login = (text: string) => call('/session', '', { method: 'POST', body: JSON.stringify(text) })
    const { session } = (await (await login(code)).json()) as { session: string }
    expect((await login(code)).status).toBe(401)
    expect(await (await call('/me', session)).json()).toEqual({ name: 'anna', role: 'case-worker' })
    expect(await (await call('/', '')).text()).toBe('console')
    expect((await run('central', 'accounts', 'revoke', 'anna', '--yes', '--dir', dir)).code).toBe(0)
    expect((await call('/me', session)).status).toBe(401)
    await expect(adminRequest(anna, 'GET', '/me')).rejects.toMatchObject({ code: 'NODE_NOT_RUNNING' })
    expect((await call('/me', anna.token)).status).toBe(401)
    expect((await add('anna', 'admin')).code).not.toBe(0)
    const listed = await run('central', 'accounts', 'list', '--json', '--dir', dir)
    expect(JSON.parse(listed.stdout.join(''))).toEqual({
      accounts: [{ name: 'anna', role: 'case-worker', since: nowMs, revokedAt: nowMs }],
    })
  })

  /** The code that an app with this secret in base32 shows now. */
  const codeOf = (secret: string) => stepToCode(fromBase32(secret), timeToStep(nowMs))

  it('with a second factor the token alone does nothing, and a code opens a session once', async () => {
    await add('anna', 'case-worker', '--needs-factor')
    const anna = await accountOf('anna')
    const order = () => adminRequest(anna, 'POST', '/codes', { count: 1 })
    await expect(order()).rejects.toMatchObject({ code: 'FORBIDDEN', message: /needs a second factor first/ as never })
    const { secret } = (await adminRequest(anna, 'POST', '/second-factor')) as { secret: string }
    await expect(confirm(anna, '000000')).rejects.toMatchObject({ code: 'FORBIDDEN' })
    await confirm(anna, codeOf(secret))
    expect(readFileSync(join(dir, 'anna.json'), 'utf8')).not.toContain(secret)
    expect(await adminRequest(anna, 'GET', '/me')).toEqual({ name: 'anna', role: 'case-worker', lacks: 'code' })
    await expect(order()).rejects.toMatchObject({ code: 'FORBIDDEN' })
    await expect(adminRequest(anna, 'POST', '/login')).rejects.toMatchObject({ code: 'FORBIDDEN' })
    await expect(adminRequest(anna, 'POST', '/second-factor')).rejects.toMatchObject({ code: 'FORBIDDEN' })

    // The code that set the factor does not work again; neither does an older one.
    await expect(openSession(anna, codeOf(secret))).rejects.toMatchObject({ code: 'FORBIDDEN' })
    nowMs += 30_000
    const { session } = await openSession(anna, codeOf(secret))
    await expect(openSession(anna, codeOf(secret))).rejects.toMatchObject({ code: 'FORBIDDEN' })
    const signedIn = { ...anna, session }
    await adminRequest(signedIn, 'POST', '/codes', { count: 3 })
    expect(orders.pop()).toEqual([{ count: 3 }, { name: 'anna', role: 'case-worker' }])
    const { code } = (await adminRequest(signedIn, 'POST', '/login')) as { code: string }
    expect(code).toMatch(/^[0-9a-f]{32}$/)
    nowMs += 10 * 3_600_000
    await expect(adminRequest(signedIn, 'POST', '/codes', { count: 1 })).rejects.toMatchObject({
      code: 'NODE_NOT_RUNNING',
    })
    const done = (await readAuditLog(dir)).lines.map(({ action, details }) => `${action} ${details.by}`)
    expect(done).toEqual([
      ...['account.add operator', 'factor.begin anna', 'factor.confirm anna', 'factor.confirm anna'],
      ...['factor.session anna', 'factor.session anna', 'factor.session anna', 'codes.issue anna', 'staff.login anna'],
    ])
  })

  it('ten wrong codes lock the factor, and an admin removes it', async () => {
    await add('anna', 'case-worker')
    const anna = await accountOf('anna')
    const { secret } = (await adminRequest(anna, 'POST', '/second-factor')) as { secret: string }
    await confirm(anna, codeOf(secret))
    nowMs += 30_000
    // All at once, as a program would guess.
    const wrong = String((Number(codeOf(secret)) + 1) % 1_000_000).padStart(6, '0')
    await Promise.allSettled(Array.from({ length: 10 }, () => openSession(anna, wrong)))
    await expect(openSession(anna, codeOf(secret))).rejects.toMatchObject({ message: /is locked/ as never })
    expect(await people.list()).toMatchObject([{ name: 'anna', secondFactor: 'locked' }])
    await expect(adminRequest(anna, 'POST', '/accounts/reset-factor', { name: 'anna' })).rejects.toMatchObject({
      code: 'FORBIDDEN',
    })
    expect((await run('central', 'accounts', 'reset-factor', 'anna', '--yes', '--dir', dir)).code).toBe(0)
    expect(await adminRequest(anna, 'GET', '/me')).toEqual({ name: 'anna', role: 'case-worker' })
    expect((await readAuditLog(dir)).lines.at(-1)).toMatchObject({
      action: 'account.reset.factor',
      details: { name: 'anna', by: 'operator' },
    })
  })

  it('the processes of one store share accounts, attempts and the file of the peer that ran alone', async () => {
    await add('anna', 'case-worker')
    const store = memoryStore()
    const shared = () => store
    const open = () => accounts(textInStore(shared, 'staff/accounts', join(dir, 'accounts.json')), clock, systemRandom)
    const [one, two] = [open(), open()]
    const { token } = await accountOf('anna')
    expect(await two.byToken(token)).toEqual({ name: 'anna', role: 'case-worker' })
    const names = Array.from({ length: 12 }, (_, n) => `staff-${n}`)
    await Promise.all(names.map((name, n) => (n % 2 === 0 ? one : two).add({ name, role: 'auditor' })))
    expect((await one.list()).map((account) => account.name).sort()).toEqual(['anna', ...names].sort())
    const secret = await one.beginFactor('anna')
    await two.takeCode('anna', codeOf(secret))
    // The second process knows that the code was used.
    const again = await Promise.allSettled([one, two].map((list) => list.takeCode('anna', codeOf(secret))))
    expect(again.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    nowMs += 30_000
    const race = await Promise.allSettled([one, two].map((list) => list.takeCode('anna', codeOf(secret))))
    expect(race.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    await one.revoke('anna')
    expect(await two.byToken(token)).toBeUndefined()
  })

  it('a session of the operator lives for ten hours', async () => {
    const { code } = (await adminRequest(dir, 'POST', '/login')) as { code: string }
    const reply = await call('/session', '', { method: 'POST', body: JSON.stringify(code) })
    const { session } = (await reply.json()) as { session: string }
    expect((await call('/status', session)).status).toBe(200)
    nowMs += 10 * 3_600_000
    expect((await call('/status', session)).status).toBe(401)
  })

  it('a program that only knows the port cannot pose as the server to an account', async () => {
    await add('anna', 'case-worker')
    const anna = await accountOf('anna')
    await server.stop()
    const other = await adminServer({
      ...{ role: 'central' as const, dir: mkdtempSync(join(dir, 'other-')), routes: {} },
      ...{ port: anna.port, random: systemRandom, log: silent },
    })
    await expect(adminRequest(anna, 'GET', '/me')).rejects.toMatchObject({ code: 'NODE_NOT_RUNNING' })
    await other.stop()
  })

  it('wrong names, roles and quotas, a damaged file and a file that others can read are refused', async () => {
    for (const order of [
      { name: 'Anna', role: 'admin' },
      { name: 'operator', role: 'admin' },
      { name: 'anna', role: 'boss' },
      { name: 'anna', role: 'admin', codesPerDay: -1 },
      { name: 'anna', role: 'admin', more: 1 },
      undefined,
    ])
      await expect(people.add(order)).rejects.toMatchObject({ code: 'COMMAND_INVALID' })
    await expect(people.revoke('anna')).rejects.toMatchObject({ code: 'COMMAND_INVALID' })
    await add('anna', 'case-worker')
    writeFileSync(join(dir, 'loose.json'), readFileSync(join(dir, 'anna.json')))
    chmodSync(join(dir, 'loose.json'), 0o644)
    const loose = await run('codes', 'list', '--as', join(dir, 'loose.json'))
    expect([loose.code === 0, loose.stderr.join(' ')]).toEqual([false, expect.stringContaining('chmod 600')])
    writeFileSync(join(dir, 'accounts.json'), '[{}]')
    await expect(people.list()).rejects.toMatchObject({ code: 'STORAGE_CORRUPT' })
  })
})
