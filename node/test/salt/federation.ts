/** A federation of real salt nodes on loopback, for tests, with random keys and free ports. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import type { Random } from '@geotrace/core-wasm'
import { type Clock, type Core, loadCore, type SimulatedClock } from '@geotrace/core-wasm'
import {
  type CertifiedRoster,
  decodeCertifiedRoster,
  decodeRosterReply,
  encodeRosterRequest,
  type Manifest,
  type Parameters,
  type PeerAddress,
  ROSTER_PROTOCOL,
} from '@geotrace/core-wasm/wire'
import { freePort } from '../../src/local/loopback.ts'
import { createMembership, type Membership } from '../../src/membership/membership.ts'
import { createHost } from '../../src/net/host.ts'
import type { HostLimits } from '../../src/net/limits.ts'
import type { Host } from '../../src/net/protocol.ts'
import { fileRecords } from '../../src/platform/file-records.ts'
import { type Log, silent } from '../../src/platform/log.ts'
import { nativeSigner } from '../../src/platform/native-signer.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { type SaltNode, saltNode } from '../../src/salt/node.ts'
import type { SaltNodeInit } from '../../src/salt/open-node.ts'
import { foundManifest } from '../../src/testing/simulated/federation.ts'

export const core: Core = await loadCore()

/** Limits for a federation whose peers share one address, in tests that do not concern admission. */
export const ONE_ADDRESS: Partial<HostLimits> = {
  ...{ perPrefix: 500, pendingPerPrefix: 200, newPerSecond: 500, newBurst: 1_000 },
}

export interface Cast {
  manifest: Manifest
  /** The secrets of the members, in order. */
  secrets: Uint8Array[]
  operatorSecrets: Uint8Array[]
  centralSecret: Uint8Array
  centralOperatorSecret: Uint8Array
}

/** Fewer shards, epochs and frame sizes than `PARAMETERS` has: a founding takes less time. */
const SMALL: Partial<Parameters> = { shards: 3, reserveEpochs: 3, syncRequestBytes: [2048], syncReplyBytes: 2048 }

export async function cast(nodes: number, atMs: number, more: Partial<Parameters> = {}, suffix = ''): Promise<Cast> {
  const ports = await freePorts(nodes + 1)
  const secrets = Array.from({ length: nodes + 1 }, () => systemRandom(32))
  const operatorSecrets = Array.from({ length: nodes + 1 }, () => systemRandom(32))
  const peers = secrets.map((secret, i) => ({
    name: `operator-${i}`,
    secret,
    operatorSecret: operatorSecrets[i]!,
    address: `/ip4/127.0.0.1/tcp/${ports[i]}${suffix}`,
    nonce: systemRandom(32),
  }))
  const manifest = foundManifest(peers, atMs, { ...SMALL, replicas: Math.min(3, nodes), ...more })
  return {
    manifest,
    secrets: secrets.slice(0, nodes),
    operatorSecrets: operatorSecrets.slice(0, nodes),
    centralSecret: secrets[nodes]!,
    centralOperatorSecret: operatorSecrets[nodes]!,
  }
}

/** Ports that were free a moment ago, each another one. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>()
  while (ports.size < count) ports.add(await freePort('127.0.0.1'))
  return [...ports]
}

/** Everything that a test starts. `end` ends it all, the latest first. */
export class Stage {
  readonly #ends: (() => Promise<unknown>)[] = []

  async dir(): Promise<string> {
    const dir = await mkdtemp(join(tmpdir(), 'geotrace-'))
    this.#ends.unshift(() => rm(dir, { recursive: true, force: true, maxRetries: 5 }))
    return dir
  }

  node(init: Partial<SaltNodeInit> & Pick<SaltNodeInit, 'manifest' | 'secret' | 'dir' | 'clock'>): SaltNode {
    const node = saltNode({ random: systemRandom, log: silent, core, ...init })
    this.#ends.unshift(() => node.stop())
    return node
  }

  /** A host for a client, or for another peer that only sends requests. */
  async host(
    clock: Clock,
    secret = systemRandom(32),
    listen: string[] = [],
    log: Log = silent,
    limits: Partial<HostLimits> = {},
  ): Promise<Host> {
    const host = await createHost({ secret, listen, clock, log, limits })
    this.#ends.unshift(() => host.stop())
    return host
  }

  /** The membership of the central peer, without its store. */
  async central(
    { manifest, centralSecret, centralOperatorSecret }: Cast,
    clock: Clock,
    votes = true,
  ): Promise<Membership> {
    const records = await fileRecords(await this.dir())
    const host = await this.host(clock, centralSecret, manifest.central.addresses, silent, ONE_ADDRESS)
    const init = {
      ...{ manifest, host, records, clock, random: systemRandom, log: silent },
      signer: nativeSigner(centralSecret),
      addresses: () => manifest.central.addresses,
    }
    const membership = await createMembership(votes ? { ...init, operatorSecret: centralOperatorSecret } : init)
    this.#ends.unshift(async () => membership.stop())
    return membership
  }

  /** Calls `end` at the end, before everything that was started earlier ends. */
  atEnd(end: () => Promise<unknown>): void {
    this.#ends.unshift(end)
  }

  async end(): Promise<void> {
    for (const end of this.#ends.splice(0)) await end()
  }
}

/** Starts all salt nodes of a cast, each in a directory of its own. A test that watches seeds draws them by `seedRandom`. */
export async function startAll(
  stage: Stage,
  { manifest, secrets, operatorSecrets }: Cast,
  clock: Clock,
  seedRandom?: Random,
  more: Partial<SaltNodeInit> = {},
): Promise<{ nodes: SaltNode[]; dirs: string[] }> {
  const dirs = await Promise.all(secrets.map(() => stage.dir()))
  const watched = seedRandom === undefined ? {} : { seedRandom }
  const nodes = secrets.map((secret, i) =>
    stage.node({ manifest, secret, operatorSecret: operatorSecrets[i]!, dir: dirs[i]!, clock, ...watched, ...more }),
  )
  await Promise.all(nodes.map((node) => node.start()))
  return { nodes, dirs }
}

/** Waits until `check` holds. The timeout of the test is the only limit. */
export async function until(check: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await check())) await new Promise((resolve) => setTimeout(resolve, 5))
}

/** A simulated step: timers of the protocol are seconds apart. */
const STEP_MS = 200
/** Real time that the peers get for a step: short when the event loop rests, because then every peer waits for the clock. */
const LOOK_MS = 10
const LOOKS_MAX = 5
const REST_UTILIZATION = 0.1

/** Waits until `check` holds, and moves the simulated clock on whenever the peers of this process have come to rest. */
export async function untilLater(clock: Clock, check: () => boolean | Promise<boolean>): Promise<void> {
  await until(async () => {
    await rest()
    if ('advanceTo' in clock) await (clock as SimulatedClock).advanceTo(clock.now() + STEP_MS)
    return check()
  })
}

async function rest(): Promise<void> {
  for (let looks = 0; looks < LOOKS_MAX; looks++) {
    const before = performance.eventLoopUtilization()
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    if (performance.eventLoopUtilization(before).utilization < REST_UTILIZATION) return
  }
}

export function isServing(node: SaltNode): boolean {
  const { state, shards } = node.status()
  return state === 'serving' && shards.every(({ held }) => held)
}

export async function fetchRoster(client: Host, peer: PeerAddress): Promise<CertifiedRoster> {
  const bytes = decodeRosterReply(
    await client.request(peer, ROSTER_PROTOCOL, encodeRosterRequest({ op: 'get', height: 0 })),
  )
  return decodeCertifiedRoster(bytes!)
}

/** The system's randomness, and a list of all draws of 32 bytes: seeds and the keys of quota tables. */
export function watchedRandom(): { random: Random; drawn: Uint8Array[] } {
  const drawn: Uint8Array[] = []
  const random: Random = (length) => {
    const bytes = systemRandom(length)
    if (length === 32) drawn.push(Uint8Array.from(bytes))
    return bytes
  }
  return { random, drawn }
}
