/** A person with the HTTPS dialer and a person with libp2p meet in one federation, by the same salts. PROTOCOL.md §6.1. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadGroup } from '@geotrace/core-wasm/voprf'
import {
  EVALUATE_PROTOCOL,
  encodeEvaluateRequest,
  encodeSeedsRequest,
  hashToRosterName,
  manifestToId,
  SEEDS_PROTOCOL,
  timeToEpoch,
} from '@geotrace/core-wasm/wire'
import { type LocalFederation, loopbackAddresses, startFederation } from '@geotrace/node/testing'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { LOOPBACK_CERTIFICATE } from '../../../scripts/loopback-certificates.js'
import { createTracer, type Dialer, httpsDialer, libp2pDialer, memoryStorage, type Tracer } from '../../src/node.ts'
import { life } from '../../src/testing/fake-federation.ts'
import { httpsFetch } from '../dialers/https-fetch.ts'

const MINUTE = 60_000
const CAFE = { lat: 52.52, lng: 13.405 }

let dir: string
let federation: LocalFederation
let trusting: ReturnType<typeof httpsFetch>
/** The addresses of the person with HTTPS and of the one with libp2p. */
let devices: string[]
/** The other sides of all connections that reached a port of this process, by port. */
const reached: { port: number; from: string }[] = []
const note = (message: unknown) => {
  const { localPort = 0, remoteAddress = '' } = (message as { socket: Socket }).socket
  reached.push({ port: localPort, from: remoteAddress })
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'geotrace-https-'))
  subscribe('net.server.socket', note)
  federation = await startFederation({ dir: join(dir, 'federation'), certificate: LOOPBACK_CERTIFICATE })
  devices = await loopbackAddresses(2, 2)
  trusting = httpsFetch(LOOPBACK_CERTIFICATE.cert, devices[0])
})
afterAll(async () => {
  unsubscribe('net.server.socket', note)
  trusting?.close()
  await federation?.stop()
  await rm(dir, { recursive: true, force: true })
})

async function person(dialer: Dialer): Promise<Tracer> {
  const tracer = await createTracer({
    federation: federation.manifest,
    storage: memoryStorage(),
    dialer,
    redaction: false,
  })
  for (const fix of life(CAFE, Date.now() - 20 * MINUTE, 30))
    expect(await tracer.record(fix)).toEqual({ accepted: true })
  return tracer
}

it('a person with libp2p who met a reporter with the HTTPS dialer gets the exposure, and neither connects to the central peer', {
  timeout: 120_000,
}, async () => {
  const https = httpsDialer({ fetch: trusting.fetch })
  const [ada, ben] = [await person(https), await person(libp2pDialer({ localAddress: devices[1]! }))]
  for (const tracer of [ada, ben]) {
    const result = await tracer.sync()
    expect(result).toMatchObject({ fixesHashed: 6, fixesDeferred: 0, rowsRefused: 0, nodesLied: 0 })
    expect(result.rowsDeposited).toBe(result.points)
  }
  const [code] = (await federation.central.issueCodes({ count: 1, days: 1 })).codes
  expect(await ada.report(code!)).toMatchObject({ report: 'accepted' })
  await federation.central.settled()
  expect((await ben.sync()).marksNew).toBeGreaterThan(0)
  const [exposure] = await ben.exposures()
  expect(exposure).toMatchObject({ degree: 1, certainty: 'high' })
  await ada.eraseAll()
  await ben.eraseAll()
  await Promise.all([ada.close(), ben.close()])
  expect((await federation.central.statistics()).users).toBe(0)
  const ports = new Set(federation.manifest.central.addresses.map((address) => Number(address.split('/')[4])))
  for (const device of devices) {
    const own = reached.filter(({ from }) => from === device)
    expect(own.length).toBeGreaterThan(1)
    expect(own.filter(({ port }) => ports.has(port))).toEqual([])
  }
  // A connection that does reach the central peer is noted: a stranger knocks.
  const [tcp] = federation.manifest.central.addresses.map((address) => address.split('/'))
  const stranger = connect({ host: tcp![2]!, port: Number(tcp![4]) })
  await once(stranger, 'connect')
  await expect.poll(() => reached.some(({ port }) => ports.has(port))).toBe(true)
  stranger.destroy()
})

it('the HTTPS listener refuses the seeds protocol and an unknown roster in status frames', async () => {
  const session = await httpsDialer({ fetch: trusting.fetch }).open()
  const [node] = federation.saltNodes
  const { shards, roster } = node!.status()
  const { peerId, addresses } = federation.manifest.members[0]!
  expect(peerId).toBe(node!.status().peerId)
  const held = shards.find(({ held }) => held)!
  const period = { federation: manifestToId(federation.manifest), shard: held.shard, firstEpoch: held.firstEpoch }
  const offer = encodeSeedsRequest({ ...period, op: 'fetch', wanted: [], takerKey: new Uint8Array(32) })
  expect((await session.request({ key: node!.key, addresses }, SEEDS_PROTOCOL, offer))[0]).toBe(13)
  // A roster without a certificate is refused in a frame, as over libp2p.
  const name = hashToRosterName(new Uint8Array(32).fill(9))
  const group = await loadGroup()
  const elements = [Array.from({ length: 12 }, (_, i) => group.fromHash(group.sha512(Uint8Array.of(i))))]
  const asked = { roster: name, shard: held.shard, wantsKeys: false, epochs: [timeToEpoch(Date.now())], elements }
  const request = encodeEvaluateRequest(asked)
  expect((await session.request({ key: node!.key, addresses }, EVALUATE_PROTOCOL, request))[0]).toBe(8)
  // The next roster may be certified already, because the test may run while it is agreed on.
  expect(roster!.height).toBeGreaterThanOrEqual(0)
})
