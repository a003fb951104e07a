import { simulatedClock } from '@geotrace/core-wasm'
import {
  foundRoster,
  nextTestRoster,
  TEST_OPERATORS,
  testChange,
  testManifest,
  testTrees,
} from '@geotrace/core-wasm/testing'
import {
  bytesToHex,
  type CertifiedRoster,
  certifiedToStep,
  decodeRosterRequest,
  EPOCH_MS,
  encodeNewsReply,
  encodeRosterStep,
  FederationError,
  hashToRosterName,
  manifestToId,
  type RosterStep,
} from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { agreedBy, agreedToProblem } from '../../../src/cli/verify/agreed.ts'
import { disagreements, replayFrom } from '../../../src/cli/verify/chain.ts'

const manifest = testManifest({ shards: 1, periodEpochs: 2, reserveEpochs: 1 })
const trees = testTrees(manifest)
const first = foundRoster(manifest, trees)
const second = nextTestRoster(first)
const third = nextTestRoster(second)
const twin = nextTestRoster(first, { trees: [[...trees[0]!.slice(0, -1), [new Uint8Array(32).fill(2)]]] })
const steps = (...rosters: CertifiedRoster[]) => rosters.map(certifiedToStep)

/** A peer that hands out these steps. */
const peerWith = (given: readonly RosterStep[], name = 'ash') => ({
  name,
  key: new Uint8Array(32),
  addresses: [],
  given,
})

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

describe('the release of the roster in force', () => {
  const release = new Uint8Array(32).fill(9)
  const amend = testChange(
    manifestToId(manifest),
    {
      kind: 'amend',
      at: 1,
      until: 0xffffffff,
      core: null,
      shards: null,
      replicas: null,
      evaluations: null,
      apps: null,
      release,
    },
    TEST_OPERATORS.map((name) => `operator/${name}`),
  )
  const amended = nextTestRoster(first, { changes: [amend] })

  /** Asks peers that hand out these chains, in the middle of the last roster of the first chain. */
  async function agreed(...chains: CertifiedRoster[][]) {
    const peers = chains.map((chain, i) => peerWith(steps(...chain), `peer ${i}`))
    const request = async (to: unknown, _protocol: unknown, bytes: Uint8Array): Promise<Uint8Array> => {
      const asked = decodeRosterRequest(bytes)
      const step = asked.op === 'news' ? (to as (typeof peers)[number]).given[asked.height] : undefined
      return encodeNewsReply({ pins: [], step: step && encodeRosterStep(step) })
    }
    const nowMs = chains[0]!.at(-1)!.roster.firstEpoch * EPOCH_MS
    return agreedBy({ request }, manifest, peers, { progress() {} }, simulatedClock(nowMs))
  }

  it('a roster names the release of the amendment, later rosters keep it, and earlier ones name none', async () => {
    const id = bytesToHex(release)
    expect(await agreed([first], [first])).toEqual({ height: 0, release: null })
    expect(await agreed([first, amended], [first, amended])).toEqual({ height: 1, release: id })
    const later = nextTestRoster(amended)
    expect(await agreed([first, amended, later], [first, amended, later])).toEqual({ height: 2, release: id })
    expect((await replay(steps(first, amended))).rosters.map((roster) => roster.release)).toEqual([undefined, id])
  })

  it('two peers that name different rosters, and one that forges the amendment, give none', async () => {
    await expect(agreed([first, amended], [first, second])).rejects.toThrow('different rosters')
    await expect(agreed([first, amended], [first, amended, third])).rejects.toThrow('peer 1')
  })

  it('another release, and a roster without one, are named', () => {
    const [ours, theirs] = ['a'.repeat(64), 'b'.repeat(64)]
    expect(agreedToProblem({ height: 3, release: ours }, ours)).toBeUndefined()
    expect(agreedToProblem({ height: 3, release: theirs }, ours)).toMatch(/Roster 3 names release b{16}, .* a{16}/)
    expect(agreedToProblem({ height: 3, release: null }, ours)).toContain('names no release')
  })
})

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
