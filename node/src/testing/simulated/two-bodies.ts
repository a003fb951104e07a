/**
 * An operator that proposes two rosters for one period, and shows one half of the peers one and the other half the other.
 * PROTOCOL.md §4.7. It does not wait for its turn.
 */
import {
  bodyToCertified,
  type CertifiedRoster,
  decodeRosterRequest,
  encodeCertifiedRoster,
  encodeRoster,
  encodeRosterReply,
  equalBytes,
  isGone,
  newChange,
  ROSTER_PROTOCOL,
  signChange,
  signProposal,
} from '@geotrace/core-wasm/wire'
import { composeRoster, sheetsToRoots } from '../../membership/agreement/proposal.ts'
import type { Membership } from '../../membership/membership.ts'
import { nativeSigner } from '../../platform/native-signer.ts'
import type { SimulatedFederation } from './federation.ts'
import type { Tamper } from './network.ts'
import { dueAfter, inject, operatorIndex, type Rogue } from './rogue.ts'
import type { SeededRandom } from './seeded-random.ts'

interface TwoBodies {
  /** Gives out both bodies. */
  readonly tamper: Tamper
  /** Proposes as soon as all sheets are signed, once a period. */
  propose(): void
}

export function twoBodies(federation: SimulatedFederation, rogue: Rogue, random: SeededRandom): TwoBodies {
  const bodies: CertifiedRoster[] = []
  const periods = new Set<number>()
  const { scheduler } = federation
  return {
    tamper(protocol, bytes, reply) {
      if (protocol.id !== ROSTER_PROTOCOL.id) return reply
      const request = decodeRosterRequest(bytes)
      const body = request.op === 'body' && bodies.find(({ hash }) => equalBytes(hash, request.hash))
      return body ? encodeRosterReply(encodeCertifiedRoster(body)) : reply
    },
    propose() {
      const membership = rogue.node.running?.membership()
      const newest = membership?.rosters.newest
      if (membership === undefined || newest === undefined) return
      const due = dueAfter(newest, scheduler.nowMs)
      const operator = operatorIndex(membership, rogue)
      if (due === undefined || operator === undefined || periods.has(due.firstEpoch)) return
      const pair = makeBodies(membership, newest, rogue, scheduler.nowMs)
      if (pair === undefined) return
      periods.add(due.firstEpoch)
      bodies.push(...pair)
      const names = federation.saltNodes.map(({ name }) => name)
      const half = new Set(random.sample(names, Math.floor(names.length / 2)))
      for (const [i, { hash }] of pair.entries()) {
        const head = { height: due.height, firstEpoch: due.firstEpoch, hash, holder: rogue.node.key, operator }
        const proposal = signProposal(rogue.signer, due.federation, head)
        inject(federation, rogue, proposal, (name) => half.has(name) === (i === 0))
      }
    },
  }
}

/** Two bodies that honest operators vote for: one with a change of this node's addresses, one without. */
function makeBodies(
  { pool }: Membership,
  newest: CertifiedRoster,
  { node }: Rogue,
  nowMs: number,
): CertifiedRoster[] | undefined {
  const due = dueAfter(newest, nowMs)!
  const roots = sheetsToRoots(due, pool.sheets(due.firstEpoch))
  if (roots === undefined || isGone(newest.roster, node.key)) return undefined
  const move = { kind: 'move' as const, until: due.firstEpoch, at: nowMs, key: node.key, addresses: ['/dns/x/tcp/1'] }
  const signed = signChange(newChange(due.federation, move), nativeSigner(node.secret))
  return [pool.changes(), [...pool.changes(), signed]].map((changes) => {
    const view = { changes: () => changes, evidence: pool.evidence, nonces: pool.nonces }
    const body = composeRoster(newest, due.firstEpoch, roots.sheets, view)
    return bodyToCertified(encodeRoster(body), roots.sheetSignatures, [])
  })
}
