import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readAdminFile } from '../../src/admin/admin-file.ts'
import { adminRequest } from '../../src/admin/client.ts'
import { answersChallenge, CHALLENGE_HEADER, challengeToProof } from '../../src/admin/proof.ts'
import { adminServer } from '../../src/admin/server.ts'
import { silent } from '../../src/platform/log.ts'
import { systemRandom } from '../../src/platform/random.ts'

describe('a request to the control server', () => {
  it('a control request rejects with NODE_NOT_RUNNING and the next command when no server runs, or no longer runs', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'geotrace-admin-'))
    const ask = () => adminRequest(dir, 'GET', '/status')
    const refused = { code: 'NODE_NOT_RUNNING', data: { dir }, message: expect.stringContaining('geotrace') }
    await expect(ask()).rejects.toMatchObject(refused)
    const server = await adminServer({ role: 'salt', dir, routes: {}, random: systemRandom, log: silent })
    const stale = await readFile(join(dir, 'admin.json'))
    await server.stop()
    await writeFile(join(dir, 'admin.json'), stale)
    await expect(ask()).rejects.toMatchObject(refused)
    await writeFile(join(dir, 'admin.json'), '{')
    await expect(ask()).rejects.toMatchObject(refused)
    const valid = { role: 'salt', port: server.port, token: 'f'.repeat(64), pid: process.pid }
    for (const odd of [{ port: 7_000_000 }, { port: 1.5 }, { token: '\n' }, { pid: -1 }]) {
      await writeFile(join(dir, 'admin.json'), JSON.stringify({ ...valid, ...odd }))
      expect(await readAdminFile(dir), JSON.stringify(odd)).toBeUndefined()
      await expect(ask()).rejects.toMatchObject(refused)
    }
    await rm(dir, { recursive: true })
  })

  it('a control request rejects with NODE_NOT_RUNNING when another program listens on the port', async () => {
    const [dir, other] = await Promise.all([1, 2].map(() => mkdtemp(join(tmpdir(), 'geotrace-admin-'))))
    const server = await adminServer({ role: 'salt', dir: other!, routes: {}, random: systemRandom, log: silent })
    const file = { role: 'salt', port: server.port, token: '0'.repeat(64), pid: 1 }
    await writeFile(join(dir!, 'admin.json'), JSON.stringify(file))
    await expect(adminRequest(dir!, 'GET', '/status')).rejects.toMatchObject({ code: 'NODE_NOT_RUNNING' })
    await server.stop()
    await rm(dir!, { recursive: true })
    await rm(other!, { recursive: true })
  })

  it('a program that took the port of a dead server gets neither the token nor the request, and cannot pose as it', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'geotrace-admin-'))
    const token = 'f'.repeat(64)
    const seen: string[] = []
    const impostor = createServer((request, response) => {
      seen.push(`${request.method} ${request.url} ${JSON.stringify(request.headers)}`)
      request.on('data', (part) => seen.push(String(part)))
      const proof = challengeToProof('0'.repeat(64), String(request.headers[CHALLENGE_HEADER]))
      response.end(JSON.stringify({ proof, codes: ['a false code'] }))
    })
    await new Promise<void>((resolve) => impostor.listen(0, '127.0.0.1', resolve))
    const { port } = impostor.address() as AddressInfo
    await writeFile(join(dir, 'admin.json'), JSON.stringify({ role: 'central', port, token, pid: process.pid }))
    const asked = adminRequest(dir, 'POST', '/codes/revoke', { code: 'SECRET' })
    await expect(asked).rejects.toMatchObject({ code: 'NODE_NOT_RUNNING' })
    impostor.close()
    expect(seen).toHaveLength(1)
    expect(seen[0]).toMatch(/^GET \/proof /)
    expect(seen[0]).not.toMatch(/SECRET|authorization/)
    expect(seen[0]).not.toContain(token)
    await rm(dir, { recursive: true })
  })

  it('the proof of a server depends on its token and on the challenge, and a text that is no challenge gets none', () => {
    const [token, challenge] = ['a'.repeat(64), 'b'.repeat(64)]
    const proof = challengeToProof(token, challenge)
    expect(answersChallenge(token, challenge, proof)).toBe(true)
    for (const [otherToken, otherChallenge] of [
      ['c'.repeat(64), challenge],
      [token, 'c'.repeat(64)],
    ] as const) {
      expect(answersChallenge(otherToken, otherChallenge, proof)).toBe(false)
    }
    for (const wrong of [undefined, '', 'x', null, `${proof}0`])
      expect(answersChallenge(token, challenge, wrong)).toBe(false)
    expect(challengeToProof(token, 'b')).toBeUndefined()
    expect(answersChallenge(token, '', '')).toBe(false)
  })
})
