import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startWebServer, type WebServer } from '../../src/local/web-server.ts'

let dir: string
let server: WebServer
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'geotrace-web-'))
  await mkdir(join(dir, 'app', 'assets'), { recursive: true })
  await writeFile(join(dir, 'secret.txt'), 'not for the web')
  await writeFile(join(dir, 'app', 'index.html'), '<!doctype html>')
  await writeFile(join(dir, 'app', 'assets', 'main-1a2b.js'), 'export {}')
  server = await startWebServer({ folder: join(dir, 'app'), documents: { '/federation.json': { name: 'here' } } })
})
afterAll(async () => {
  await server.stop()
  await rm(dir, { recursive: true, force: true })
})

/** Sends the path unchanged; `fetch` would normalise it first. */
function raw(
  path: string,
  method = 'GET',
): Promise<{ status: number; headers: Record<string, unknown>; body: string }> {
  const { hostname, port } = new URL(server.url)
  return new Promise((resolve, reject) => {
    const call = request({ hostname, port, path, method }, (response) => {
      let body = ''
      response.on('data', (chunk) => (body += chunk))
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body }))
    })
    call.on('error', reject)
    call.end()
  })
}

describe('the web server', () => {
  it('the web server sends the security policy with every file, and lets browsers keep only files with hashed names', async () => {
    const page = await raw('/')
    expect(page).toMatchObject({ status: 200, body: '<!doctype html>' })
    expect(page.headers['content-security-policy']).toMatch(
      /^default-src 'none'; script-src 'self' 'wasm-unsafe-eval';/,
    )
    expect(page.headers).toMatchObject({ 'cache-control': 'no-cache', 'x-content-type-options': 'nosniff' })
    expect((await raw('/assets/main-1a2b.js')).headers['cache-control']).toContain('immutable')
    const document = await raw('/federation.json')
    expect(JSON.parse(document.body)).toEqual({ name: 'here' })
    expect(document.headers['content-type']).toBe('application/json')
    expect(await raw('/federation.json', 'HEAD')).toMatchObject({ status: 200, body: '' })
  })

  it('the web server refuses paths outside its folder, missing files, and methods other than GET and HEAD', async () => {
    for (const path of [
      '/../secret.txt',
      '/..%2fsecret.txt',
      '/%2e%2e/secret.txt',
      '/assets/../../secret.txt',
      '/none',
      '/%',
    ]) {
      const answer = await raw(path)
      expect(answer.status).toBeGreaterThanOrEqual(400)
      expect(answer.body).not.toContain('not for the web')
      expect(answer.headers['content-security-policy']).toBeDefined()
    }
    for (const method of ['POST', 'PUT', 'DELETE']) expect((await raw('/', method)).status).toBe(405)
  })
})
