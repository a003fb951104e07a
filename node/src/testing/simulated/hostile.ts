/**
 * The faults of a simulated federation in which somebody acts against the agreement on rosters and pins. CONTRIBUTING
 * "Simulation". Their list has the form of faults.ts. Operators sign with their real keys.
 */
import { EPOCH_MS, EPOCH_OPENS_BEFORE_MS, MINUTE_MS, quorum } from '@geotrace/core-wasm/wire'
import { nativeSigner } from '../../platform/native-signer.ts'
import { during, type FaultInit, type FaultKind, pickLiar } from './fault.ts'
import { timeLiar } from './liars.ts'
import { freeOperators, injectVote, knownBallot, knownRoster, repeat, takeKey } from './rogue.ts'
import { twoBodies } from './two-bodies.ts'
import { twoSeeds } from './two-seeds.ts'

const SECOND_MS = 1_000
const POLL_MS = 5 * SECOND_MS
/** Withheld votes come at a time in this span, counted from when the first epoch of their period opens. */
const RELEASE_MS = [-2 * MINUTE_MS, 80 * MINUTE_MS] as const

export const HOSTILE_FAULTS: readonly FaultKind[] = [
  {
    // One vote, or as many as the certificate needs. Then the certificate is complete after its period opened.
    name: 'votes-withheld',
    weight: 2,
    strike(init) {
      const { federation, random } = init
      const free = freeOperators(federation)
      const operators = federation.saltNodes.length + 1
      const needed = operators - quorum(operators) + 1
      if (free.length < needed) return
      withholdVotes(init, random.sample(free, random.chance(0.3) ? 1 : needed))
    },
  },
  {
    name: 'vote-under-another-period',
    weight: 1,
    strike(init) {
      const { federation, random } = init
      const free = freeOperators(federation)
      if (free.length === 0) return
      const { rogue, giveBack } = takeKey(init, random.pick(free))
      const { periodEpochs } = federation.manifest.parameters
      const given = new Set<string>()
      const vote = (): boolean => {
        const ballot = knownBallot(rogue.node.running?.membership())
        const name = ballot && `${ballot.height} ${ballot.firstEpoch}`
        if (ballot === undefined || given.has(name!)) return false
        given.add(name!)
        const periods = random.pick([-1, 1, 2])
        injectVote(federation, rogue, { ...ballot, firstEpoch: ballot.firstEpoch + periods * periodEpochs })
        return false
      }
      repeat(init, SECOND_MS, vote, giveBack)
    },
  },
  {
    name: 'proposer-equivocates',
    weight: 1,
    strike(init) {
      const { federation, random } = init
      const node = pickLiar(init, freeOperators(federation))
      if (node === undefined) return
      const { rogue, giveBack } = takeKey(init, node)
      const { tamper, propose } = twoBodies(federation, rogue, random)
      federation.network.liars.set(node.name, tamper)
      const act = (): boolean => {
        propose()
        return false
      }
      repeat(init, SECOND_MS, act, () => {
        if (federation.network.liars.get(node.name) === tamper) federation.network.liars.delete(node.name)
        giveBack()
      })
    },
  },
  {
    name: 'maker-equivocates',
    weight: 1,
    strike(init) {
      const { manifest, core, drawn, network, saltNodes } = init.federation
      const node = pickLiar(init, saltNodes)
      if (node === undefined) return
      const tamper = twoSeeds({
        ...{ manifest, core, signer: nativeSigner(node.secret), random: init.random.fork(`seeds/${node.name}`) },
        rosterOf: (firstEpoch) => knownRoster(init.federation, node, firstEpoch),
        noteDrawn: (state) => void drawn.push(state),
      })
      network.liars.set(node.name, tamper)
      during(init, Number.POSITIVE_INFINITY, () => void network.liars.delete(node.name))
    },
  },
  {
    // A third of the nodes at most, all with the same wrong time, so that no median goes by them.
    name: 'clocks-lie',
    weight: 1,
    strike(init) {
      const { federation, random } = init
      const { liars } = federation.network
      const tamper = timeLiar(random.chance(0.5) ? 1 : -1)
      const honest = federation.saltNodes.filter(({ name }) => !liars.has(name))
      const some = random.sample(honest, Math.floor(federation.saltNodes.length / 3))
      for (const { name } of some) liars.set(name, tamper)
      during(init, random.between(10 * MINUTE_MS, 90 * MINUTE_MS), () => {
        for (const { name } of some) if (liars.get(name) === tamper) liars.delete(name)
      })
    },
  },
  {
    // Devices still reach the central peer and the nodes.
    name: 'centre-cut-off',
    weight: 1,
    strike(init) {
      const { network, saltNodes, central } = init.federation
      const isNode = (name: string): boolean => saltNodes.some((node) => node.name === name)
      const cut = (from: string, to: string): boolean =>
        (from === central.name && isNode(to)) || (to === central.name && isNode(from))
      network.cuts.add(cut)
      during(init, init.random.between(5 * MINUTE_MS, 90 * MINUTE_MS), () => void network.cuts.delete(cut))
    },
  },
]

/** Silences these operators while others vote, and delivers all their votes at one moment. */
function withholdVotes(init: FaultInit, nodes: ReturnType<typeof freeOperators>): void {
  const { federation, random, healMs } = init
  const { scheduler } = federation
  // They restart a minute apart, because a shard whose replicas all restart at once loses its seeds.
  const spanMs = nodes.length * MINUTE_MS
  if (scheduler.nowMs + 2 * spanMs >= healMs) return
  const taken: ReturnType<typeof takeKey>[] = []
  for (const [i, node] of nodes.entries()) {
    scheduler.after(i * MINUTE_MS, () => {
      if (!federation.withheld.has(node.name)) taken.push(takeKey(init, node))
    })
  }
  const takenMs = scheduler.nowMs + spanMs
  let held: ReturnType<typeof knownBallot>
  let releaseMs = healMs - spanMs
  const act = (): boolean => {
    const known = held ?? knownBallot(taken[0]?.rogue.node.running?.membership())
    if (held === undefined && known !== undefined) {
      held = known
      const opensMs = known.firstEpoch * EPOCH_MS - EPOCH_OPENS_BEFORE_MS
      releaseMs = Math.min(releaseMs, Math.max(takenMs, opensMs + random.between(...RELEASE_MS)))
    }
    if (scheduler.nowMs < releaseMs) return false
    if (held !== undefined) for (const { rogue } of taken) injectVote(federation, rogue, held)
    return true
  }
  repeat(init, POLL_MS, act, () => {
    for (const [i, { giveBack }] of taken.entries()) scheduler.after(2 * SECOND_MS + i * MINUTE_MS, giveBack)
  })
}
