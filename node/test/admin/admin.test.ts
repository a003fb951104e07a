import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FederationError } from '@geotrace/core-wasm/wire'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { adminRequest } from '../../src/admin/client.ts'
import { type AdminServer, adminServer } from '../../src/admin/server.ts'
import { silent } from '../../src/platform/log.ts'
import { systemRandom } from '../../src/platform/random.ts'

describe('the control server', () => {
  let dir: string
  let server: AdminServer
  let changes = 0
  const routes = {
    'GET /status': () => ({ state: 'serving' }),
    'POST /echo': async (body: unknown) => ({ body: body ?? null }),
    'POST /change': () => void changes++,
    'POST /refuse': () => {
      throw new FederationError('CODE_EXPIRED', 'it expired')
    },
    'POST /fail': () => {
      throw new Error('inside')
    },
  } as const
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'geotrace-admin-'))
    server = await adminServer({ dir, routes, random: systemRandom, log: silent })
  })
  afterEach(async () => {
    await server.stop()
    await rm(dir, { recursive: true })
  })
  const raw = async (
    method: string,
    path: string,
    headers: Record<string, string> = {},
    body?: string | Buffer,
  ): Promise<number | undefined> => {
    const { token } = JSON.parse(await readFile(join(dir, 'admin.json'), 'utf8')) as { token: string }
    return new Promise((resolve) => {
      const request = httpRequest({
        host: '127.0.0.1',
        port: server.port,
        method,
        path,
        agent: false,
        headers: { authorization: `Bearer ${token}`, ...headers },
      })
      request.once('response', (response) => {
        response.resume()
        resolve(response.statusCode)
      })
      request.once('error', () => resolve(undefined))
      request.end(body)
    })
  }

  it('answers its routes and passes refusals with their code', async () => {
    expect(await adminRequest(dir, 'GET', '/status')).toEqual({ state: 'serving' })
    expect(await adminRequest(dir, 'POST', '/echo', { a: [1, 'ü'] })).toEqual({ body: { a: [1, 'ü'] } })
    expect(await adminRequest(dir, 'POST', '/echo')).toEqual({ body: null })
    expect(await adminRequest(dir, 'POST', '/change')).toEqual({})
    await expect(adminRequest(dir, 'POST', '/refuse')).rejects.toMatchObject({
      code: 'CODE_EXPIRED',
      message: 'it expired',
    })
  })

  it('writes the way to itself for its owner only, and takes it away when it stops', async () => {
    expect((await stat(join(dir, 'admin.json'))).mode & 0o777).toBe(0o600)
    const file = JSON.parse(await readFile(join(dir, 'admin.json'), 'utf8'))
    expect(file).toEqual({ port: server.port, token: expect.stringMatching(/^[0-9a-f]{64}$/), pid: process.pid })
    await server.stop()
    await expect(readFile(join(dir, 'admin.json'))).rejects.toThrow()
    server = await adminServer({ dir, routes, random: systemRandom, log: silent })
  })

  it('leaves the file of a server that took its place', async () => {
    const second = await adminServer({ dir, routes, random: systemRandom, log: silent })
    await server.stop()
    expect(await adminRequest(dir, 'GET', '/status')).toEqual({ state: 'serving' })
    server = second
  })

  it('refuses without the token, with another one, and under another name', async () => {
    expect(await raw('GET', '/status')).toBe(200)
    expect(await raw('GET', '/status', { authorization: '' })).toBe(401)
    expect(await raw('GET', '/status', { authorization: `Bearer ${'0'.repeat(64)}` })).toBe(401)
    expect(await raw('GET', '/status', { host: `localhost:${server.port}` })).toBe(403)
    expect(await raw('GET', '/status', { host: 'evil.example' })).toBe(403)
  })

  it('knows no other path or method, and GET changes nothing', async () => {
    const before = changes
    for (const [method, path] of [
      ['GET', '/change'],
      ['GET', '/'],
      ['DELETE', '/status'],
      ['POST', '/status'],
      ['GET', '/status?x'],
      ['GET', '/constructor'],
    ] as const) {
      expect(await raw(method, path)).toBe(404)
    }
    expect(await raw('GET', '/status', { 'content-length': '2' }, '{}')).toBe(400)
    expect(changes).toBe(before)
  })

  it('refuses what is not JSON and what is too much, and stays up after a route that fails', async () => {
    expect(await raw('POST', '/echo', {}, '{')).toBe(400)
    expect(await raw('POST', '/echo', {}, Buffer.alloc(65_537, 0x20))).toBe(413)
    expect(await raw('POST', '/fail')).toBeUndefined()
    expect(await adminRequest(dir, 'GET', '/status')).toEqual({ state: 'serving' })
  })

  it('listens on this machine only', async () => {
    const reached = (host: string) =>
      new Promise<boolean>((resolve) => {
        const socket = connect(server.port, host)
        socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
        socket.once('connect', () => socket.destroy())
      })
    expect(await reached('127.0.0.1')).toBe(true)
    expect(await reached('127.0.0.2')).toBe(false)
  })
})

describe('asking a control server', () => {
  it('says NODE_NOT_RUNNING and what to do when there is none, or none any more', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'geotrace-admin-'))
    const ask = () => adminRequest(dir, 'GET', '/status')
    const refused = { code: 'NODE_NOT_RUNNING', data: { dir }, message: expect.stringContaining('geotrace') }
    await expect(ask()).rejects.toMatchObject(refused)
    const server = await adminServer({ dir, routes: {}, random: systemRandom, log: silent })
    const stale = await readFile(join(dir, 'admin.json'))
    await server.stop()
    await writeFile(join(dir, 'admin.json'), stale)
    await expect(ask()).rejects.toMatchObject(refused)
    await writeFile(join(dir, 'admin.json'), '{')
    await expect(ask()).rejects.toMatchObject(refused)
    await rm(dir, { recursive: true })
  })

  it('takes another program on its port for no node', async () => {
    const [dir, other] = await Promise.all([1, 2].map(() => mkdtemp(join(tmpdir(), 'geotrace-admin-'))))
    const server = await adminServer({ dir: other!, routes: {}, random: systemRandom, log: silent })
    const file = { port: server.port, token: '0'.repeat(64), pid: 1 }
    await writeFile(join(dir!, 'admin.json'), JSON.stringify(file))
    await expect(adminRequest(dir!, 'GET', '/status')).rejects.toMatchObject({ code: 'NODE_NOT_RUNNING' })
    await server.stop()
    await rm(dir!, { recursive: true })
    await rm(other!, { recursive: true })
  })
})
