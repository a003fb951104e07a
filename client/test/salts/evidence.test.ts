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

const CAFE = { lat: 52.52, lng: 13.405 }

/** A federation of one shard in which the node that is asked first lies, well signed. */
async function lyingFederation() {
  const federation = await fakeFederation({ shards: 1 })
  const tracer = await openTracer(federation)
  for (const fix of life(CAFE, START_MS, 30)) expect(await tracer.record(fix)).toEqual({ accepted: true })
  federation.intercept = (peer, protocol, frame, serve) => {
    if (protocol.id === SALT_PROTOCOL.id && federation.liars.size === 0) federation.liars.add(peer)
    return serve(frame)
  }
  return { federation, tracer }
}

function told({ submitted }: FakeFederation): (Evidence & { kind: 'answer' })[] {
  return submitted.map(({ message }) => {
    const gossip = decodeGossip(message)
    if (gossip.kind !== 'evidence') throw new Error(gossip.kind)
    const evidence = decodeEvidence(gossip.evidence)
    if (evidence.kind !== 'answer') throw new Error(evidence.kind)
    return evidence
  })
}

describe('a node that signs a false salt', () => {
  it('is told to two other members, in a proof that anybody can check, and the sync goes on', async () => {
    const { federation, tracer } = await lyingFederation()
    expect(await tracer.sync()).toMatchObject({ nodesLied: 1, fixesHashed: 6, saltRequests: 2 })
    const [liar] = federation.liars
    const peers = federation.submitted.map(({ peer }) => peer)
    expect(new Set(peers).size).toBe(2)
    expect(peers).not.toContain(liar)
    const chain = rosterChain(federation.manifest)
    chain.add(federation.certified)
    for (const evidence of told(federation)) {
      expect(isProof(evidence, chain.named)).toBe(true)
      const accused = federation.certified.roster.members.find(
        ({ key }) => bytesToHex(key) === bytesToHex(evidence.key),
      )
      expect(federation.certified.roster.operators[accused!.operator]!.name).toBe(liar)
    }
    // Once: it is not asked again, so it is not told again.
    await tracer.sync()
    expect(federation.submitted).toHaveLength(2)
  })

  it('is told with nothing but a roster, a shard and time blocks', async () => {
    const { federation, tracer } = await lyingFederation()
    await tracer.sync()
    const [evidence] = told(federation)
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

  it('is told to the next when members are away, to four at most, and is no reason to fail', async () => {
    for (const { away, isTold } of [
      { away: 2, isTold: true },
      { away: 99, isTold: false },
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
      expect(federation.submitted).toHaveLength(isTold ? 2 : 0)
    }
  })

  it('is told no further when a member has heard of it', async () => {
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

describe('an answer that was spoilt on the way', () => {
  it('accuses nobody: the node did not sign it', async () => {
    const federation = await fakeFederation({ shards: 1 })
    const tracer = await openTracer(federation)
    for (const fix of life(CAFE, START_MS, 30)) await tracer.record(fix)
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
