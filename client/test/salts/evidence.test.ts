import {
  bytesToHex,
  decodeEvidence,
  decodeGossip,
  decodeRosterRequest,
  decodeSaltRequest,
  type Evidence,
  encodeRefusal,
  errorToRefusal,
  FederationError,
  hashToRosterName,
  isProof,
  ROSTER_PROTOCOL,
  rosterChain,
  SALT_PROTOCOL,
} from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import {
  type FakeFederation,
  fakeFederation,
  life,
  openTracer,
  START_MS,
  unreachable,
} from '../../src/testing/fake-federation.ts'
import { CAFE, recordAll } from '../fixture.ts'

/** A federation of one shard in which the first asked node signs false salts. */
async function lyingFederation() {
  const federation = await fakeFederation({ shards: 1 })
  const tracer = await openTracer(federation)
  await recordAll(tracer, life(CAFE, START_MS, 30))
  federation.intercept = (peer, protocol, frame, serve) => {
    if (protocol.id === SALT_PROTOCOL.id && federation.liars.size === 0) federation.liars.add(peer)
    return serve(frame)
  }
  return { federation, tracer }
}

function submittedProofs({ submitted }: FakeFederation): (Evidence & { kind: 'answer' })[] {
  return submitted.map(({ message }) => {
    const gossip = decodeGossip(message)
    if (gossip.kind !== 'evidence') throw new Error(gossip.kind)
    const evidence = decodeEvidence(gossip.evidence)
    if (evidence.kind !== 'answer') throw new Error(evidence.kind)
    return evidence
  })
}

describe('a node that signs a false salt', () => {
  it('a false salt is proved to two other members, and the sync goes on', async () => {
    const { federation, tracer } = await lyingFederation()
    expect(await tracer.sync()).toMatchObject({ nodesLied: 1, fixesHashed: 6, saltRequests: 2 })
    const [liar] = federation.liars
    const peers = federation.submitted.map(({ peer }) => peer)
    expect(new Set(peers).size).toBe(2)
    expect(peers).not.toContain(liar)
    const chain = rosterChain(federation.manifest)
    chain.add(federation.certified)
    for (const evidence of submittedProofs(federation)) {
      expect(isProof(evidence, chain.named)).toBe(true)
      const accused = federation.certified.roster.members.find(
        ({ key }) => bytesToHex(key) === bytesToHex(evidence.key),
      )
      expect(federation.certified.roster.operators[accused!.operator]!.name).toBe(liar)
    }
    // The liar is not asked again, so there is no second proof.
    await tracer.sync()
    expect(federation.submitted).toHaveLength(2)
  })

  it('a proof names nothing but a roster, a shard and time blocks', async () => {
    const { federation, tracer } = await lyingFederation()
    await tracer.sync()
    const [evidence] = submittedProofs(federation)
    expect(Object.keys(evidence!).sort()).toEqual(['answer', 'key', 'kind', 'request'])
    const { roster, shard, blocks } = decodeSaltRequest(evidence!.request)
    expect(bytesToHex(roster)).toBe(bytesToHex(hashToRosterName(federation.certified.hash)))
    expect(shard).toBe(0)
    expect(blocks.length).toBeGreaterThan(10)
    const frame = bytesToHex(federation.submitted[0]!.message)
    const [request] = federation.central.requests
    expect(frame).not.toContain(bytesToHex(request!.userSecret))
    const rows = request!.groups.flatMap((group) => group.rows)
    expect(rows.length).toBeGreaterThan(30)
    for (const { hash } of rows) expect(frame).not.toContain(bytesToHex(hash))
  })

  it('a proof goes to at most four members when some are away, and the sync does not fail', async () => {
    for (const { away, isTaken } of [
      { away: 2, isTaken: true },
      { away: 99, isTaken: false },
    ]) {
      const { federation, tracer } = await lyingFederation()
      const lying = federation.intercept
      const tried: string[] = []
      federation.intercept = (peer, protocol, frame, serve) => {
        const isSubmit = protocol.id === ROSTER_PROTOCOL.id && decodeRosterRequest(frame).op === 'submit'
        if (isSubmit) tried.push(peer)
        return isSubmit && tried.length <= away ? unreachable() : lying(peer, protocol, frame, serve)
      }
      expect(await tracer.sync()).toMatchObject({ nodesLied: 1, fixesHashed: 6 })
      expect(new Set(tried).size).toBe(4)
      expect(federation.submitted).toHaveLength(isTaken ? 2 : 0)
    }
  })

  it('a proof goes to no further member when two have it already', async () => {
    const { federation, tracer } = await lyingFederation()
    const lying = federation.intercept
    let tried = 0
    federation.intercept = async (peer, protocol, frame, serve) => {
      if (protocol.id !== ROSTER_PROTOCOL.id || decodeRosterRequest(frame).op !== 'submit') {
        return lying(peer, protocol, frame, serve)
      }
      tried++
      return encodeRefusal(errorToRefusal(new FederationError('FORBIDDEN', 'known')))
    }
    expect(await tracer.sync()).toMatchObject({ nodesLied: 1, fixesHashed: 6 })
    expect(tried).toBe(2)
  })
})

describe('an altered answer', () => {
  it('an answer that was altered on the way makes no proof, because the node did not sign it', async () => {
    const federation = await fakeFederation({ shards: 1 })
    const tracer = await openTracer(federation)
    await recordAll(tracer, life(CAFE, START_MS, 30))
    let asked = 0
    federation.intercept = async (_peer, protocol, frame, serve) => {
      const reply = await serve(frame)
      if (protocol.id === SALT_PROTOCOL.id && asked++ === 0) reply[200]! ^= 1
      return reply
    }
    expect(await tracer.sync()).toMatchObject({ nodesLied: 1, fixesHashed: 6 })
    expect(federation.submitted).toEqual([])
  })
})
