import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { simulatedClock, systemClock } from '@geotrace/core-wasm'
import { sealRequest } from '@geotrace/core-wasm/seal'
import {
  DEMO_PHRASE,
  decodeSyncReply,
  demoSecret,
  encodeCertifiedRoster,
  hashToRosterName,
  LAG_CURRENT,
  manifestToId,
  peerIdToKey,
  SEALED_PROTOCOL,
  timeToEpoch,
} from '@geotrace/core-wasm/wire'
import { decodeQR } from 'qr/decode.js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { adminRequest } from '../../src/admin/client.ts'
import { adminServer } from '../../src/admin/server.ts'
import { type CentralPeer, centralPeer } from '../../src/central/peer.ts'
import { centralRoutes } from '../../src/cli/central/routes.ts'
import { createMembership } from '../../src/membership/membership.ts'
import { createHost } from '../../src/net/host.ts'
import type { Host } from '../../src/net/protocol.ts'
import { fileRecords } from '../../src/platform/file-records.ts'
import { silent } from '../../src/platform/log.ts'
import { nativeSigner } from '../../src/platform/native-signer.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { run } from '../cli/captured.ts'
import { until } from '../salt/federation.ts'
import { row } from './store/sample.ts'
import { certifiedRoster, Device, demoManifest, OPERATORS, START } from './world.ts'

/** The picture of a printed QR code: each module is two blanks on a light or a dark background. */
function pictureOf(printed: string): { width: number; height: number; data: Uint8Array } {
  const rows = printed
    .split('\n')
    .map((line) => [...line.matchAll(/\[[\d;]*?(\d+)m {2}/g)].map(([, ground]) => ground === '47'))
  const [scale, side] = [4, rows[0]!.length]
  const [width, height] = [side * scale, rows.filter((row) => row.length === side).length * scale]
  const data = new Uint8Array(4 * width * height)
  for (let i = 0; i < width * height; i++) {
    const isLight = rows[Math.floor(i / width / scale)]![Math.floor((i % width) / scale)]
    data.fill(isLight ? 255 : 0, 4 * i, 4 * i + 3)
  }
  return { width, height, data }
}

describe('a central peer on the network', () => {
  let dir: string
  let peer: CentralPeer
  let host: Host
  const clock = simulatedClock(START)
  const manifest = demoManifest({}, 0)
  // The peer listens on ports that the system chooses; the ports of the manifest are placeholders.
  const certified = certifiedRoster(manifest)
  const init = () => ({
    manifest,
    secret: demoSecret(DEMO_PHRASE, 'peer/authority'),
    operatorSecret: demoSecret(DEMO_PHRASE, 'operator/authority'),
    dir,
    clock,
    replyTimer: systemClock(),
    random: systemRandom,
    log: silent,
    listen: ['/ip4/127.0.0.1/tcp/0'],
    config: { degrees: 2 },
    disk: { freeBytes: async () => freeBytes, reserveBytes: 1_000, ballastBytes: 100 },
  })
  let freeBytes: number
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'geotrace-peer-'))
    freeBytes = 1_000_000
    const records = await fileRecords(join(dir, 'records'))
    await records.put('roster-0', encodeCertifiedRoster(certified))
    host = await createHost({ secret: systemRandom(32), listen: [], clock, log: silent })
    peer = centralPeer(init())
    await peer.start()
    for (const name of OPERATORS.slice(0, 3)) others.push(await startMember(name))
    await linkMembers()
  })
  afterEach(async () => {
    await peer.stop()
    await host.stop()
    for (const other of others.splice(0)) await other.stop()
    await rm(dir, { recursive: true })
  })
  const others: Host[] = []
  /** A member with the same roster, linked to the central peer. A third of the operators must answer after its start. */
  const startMember = async (name: string): Promise<Host> => {
    const secret = demoSecret(DEMO_PHRASE, `peer/${name}`)
    const localAddress = `127.44.0.${others.length + 1}`
    const own = await createHost({ secret, listen: [], clock, log: silent, localAddress })
    const records = await fileRecords(join(dir, name))
    await records.put('roster-0', encodeCertifiedRoster(certified))
    const shared = { manifest, host: own, records, clock, random: systemRandom, log: silent }
    const membership = await createMembership({ ...shared, signer: nativeSigner(secret), addresses: () => [] })
    await membership.start()
    return own
  }
  const linkMembers = async (): Promise<void> => {
    const central = { key: peerIdToKey(manifest.central.peerId), addresses: peer.status().addresses }
    for (const other of others) await other.link(central)
    await until(() => peer.status().standing === 'current')
  }
  /** Sends a sealed sync over a libp2p connection, by default as the first member, and opens the answer. */
  const send = async (request: Uint8Array, from: Host = others[0]!): Promise<Uint8Array> => {
    const { seal } = peer.membership()!.rosters.newest!.roster.central
    const sealed = sealRequest(seal, manifestToId(manifest), request, systemRandom)
    const to = { key: peerIdToKey(manifest.central.peerId), addresses: peer.status().addresses }
    return sealed.openReply(await from.request(to, SEALED_PROTOCOL, sealed.frame))
  }
  const device = (): Device =>
    new Device(manifest, { answer: (bytes) => send(bytes) }, [certified], systemRandom, clock)
  const epoch = timeToEpoch(START)

  it('the central peer issues codes, marks and retracts, and keeps its state over a restart', async () => {
    expect(peer.status()).toMatchObject({ state: 'serving', roster: 0, federation: 'test', activeReports: 0 })
    const [code] = (await peer.issueCodes({ count: 1, days: 1 })).codes
    const [reporter, contact, far] = [device(), device(), device()]
    await contact.sync({ rows: { [epoch - 1]: [1], [epoch]: [2] } })
    await far.sync({ rows: { [epoch]: [2] } })
    expect((await reporter.sync({ rows: { [epoch - 1]: [1] }, code: code! })).report).toBe('accepted')
    await peer.settled()
    expect((await contact.sync()).marks).toMatchObject([{ degree: 1 }])

    await peer.stop()
    expect(peer.status().state).toBe('stopped')
    peer = centralPeer(init())
    await peer.start()
    // It answers BUSY until enough peers have sent their newest roster, and says so.
    expect(peer.status()).toMatchObject({ state: 'catching-up', activeReports: 1, riskFailures: 0 })
    expect((await peer.condition()).health).toBe('catching-up')
    await expect(far.sync()).rejects.toMatchObject({ code: 'BUSY' })
    await linkMembers()
    expect(peer.status().state).toBe('serving')
    await peer.settled()
    expect((await far.sync()).marks).toMatchObject([{ degree: 2 }])
    expect(await peer.reports()).toMatchObject([{ id: 1, at: START, stage: 'published', marked: 2, people: [1, 1] }])
    expect(await peer.dryRun({ report: 1 })).toEqual({ degrees: [1, 1], marks: 2, capped: false })
    expect(await peer.dryRun({ report: 1, degrees: 1 })).toEqual({ degrees: [1], marks: 1, capped: false })
    await peer.review(1, 'retract')
    await contact.readAll()
    expect(contact.held.size).toBe(0)
    expect(await peer.reports()).toMatchObject([{ stage: 'retracted', marked: 0 }])
    expect(await peer.statistics()).toMatchObject({ users: 3, codes: { spent: 1 } })
  })

  it('a central peer whose store is gone does not begin with an empty one, unless the authority says so', async () => {
    await device().sync({ rows: { [epoch]: [1] } })
    await peer.stop()
    const store = join(dir, 'store')
    await rm(store, { recursive: true })
    // The mount point of a disk that is not mounted.
    await mkdir(store)
    const start = async (founding?: 'anew') => {
      peer = centralPeer({ ...init(), ...(founding && { founding }) })
      await peer.start()
    }
    await expect(start()).rejects.toMatchObject({ code: 'STORE_MISSING' })
    expect(await readdir(store)).toEqual([])
    await start('anew')
    expect((await peer.statistics()).users).toBe(0)
    await peer.stop()
    await expect(start('anew')).rejects.toMatchObject({ code: 'COMMAND_INVALID' })
    await start()
    expect((await peer.statistics()).users).toBe(0)
  })

  it('a central peer whose keys came from a backup needs its store too', async () => {
    await peer.stop()
    const keysOnly = join(dir, 'restored')
    peer = centralPeer({ ...init(), dir: keysOnly, founding: 'restored' })
    await expect(peer.start()).rejects.toMatchObject({ code: 'STORE_MISSING' })
    expect(existsSync(join(keysOnly, 'store'))).toBe(false)
  })

  it('a running central peer is backed up, and the backup becomes its store again without an erased user', async () => {
    const [kept, gone] = [device(), device()]
    await kept.sync({ rows: { [epoch]: [1] } })
    await gone.sync({ rows: { [epoch]: [2] } })
    const routes = centralRoutes(peer, '0123456789abcdef', 'threshold, 3 of 5')
    const admin = await adminServer({ role: 'central', dir, routes, random: systemRandom, log: silent })
    const copy = join(dir, 'copy')
    const backup = await run('central', 'backup', copy, '--dir', dir)
    expect([backup.code, backup.stdout]).toEqual([0, [expect.stringContaining('is sound: 2 users, 2 rows on 1 days')]])
    expect((await run('central', 'backup', copy, '--dir', dir)).code).toBe(2)
    await gone.sync({ erase: 'all' })
    await admin.stop()
    await peer.stop()
    expect((await run('central', 'restore', copy, '--dir', dir)).code).toBe(2)
    await rm(join(dir, 'store'), { recursive: true })
    expect((await run('central', 'restore', copy, '--dir', dir)).stdout).toEqual([
      expect.stringContaining('is sound: 1 users, 1 rows'),
    ])
    const day = (await readdir(copy)).find((name) => name.startsWith('day-'))!
    await rm(join(copy, day), { recursive: true })
    expect((await run('central', 'verify', copy)).code).toBe(1)
    peer = centralPeer(init())
    await peer.start()
    expect((await peer.statistics()).users).toBe(1)
  })

  it('the control routes of the central peer issue and revoke codes and list, try and retract reports', async () => {
    const admin = await adminServer({
      role: 'central',
      dir,
      routes: centralRoutes(peer, '0123456789abcdef', 'threshold, 3 of 5'),
      random: systemRandom,
      log: silent,
    })
    const { codes } = (await adminRequest(dir, 'POST', '/codes', { count: 2, days: 1, from: START })) as {
      codes: string[]
    }
    expect(codes).toHaveLength(2)
    await adminRequest(dir, 'POST', '/codes/revoke', { code: codes[1] })
    await device().sync({ code: codes[0]! })
    expect(await adminRequest(dir, 'GET', '/reports')).toMatchObject({ reports: [{ id: 1, stage: 'computing' }] })
    expect(await adminRequest(dir, 'POST', '/dry-run', { report: 1, degrees: 3 })).toMatchObject({ marks: 0 })
    await adminRequest(dir, 'POST', '/reports/retract', { report: 1 })
    // A program cannot be asked.
    const unsure = await run('reports', 'restore', '1', '--dir', dir)
    expect([unsure.code, unsure.stderr.join(' ')]).toEqual([2, expect.stringContaining('would mark nobody')])
    expect((await run('reports', 'restore', '1', '--yes', '--dir', dir)).code).toBe(0)
    const [head, first] = (await run('reports', 'list', '--csv', '--dir', dir)).stdout
    expect(head).toBe(
      'report,at,from,until,tested,stage,held by,batch,reason,published,marked,degree 1,degree 2,degree 3,degree 4,degree 5',
    )
    expect(first).toMatch(/^1,2026.*,computing,,[0-9a-f]{10},,,0,,,,,$/)
    expect(await run('reports', 'reject', '1', '--yes', '--dir', dir)).toMatchObject({ code: 2 })
    expect((await run('codes', 'list', '--csv', '--dir', dir)).stdout[1]).toMatch(/,0,1,0,1,operator,$/)
    const { stdout: printed } = await run('codes', 'issue', '--qr', '--dir', dir)
    expect(printed).toEqual([expect.stringMatching(/^(\w{4}-){3}\w{4}$/), expect.any(String)])
    expect(decodeQR(pictureOf(printed[1]!))).toBe(printed[0])
    expect(await adminRequest(dir, 'GET', '/status')).toMatchObject({
      state: 'serving',
      federationId: '0123456789abcdef',
      users: 1,
      codes: { spent: 1, revoked: 1 },
    })
    for (const [path, body, code] of [
      ['/codes', { count: 0 }, 'COMMAND_INVALID'],
      ['/codes', { number: 3 }, 'COMMAND_INVALID'],
      ['/codes/revoke', { code: 'nonsense' }, 'CODE_UNKNOWN'],
      ['/codes/revoke', {}, 'COMMAND_INVALID'],
      ['/reports/retract', { report: 9 }, 'REPORT_UNKNOWN'],
      ['/reports/retract', undefined, 'COMMAND_INVALID'],
      ['/dry-run', { report: 1, degrees: 99 }, 'COMMAND_INVALID'],
    ] as const) {
      await expect(adminRequest(dir, 'POST', path, body)).rejects.toMatchObject({ code })
    }
    await admin.stop()
  })

  it('a central peer whose disk is nearly full refuses deposits with STORAGE_FULL, answers readers and erases', async () => {
    const [known, empty] = [device(), device()]
    await known.sync({ rows: { [epoch]: [1] } })
    freeBytes = 999
    await clock.advanceTo(clock.now() + 1_000)
    await expect(known.sync({ rows: { [epoch]: [2] } })).rejects.toMatchObject({ code: 'STORAGE_FULL' })
    await expect(device().sync({ rows: { [epoch]: [2] } })).rejects.toMatchObject({ code: 'STORAGE_FULL' })
    expect((await empty.sync()).report).toBe('none')
    expect((await known.sync()).left).toBe(0)
    const storeKeys = expect.stringContaining('on the disk of the store')
    expect(await peer.condition()).toEqual({ health: 'disk-low', quarantined: 0, stopped: 0, freeMib: 0, storeKeys })
    expect(peer.status().state).toBe('serving')
    await known.sync({ erase: 'all' })
    expect((await peer.statistics()).users).toBe(0)
    freeBytes = 1_000
    await clock.advanceTo(clock.now() + 1_000)
    await device().sync({ rows: { [epoch]: [2] } })
    expect((await peer.condition()).health).toBe('serving')
  })

  it('a device receives the error code of a refused sync over the network', async () => {
    const syncId = systemRandom(16)
    const one = device()
    await one.sync({ rows: { [epoch]: [row(1, LAG_CURRENT)] }, syncId })
    await expect(one.sync({ rows: { [epoch]: [2] }, syncId })).rejects.toMatchObject({ code: 'SYNC_CONFLICT' })
    const cut = await send(one.frame().subarray(0, 100))
    expect(() => decodeSyncReply(cut)).toThrow(expect.objectContaining({ code: 'MESSAGE_MALFORMED' }))
    await expect(send(one.frame(), host)).rejects.toMatchObject({ code: 'FORBIDDEN' })
    expect(hashToRosterName(certified.hash)).toHaveLength(8)
  })

  it('the central peer refuses a directory in use, a foreign key and a manifest whose replies are too small', async () => {
    const second = centralPeer(init())
    await expect(second.start()).rejects.toMatchObject({ code: 'STORE_LOCKED' })
    expect(second.status().state).toBe('stopped')
    const elsewhere = { ...init(), dir: join(dir, 'other') }
    const stranger = centralPeer({ ...elsewhere, secret: systemRandom(32) })
    await expect(stranger.start()).rejects.toMatchObject({ code: 'MANIFEST_INVALID' })
    const small = demoManifest({ syncReplyBytes: 512 })
    expect(() => centralPeer({ ...init(), manifest: small })).toThrow(
      expect.objectContaining({ code: 'MANIFEST_INVALID' }),
    )
    await expect(second.issueCodes({ count: 1, days: 1 })).rejects.toMatchObject({ code: 'NODE_NOT_RUNNING' })
  })
})
