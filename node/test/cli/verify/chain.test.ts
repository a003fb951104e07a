import { foundRoster, nextTestRoster, testManifest, testTrees } from '@geotrace/core-wasm/testing'
import {
  bytesToHex,
  type CertifiedRoster,
  certifiedToStep,
  decodeRosterRequest,
  encodeNewsReply,
  encodeRosterStep,
  FederationError,
  hashToRosterName,
  type RosterStep,
} from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { disagreements, replayFrom } from '../../../src/cli/verify/chain.ts'

const manifest = testManifest({ shards: 1, periodEpochs: 2, reserveEpochs: 1 })
const trees = testTrees(manifest)
const first = foundRoster(manifest, trees)
const second = nextTestRoster(first)
const third = nextTestRoster(second)
const twin = nextTestRoster(first, { trees: [[...trees[0]!.slice(0, -1), [new Uint8Array(32).fill(2)]]] })
const steps = (...rosters: CertifiedRoster[]) => rosters.map(certifiedToStep)

/** Replays from a peer that hands out these steps, and counts its requests. */
async function replay(given: readonly RosterStep[], name = 'ash') {
  let requests = 0
  const request = async (_peer: unknown, _protocol: unknown, bytes: Uint8Array): Promise<Uint8Array> => {
    requests++
    const asked = decodeRosterRequest(bytes)
    const step = asked.op === 'news' ? given[asked.height] : undefined
    return encodeNewsReply({ pins: [], step: step && encodeRosterStep(step) })
  }
  const peer = { name, key: new Uint8Array(32), addresses: [] }
  return { ...(await replayFrom({ request }, manifest, peer, { progress() {} })), requests }
}

describe('the rosters of a federation, replayed from the founding', () => {
  it('an honest peer hands out every roster, each with its voters', async () => {
    const { rosters, problem, requests } = await replay(steps(first, second, third))
    expect(problem).toBeUndefined()
    expect(rosters.map(({ name }) => name)).toEqual(
      [first, second, third].map(({ hash }) => bytesToHex(hashToRosterName(hash))),
    )
    const names = first.roster.operators.map(({ name }) => name)
    expect(rosters[1]!.votes).toEqual(second.votes.map(({ operator }) => names[operator]))
    expect(rosters[1]!.votes.length).toBeGreaterThan(names.length / 2)
    expect(requests).toBe(4)
  })

  it('a changed vote, a missing vote and a roster of another chain are named, and end the replay', async () => {
    const [one, two, three] = steps(first, second, third) as [RosterStep, RosterStep, RosterStep]
    const [vote, ...others] = two.votes
    const forged = { ...vote!, signature: vote!.signature.map((byte) => byte ^ 1) }
    for (const bad of [
      { ...two, votes: [forged, ...others] },
      { ...two, votes: others },
      { ...two, sheets: two.sheets.map((root) => root.map((byte) => byte ^ 1)) },
      { ...two, previous: new Uint8Array(32) },
      three,
    ]) {
      const { rosters, problem } = await replay([one, bad, three])
      expect(rosters).toHaveLength(1)
      expect(problem).toBeTypeOf('string')
    }
  })

  it('two chains with different rosters of one height disagree there; a shorter chain is only behind', async () => {
    const [whole, short, other] = [
      await replay(steps(first, second, third)),
      await replay(steps(first, second), 'birch'),
      await replay(steps(first, twin), 'cedar'),
    ]
    expect(disagreements([whole, short])).toEqual([])
    expect(disagreements([whole, short, other])).toEqual([1])
  })

  it('a peer that does not answer, and one that knows no roster, are named', async () => {
    const silent = {
      request: () => Promise.reject(new FederationError('PEER_UNREACHABLE', 'no answer', { tried: 1 })),
    }
    const peer = { name: 'ash', key: new Uint8Array(32), addresses: [] }
    const { problem } = await replayFrom(silent, manifest, peer, { progress() {} })
    expect(problem).toBe('no answer')
    expect((await replay([])).problem).toContain('no roster')
  })
})
