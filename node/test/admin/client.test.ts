import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { adminRequest } from '../../src/admin/client.ts'
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
})
