/**
 * A whole federation in this process: real nodes and real streams on loopback, on any clock. `geotrace replay` and tests use
 * this federation. Its keys are the published keys of the demo.
 */
import { join } from 'node:path'
import type { Random } from '@geotrace/core-wasm'
import { type Clock, type Core, loadCore, type SimulatedClock, systemClock } from '@geotrace/core-wasm'
import { DEMO_PHRASE, demoSecret, FederationError, type Manifest, type Parameters } from '@geotrace/core-wasm/wire'
import { type CentralPeer, centralPeer } from '../central/peer.ts'
import { demoTokens, newDemoManifest } from '../membership/new-manifest.ts'
import type { OpenHost } from '../net/host.ts'
import type { Certificate, CertificateSource } from '../net/transport/tls-certificate.ts'
import { type Log, silent } from '../platform/log.ts'
import { systemRandom } from '../platform/random.ts'
import { type SaltNode, saltNode } from '../salt/node.ts'
import { spreadRole } from '../spread/spread-role.ts'
import { freePort, loopbackAddresses } from './loopback.ts'

export const DEMO_OPERATORS = ['ash', 'birch', 'cedar', 'elm', 'fir'] as const
export const DEMO_AUTHORITY = 'authority'

export interface LocalFederationInit {
  /** A directory that nothing else uses. */
  dir: string
  clock?: Clock
  random?: Random
  /** The randomness of the nodes' seeds, for a test that must know them. */
  seedRandom?: Random
  log?: Log
  parameters?: Partial<Parameters>
  /** Tokens of a device in a day; default: the federation has none. */
  tokensPerDay?: number
  /** The number of contact steps that the central peer marks. */
  degrees?: number
  /** With this certificate every peer also serves secure WebSocket and HTTPS, on one more port. */
  certificate?: Certificate
  /** The operators of salt nodes; those of the demo by default. */
  operators?: readonly string[]
  /** The network of an operator's salt node, for an attack that bends its answers; libp2p by default. */
  hostOf?: (operator: string, manifest: Manifest) => OpenHost | undefined
}

export interface LocalFederation {
  readonly manifest: Manifest
  readonly core: Core
  readonly saltNodes: readonly SaltNode[]
  readonly central: CentralPeer
  /** Stops one salt node and starts it again on the same directory. */
  restart(index: number): Promise<void>
  stop(): Promise<void>
}

/** Founds a federation of salt nodes and a central peer. Resolves when all of them serve. Throws PEER_UNREACHABLE. */
export async function startFederation(init: LocalFederationInit): Promise<LocalFederation> {
  const { dir, clock = systemClock(), random = systemRandom, log = silent, parameters, degrees, certificate } = init
  const { operators = DEMO_OPERATORS, hostOf, tokensPerDay } = init
  const watched = init.seedRandom && { seedRandom: init.seedRandom }
  const core = await loadCore()
  const hosts = await loopbackAddresses(1, operators.length + 1)
  const at = clock.now()
  const secure = certificate !== undefined
  const tokens = tokensPerDay !== undefined && { tokensPerDay }
  const manifest = await localManifest({ operators, hosts, at, secure, ...tokens, ...(parameters && { parameters }) })
  const shared = { manifest, clock, random, log, core, ...(certificate && { certificate: lasting(certificate) }) }
  const node = (operator: string, i: number): SaltNode => {
    const openHost = hostOf?.(operator, manifest)
    return saltNode({
      ...shared,
      ...watched,
      ...(openHost && { openHost }),
      dir: join(dir, operator),
      secret: demoSecret(DEMO_PHRASE, `peer/${operator}`),
      operatorSecret: demoSecret(DEMO_PHRASE, `operator/${operator}`),
      localAddress: hosts[i]!,
      roles: [spreadRole],
    })
  }
  const saltNodes = operators.map(node)
  const central = centralPeer({
    ...shared,
    dir: join(dir, DEMO_AUTHORITY),
    secret: demoSecret(DEMO_PHRASE, `peer/${DEMO_AUTHORITY}`),
    operatorSecret: demoSecret(DEMO_PHRASE, `operator/${DEMO_AUTHORITY}`),
    localAddress: hosts.at(-1)!,
    // A simulated clock stands still while a request is on its way.
    ...('advanceTo' in clock && { replyTimer: AT_ONCE }),
    ...(degrees === undefined ? {} : { config: { degrees } }),
  })
  await Promise.all([...saltNodes, central].map((peer) => peer.start()))
  // Bent answers may leave a node without seeds.
  const isFounded = (state: string): boolean =>
    state === 'serving' || (hostOf !== undefined && state === 'seeds-missing')
  await untilServing(() => [...saltNodes, central].every((peer) => isFounded(peer.status().state)), clock)
  return {
    manifest,
    core,
    saltNodes,
    central,
    async restart(index) {
      await saltNodes[index]!.stop()
      saltNodes[index] = node(operators[index]!, index)
      await saltNodes[index]!.start()
      await untilServing(() => saltNodes[index]!.status().state === 'serving', clock)
    },
    async stop() {
      await Promise.all([...saltNodes, central].map((peer) => peer.stop()))
    },
  }
}

interface LocalManifestInit {
  operators?: readonly string[]
  /** One address for each salt node, then that of the central peer. */
  hosts: readonly string[]
  at: number
  speed?: number
  /** Adds an address for secure WebSocket and one for HTTPS, both on one more port. */
  secure?: boolean
  parameters?: Partial<Parameters>
  /** Default: no tokens. */
  tokensPerDay?: number
}

/** The demo's manifest with free ports. Every node listens on TCP and WebSocket. */
export async function localManifest(init: LocalManifestInit): Promise<Manifest> {
  const { operators = DEMO_OPERATORS, hosts, at, speed, secure = false, parameters, tokensPerDay } = init
  const peers = []
  for (const [i, operator] of [...operators, DEMO_AUTHORITY].entries()) {
    const host = hosts[i]!
    const [tcp, ws] = [await freePort(host), await freePort(host)]
    const addresses = [`/ip4/${host}/tcp/${tcp}`, `/ip4/${host}/tcp/${ws}/ws`]
    if (secure) {
      const tls = `/ip4/${host}/tcp/${await freePort(host)}/tls`
      addresses.push(`${tls}/ws`, `${tls}/http`)
    }
    peers.push({ operator, addresses })
  }
  return newDemoManifest({
    ...{ name: 'Geo Trace demo', phrase: DEMO_PHRASE, peers, at },
    ...(speed !== undefined && { speed }),
    parameters: { ...parameters, ...(tokensPerDay && { tokens: demoTokens(DEMO_PHRASE, tokensPerDay) }) },
  })
}

/** A certificate source that never changes. */
function lasting(certificate: Certificate): CertificateSource {
  return { current: () => certificate, onChange: () => () => {} }
}

const AT_ONCE: Pick<Clock, 'setTimer'> = {
  setTimer(fn) {
    const waiting = setTimeout(fn, 1)
    return () => clearTimeout(waiting)
  },
}

const START_STEPS_MAX = 3_000
const STEP_MS = 100

/** Waits until `done`. A simulated clock is advanced meanwhile. Throws PEER_UNREACHABLE after five minutes. */
async function untilServing(done: () => boolean, clock: Clock): Promise<void> {
  for (let i = 0; i < START_STEPS_MAX; i++) {
    if (done()) return
    await new Promise((resolve) => setTimeout(resolve, STEP_MS))
    if ('advanceTo' in clock) await (clock as SimulatedClock).advanceTo(clock.now() + STEP_MS)
  }
  throw new FederationError(
    'PEER_UNREACHABLE',
    'the federation was not founded within five minutes; read the log of its peers',
    { tried: 6 },
  )
}
