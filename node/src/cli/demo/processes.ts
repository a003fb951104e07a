/**
 * The demo federation as real processes: five salt nodes and the central peer, each `geotrace … run` on its own directory.
 * The processes are forked, so they end when this process ends, also after a crash. Throws PEER_UNREACHABLE.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Clock, systemClock } from '@geotrace/core-wasm'
import { DEMO_PHRASE, demoSecret, type Manifest, type Parameters, type SignedChange } from '@geotrace/core-wasm/wire'
import { adminRequest } from '../../admin/client.ts'
import { type ChangeView, changeToBase64 } from '../../admin/membership-routes.ts'
import { DEMO_AUTHORITY, DEMO_OPERATORS, localManifest } from '../../local/local-federation.ts'
import { freePort, loopbackAddresses } from '../../local/loopback.ts'
import { DEMO_TOKENS_PER_DAY, demoCard } from '../../membership/new-manifest.ts'
import { manifestClock } from '../../platform/manifest-clock.ts'
import { nativeSigner } from '../../platform/native-signer.ts'
import { cardToApplication } from '../federation/join.ts'
import { writeCard } from '../identity/card.ts'
import { writeIdentity } from '../identity/identity.ts'
import { invalidCommand } from '../terminal/invalid-command.ts'
import { type PeerProcess, peerProcess } from './peer-process.ts'

export interface FederationProcesses {
  readonly manifest: Manifest
  readonly manifestPath: string
  readonly clock: Clock
  /** The salt nodes, including those added later, and the central peer. */
  readonly peers: readonly PeerProcess[]
  readonly saltNodes: readonly PeerProcess[]
  readonly central: PeerProcess
  /** Adds the node of a new operator: signs its application, has sponsors endorse it, and starts the node. */
  addNode(): Promise<{ peer: PeerProcess; sponsors: readonly string[] }>
  stop(): Promise<void>
}

interface ProcessesInit {
  /** Fresh and empty. */
  dir: string
  degrees?: number
  /** The speed of the federation's time relative to the machine's clock. */
  speed?: number
  parameters?: Partial<Parameters>
  /** Called after each end of a process. */
  onEnd?: (peer: PeerProcess) => void
}

/** Names of the operators that may join later. */
const NEWCOMERS = ['hazel', 'maple', 'oak', 'pine', 'rowan', 'spruce', 'willow', 'yew'] as const

/** Writes manifest and keys into `dir` and forks all peers, which then found the federation. */
export async function startProcesses(init: ProcessesInit): Promise<FederationProcesses> {
  const { dir, degrees = 1, speed, parameters, onEnd } = init
  const names = [...DEMO_OPERATORS, DEMO_AUTHORITY, ...NEWCOMERS]
  const hosts = await loopbackAddresses(1, names.length)
  const manifest = await localManifest({
    hosts: hosts.slice(0, DEMO_OPERATORS.length + 1),
    at: systemClock().now(),
    tokensPerDay: DEMO_TOKENS_PER_DAY,
    ...(speed !== undefined && { speed }),
    ...(parameters && { parameters }),
  })
  const clock = manifestClock(manifest)
  const manifestPath = join(dir, 'federation.json')
  writeFileSync(manifestPath, JSON.stringify(manifest, null, 2), { mode: 0o600 })
  const launch = async (name: string, role: PeerProcess['role']): Promise<PeerProcess> => {
    const own = join(dir, name)
    const host = hosts[names.indexOf(name as (typeof names)[number])]!
    mkdirSync(own, { recursive: true, mode: 0o700 })
    await writeIdentity(own, {
      secret: demoSecret(DEMO_PHRASE, `peer/${name}`),
      operatorSecret: demoSecret(DEMO_PHRASE, `operator/${name}`),
    })
    const args = [role, 'run', '--dir', own, '--federation', manifestPath, '--local-address', host]
    if (role === 'central') args.push('--degrees', String(degrees))
    return peerProcess({ name, role, dir: own, args, onEnd })
  }
  const [central, ...saltNodes] = await Promise.all([
    launch(DEMO_AUTHORITY, 'central'),
    ...DEMO_OPERATORS.map((name) => launch(name, 'salt')),
  ])
  let added = 0

  return {
    manifest,
    manifestPath,
    clock,
    get peers() {
      return [...saltNodes, central]
    },
    saltNodes,
    central,
    async addNode() {
      const name = NEWCOMERS[added]
      if (name === undefined)
        invalidCommand(`the demo can add ${NEWCOMERS.length} nodes, and all of them are added`, 'start the demo again')
      added++
      const host = hosts[names.indexOf(name)]!
      const addresses = [`/ip4/${host}/tcp/${await freePort(host)}`, `/ip4/${host}/tcp/${await freePort(host)}/ws`]
      const own = join(dir, name)
      mkdirSync(own, { mode: 0o700 })
      const card = demoCard(DEMO_PHRASE, name, addresses)
      await writeCard(own, card)
      const application = cardToApplication(manifest, card, {
        node: nativeSigner(demoSecret(DEMO_PHRASE, `peer/${name}`)),
        operator: nativeSigner(demoSecret(DEMO_PHRASE, `operator/${name}`)),
      })
      const sponsors = await endorse(saltNodes, application)
      const peer = await launch(name, 'salt')
      saltNodes.push(peer)
      return { peer, sponsors }
    },
    async stop() {
      await Promise.all([...saltNodes, central].map((peer) => peer.kill('SIGTERM')))
    },
  }
}

/** Has one salt node after the other endorse the application until it has enough sponsors. Returns their names. */
async function endorse(saltNodes: readonly PeerProcess[], application: SignedChange): Promise<readonly string[]> {
  const change = changeToBase64(application)
  let view: ChangeView | undefined
  for (const sponsor of saltNodes) {
    view = (await adminRequest(sponsor.dir, 'POST', '/changes/endorse', { change })) as ChangeView
    if (view.endorsedBy.length >= view.needs) break
  }
  return view?.endorsedBy ?? []
}
