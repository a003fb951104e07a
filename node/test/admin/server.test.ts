import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FederationError } from '@geotrace/core-wasm/wire'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { adminRequest } from '../../src/admin/client.ts'
import { pageContent } from '../../src/admin/page/content.ts'
import { type AdminServer, adminServer } from '../../src/admin/server.ts'
import { silent } from '../../src/platform/log.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { STATUS } from './page/sample.ts'

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
    'POST /full': () => {
      throw Object.assign(new Error('no space left on device, write'), { code: 'ENOSPC' })
    },
    'POST /fail': () => {
      throw new Error('inside')
    },
  } as const
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'geotrace-admin-'))
    server = await adminServer({ role: 'salt', dir, routes, random: systemRandom, log: silent })
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

  it('the control server answers each route and passes a refusal on with its code', async () => {
    expect(await adminRequest(dir, 'GET', '/status')).toEqual({ state: 'serving' })
    expect(await adminRequest(dir, 'POST', '/echo', { a: [1, 'ü'] })).toEqual({ body: { a: [1, 'ü'] } })
    expect(await adminRequest(dir, 'POST', '/echo')).toEqual({ body: null })
    expect(await adminRequest(dir, 'POST', '/change')).toEqual({})
    await expect(adminRequest(dir, 'POST', '/refuse')).rejects.toMatchObject({
      code: 'CODE_EXPIRED',
      message: 'it expired',
    })
  })

  it('the control server writes admin.json with mode 0600 and removes the file when it stops', async () => {
    expect((await stat(join(dir, 'admin.json'))).mode & 0o777).toBe(0o600)
    const file = JSON.parse(await readFile(join(dir, 'admin.json'), 'utf8'))
    expect(file).toEqual({
      role: 'salt',
      port: server.port,
      token: expect.stringMatching(/^[0-9a-f]{64}$/),
      pid: process.pid,
    })
    await server.stop()
    await expect(readFile(join(dir, 'admin.json'))).rejects.toThrow()
    server = await adminServer({ role: 'salt', dir, routes, random: systemRandom, log: silent })
  })

  it('a control server that stops leaves the admin.json of its successor in place', async () => {
    const second = await adminServer({ role: 'salt', dir, routes, random: systemRandom, log: silent })
    await server.stop()
    expect(await adminRequest(dir, 'GET', '/status')).toEqual({ state: 'serving' })
    server = second
  })

  it('the control server refuses a request without the token, with another token, or with another Host header', async () => {
    expect(await raw('GET', '/status')).toBe(200)
    expect(await raw('GET', '/status', { authorization: '' })).toBe(401)
    expect(await raw('GET', '/status', { authorization: `Bearer ${'0'.repeat(64)}` })).toBe(401)
    expect(await raw('GET', '/status', { host: `localhost:${server.port}` })).toBe(403)
    expect(await raw('GET', '/status', { host: 'evil.example' })).toBe(403)
  })

  it('the control server answers 404 to every other path or method, and a GET changes nothing', async () => {
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

  it('the control server refuses a body that is not JSON or too large, and stays up after a route fails', async () => {
    expect(await raw('POST', '/echo', {}, '{')).toBe(400)
    expect(await raw('POST', '/echo', {}, Buffer.alloc(65_537, 0x20))).toBe(413)
    expect(await raw('POST', '/fail')).toBeUndefined()
    expect(await adminRequest(dir, 'GET', '/status')).toEqual({ state: 'serving' })
  })

  it('a full disk is an answer, so that the client does not say that no node runs', async () => {
    const refused = await adminRequest(dir, 'POST', '/full').catch((error: FederationError) => error)
    expect(refused).toMatchObject({ code: 'STORAGE_FULL' })
  })

  it('the control server answers while another local user keeps its 16 connections silent, and closes those', async () => {
    const gone: Promise<unknown>[] = []
    const sockets = Array.from({ length: 16 }, () => {
      const socket = connect(server.port, '127.0.0.1')
      socket.on('error', () => {})
      gone.push(new Promise((resolve) => socket.once('close', resolve)))
      return socket
    })
    await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('connect', resolve))))
    expect(await raw('GET', '/status', { host: `127.0.0.1:${server.port}` })).toBe(200)
    const startMs = performance.now()
    await Promise.all(gone)
    expect(performance.now() - startMs).toBeLessThan(4_000)
  })

  it('the control server listens on 127.0.0.1 only', async () => {
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

describe('the status page on the control server', () => {
  let dir: string
  let server: AdminServer
  let changes = 0
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'geotrace-page-'))
    const routes = { 'POST /change': () => void changes++, 'GET /status': () => ({ state: 'serving' }) }
    server = await adminServer({
      role: 'salt',
      dir,
      routes,
      page: () => pageContent(STATUS),
      random: systemRandom,
      log: silent,
    })
  })
  afterEach(async () => {
    await server.stop()
    await rm(dir, { recursive: true })
  })
  const ask = (method: string, path: string, token?: string, body?: string) =>
    fetch(`http://127.0.0.1:${server.port}${path}`, {
      method,
      ...(token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }),
      ...(body === undefined ? {} : { body }),
    })
  const enter = async () => {
    const { code } = (await adminRequest(dir, 'POST', '/login')) as { code: string }
    const { session } = (await (await ask('POST', '/session', undefined, JSON.stringify(code))).json()) as {
      session: string
    }
    return { code, session }
  }

  it('the shell of the status page has no data of the node, and its policy allows only its own script and style', async () => {
    const response = await ask('GET', '/')
    expect(response.status).toBe(200)
    const text = await response.text()
    expect(text).not.toMatch(/anna|12D3Koo|https?:|src=|url\(/)
    const policy = response.headers.get('content-security-policy')!
    expect(policy).toMatch(/^default-src 'none'; /)
    expect(policy).not.toMatch(/unsafe|\*|https?:/)
    for (const tag of ['style', 'script']) {
      const source = new RegExp(`<${tag}>([\\s\\S]*)</${tag}>`).exec(text)![1]!
      expect(policy).toContain(`${tag}-src 'sha256-${createHash('sha256').update(source).digest('base64')}'`)
    }
    expect(response.headers.get('cache-control')).toBe('no-store')
  })

  it('a session of the status page sees the content and can only read', async () => {
    const { code, session } = await enter()
    const page = await ask('GET', '/page', session)
    expect(page.status).toBe(200)
    expect(await page.text()).toContain('12 345')
    expect((await ask('POST', '/change', session)).status).toBe(401)
    expect((await ask('GET', '/status', session)).status).toBe(401)
    expect((await ask('POST', '/login', session)).status).toBe(401)
    expect(changes).toBe(0)
    // The link works once. Only a session opens the content; the control token, which no browser has, does not.
    expect((await ask('POST', '/session', undefined, JSON.stringify(code))).status).toBe(401)
    expect((await ask('GET', '/page')).status).toBe(401)
    const { token } = JSON.parse(await readFile(join(dir, 'admin.json'), 'utf8')) as { token: string }
    expect((await ask('GET', '/page', token)).status).toBe(401)
    for (const body of ['', '{', '[]', 'null', `"${'0'.repeat(70_000)}"`]) {
      expect((await ask('POST', '/session', undefined, body)).status).toBe(401)
    }
  })

  it('a control server without a page to draw answers 401 for it', async () => {
    const other = await mkdtemp(join(tmpdir(), 'geotrace-page-'))
    const bare = await adminServer({ role: 'salt', dir: other, routes: {}, random: systemRandom, log: silent })
    expect((await fetch(`http://127.0.0.1:${bare.port}/`)).status).toBe(401)
    await bare.stop()
    await rm(other, { recursive: true })
  })
})
