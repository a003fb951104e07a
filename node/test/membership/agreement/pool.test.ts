import { type SimulatedClock, simulatedClock } from '@geotrace/core-wasm'
import {
  certifyRoster,
  TEST_AUTHORITY,
  testNonce,
  testNonceCommitments,
  testSalt,
  testShares,
  treeToRoot,
} from '@geotrace/core-wasm/testing'
import { evaluationVerifier, loadGroup } from '@geotrace/core-wasm/voprf'
import {
  answerContent,
  bytesToHex,
  type CertifiedRoster,
  concatBytes,
  decodeGossip,
  decodePoolReply,
  EPOCH_MS,
  type Evidence,
  effortSpan,
  encodeChange,
  encodeEvaluateRequest,
  encodeEvidence,
  encodeGossip,
  encodePoolReply,
  encodeSaltRequest,
  encodeUnsignedAnswer,
  type GossipMessage,
  type GossipPin,
  type GossipSheets,
  type GossipVote,
  hashToRosterName,
  type Manifest,
  MINUTE_MS,
  manifestToId,
  manifestToRoster,
  newChange,
  type SignedChange,
  type Signer,
  shardToReplicas,
  sheetContent,
  sheetEpochs,
  signChange,
  signContent,
  signHandover,
  signPin,
  signPresence,
  signProposal,
  signVote,
  timeToEpoch,
} from '@geotrace/core-wasm/wire'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { createPool, type Pool } from '../../../src/membership/agreement/pool.ts'
import { livePeers } from '../../../src/membership/peers.ts'
import { openRosterStore, type RosterStore } from '../../../src/membership/roster-store.ts'
import { fileRecords } from '../../../src/platform/file-records.ts'
import { systemRandom } from '../../../src/platform/random.ts'
import { Stage } from '../../salt/federation.ts'
import { FOUNDED, follow, founded, NAMES, operatorSigner, peerSigner } from '../chain.ts'

const stage = new Stage()
const group = await loadGroup()
const verifier = evaluationVerifier(group)
const shares = testShares(group)
afterEach(() => stage.end())
const STRANGER = peerSigner('gum')

interface Setting {
  manifest: Manifest
  first: CertifiedRoster
  rosters: RosterStore
  pool: Pool
  clock: SimulatedClock
  /** The messages that the pool made and published itself. */
  spread: GossipMessage[]
  news: string[]
  say(message: GossipMessage): string
  /** The first epoch of the roster after the founding roster. */
  next: number
}

/** The federation id of the latest setting; votes name it. */
let federationId: Uint8Array

async function setting(more: Parameters<typeof founded>[0] = {}, isFounded = true): Promise<Setting> {
  const federation = founded(more)
  const { manifest } = federation
  federationId = manifestToId(manifest)
  const clock = simulatedClock(FOUNDED)
  const rosters = await openRosterStore(manifest, await fileRecords(await stage.dir()))
  const spread: GossipMessage[] = []
  const peers = livePeers({
    manifest,
    newest: () => rosters.newest?.roster,
    addresses: () => [],
    isConvicted: (key) => pool.isConvicted(key),
    version: () => pool.version(),
  })
  const isPeer = (key: Uint8Array): boolean => peers.withKey(key) !== undefined
  const pool = createPool({
    ...{ manifest, rosters, clock, isPeer, verifier },
    spread: (bytes) => spread.push(decodeGossip(bytes)),
  })
  const news: string[] = []
  pool.onNews((kind) => news.push(kind))
  if (isFounded) await rosters.add(federation.first)
  const { firstEpoch, periodEpochs } = manifestToRoster(manifest)
  const next = (Math.floor(firstEpoch / periodEpochs) + 1) * periodEpochs
  const say = (message: GossipMessage): string => pool.offer(encodeGossip(message))
  const rest = { manifest, rosters, pool, clock, spread, news, next, say }
  return Object.defineProperties({ ...rest } as Setting, { first: { get: () => federation.first } })
}

const presence = (signer: Signer, time: number, addresses: string[] = []) =>
  signPresence(signer, { time, height: 0, roster: systemRandom(8), release: new Uint8Array(8), addresses })
const spoil = (signature: Uint8Array): Uint8Array => signature.map((byte, i) => (i === 5 ? byte ^ 1 : byte))

function sheetsOf(
  s: Setting,
  signer: Signer,
  firstEpoch: number,
  roots: [shard: number, root: Uint8Array][],
  previous = s.rosters.predecessor.hash,
): GossipSheets {
  const roster = manifestToRoster(s.manifest)
  const sheets = roots.map(([shard, root]) => {
    const content = sheetContent({
      federation: roster.federation,
      previous,
      shard,
      firstEpoch,
      epochs: sheetEpochs(roster),
      root,
    })
    return { shard, root, signature: signContent(signer, 'geotrace/sheet', content) }
  })
  return { kind: 'sheets', key: signer.key, previous, firstEpoch, sheets }
}
function voteOf(
  name: string,
  height: number,
  firstEpoch: number,
  hash: Uint8Array,
  operator = NAMES.indexOf(name),
): GossipVote {
  const ballot = { height, firstEpoch, hash }
  return {
    kind: 'vote',
    ...ballot,
    ...signVote(operatorSigner(name), operator, { federation: federationId, ...ballot }),
  }
}
function joinOf(s: Setting, node: Signer, operator: Signer, until = s.next + 36, name = 'gum'): SignedChange {
  const addresses = ['/ip4/127.0.0.1/tcp/9']
  const change = { kind: 'join' as const, until, operator: name, operatorKey: operator.key, key: node.key, addresses }
  return signChange(signChange(newChange(s.first.roster.federation, change), node), operator)
}
const saying = (change: SignedChange): GossipMessage => ({ kind: 'change', change: encodeChange(change) })

/** A salt answer that the node signed although its sheet does not contain it. */
function falseAnswer(s: Setting, liar: Signer, n = s.first.roster.firstEpoch): Evidence {
  const roster = hashToRosterName(s.first.hash)
  const request = encodeSaltRequest({ roster, shard: 0, blocks: [{ size: 80, n }] })
  const entries = Array.from({ length: 31 }, () => systemRandom(32))
  const epochs = [{ epoch: n, mask: 1 << 30, entries, path: [] }]
  const unsigned = encodeUnsignedAnswer({ time: FOUNDED, roster, shard: 0, epochs })
  const answer = concatBytes(unsigned, signContent(liar, 'geotrace/salt-answer', answerContent(request, unsigned)))
  return { kind: 'answer', key: liar.key, request, answer }
}
const proving = (evidence: Evidence): GossipMessage => ({ kind: 'evidence', evidence: encodeEvidence(evidence) })

describe('presences', () => {
  it('the pool keeps the newest presence of each peer, unless it is more than ten minutes from our clock', async () => {
    const s = await setting()
    const now = s.clock.now()
    const ash = peerSigner('ash')
    expect(s.say(presence(ash, now))).toBe('accept')
    expect(s.say(presence(ash, now))).toBe('ignore')
    expect(s.say(presence(ash, now - 1))).toBe('ignore')
    expect(s.say(presence(ash, now + 1, ['/ip4/127.0.0.1/tcp/7']))).toBe('accept')
    expect(s.pool.presence(ash.key)).toMatchObject({ time: now + 1, addresses: ['/ip4/127.0.0.1/tcp/7'] })
    expect(s.say(presence(peerSigner('office'), now))).toBe('accept')
    expect(s.say(presence(STRANGER, now))).toBe('ignore')
    const birch = peerSigner('birch')
    for (const [offMs, verdict] of [
      [10 * MINUTE_MS + 1, 'ignore'],
      [-10 * MINUTE_MS - 1, 'ignore'],
      [-10 * MINUTE_MS, 'accept'],
      [10 * MINUTE_MS, 'accept'],
    ] as const) {
      expect(s.say(presence(birch, now + offMs)), `${offMs} ms`).toBe(verdict)
    }
    const forged = presence(peerSigner('cedar'), now)
    expect(s.say({ ...forged, signature: spoil(forged.signature) })).toBe('reject')
    expect(s.say({ ...forged, height: 9 })).toBe('reject')
    expect(s.pool.presences()).toHaveLength(3)
    expect(s.news).toEqual(Array.from({ length: 5 }, () => 'presence'))
  })
})

describe('the messages of another peer', () => {
  it('the pool takes another peer’s messages, skips known and useless ones, and then holds the same bytes', async () => {
    const [theirs, ours] = [await setting(), await setting()]
    const now = theirs.clock.now()
    const [ash, birch, cedar] = [peerSigner('ash'), peerSigner('birch'), peerSigner('cedar')]
    const known = presence(ash, now)
    for (const message of [
      known,
      presence(birch, now + 1),
      sheetsOf(theirs, cedar, theirs.next, [[0, systemRandom(32)]]),
    ])
      expect(theirs.say(message)).toBe('accept')
    expect(ours.say(known)).toBe('accept')
    expect(ours.say(presence(birch, now))).toBe('accept')
    const news = ours.news.length
    ours.pool.offerAll([...theirs.pool.messages(), encodeGossip(presence(STRANGER, now)), new Uint8Array(3)])
    expect(ours.news.slice(news).sort()).toEqual(['presence', 'sheets'])
    expect(ours.pool.presence(birch.key)!.time).toBe(now + 1)
    const inOrder = (pool: Pool): string[] => pool.messages().map(bytesToHex).sort()
    expect(inOrder(ours.pool)).toEqual(inOrder(theirs.pool))
    // A presence that changed since the last reply is given in its new form.
    const later = presence(ash, now + 2)
    expect(ours.say(later)).toBe('accept')
    expect(inOrder(ours.pool)).toContain(bytesToHex(encodeGossip(later)))
    expect(inOrder(ours.pool)).not.toContain(bytesToHex(encodeGossip(known)))
  })
})

describe('sheets', () => {
  it('the pool takes sheets of future members, shard by shard, for a period that can still get a roster', async () => {
    const s = await setting()
    const ash = peerSigner('ash')
    const [one, two] = [systemRandom(32), systemRandom(32)]
    expect(s.say(sheetsOf(s, ash, s.next, [[0, one]]))).toBe('accept')
    expect(s.say(sheetsOf(s, ash, s.next, [[0, one]]))).toBe('ignore')
    expect(
      s.say(
        sheetsOf(s, ash, s.next, [
          [0, one],
          [1, two],
        ]),
      ),
    ).toBe('accept')
    expect(s.pool.sheets(s.next)[0]!.sheets.map(({ shard }) => shard)).toEqual([0, 1])
    expect(s.say(sheetsOf(s, ash, s.next, [[s.first.roster.shards, one]]))).toBe('ignore')
    expect(s.say(sheetsOf(s, STRANGER, s.next, [[0, one]]))).toBe('ignore')
    expect(s.say(sheetsOf(s, peerSigner('office'), s.next, [[0, one]]))).toBe('ignore')
    const forged = sheetsOf(s, peerSigner('birch'), s.next, [[2, one]])
    const [sheet] = forged.sheets
    expect(s.say({ ...forged, sheets: [{ ...sheet!, signature: spoil(sheet!.signature) }] })).toBe('reject')
    expect(s.say({ ...forged, firstEpoch: s.next + 18 })).toBe('reject')
    // Its signer follows another roster, or has not received the newest one.
    expect(s.say(sheetsOf(s, ash, s.next, [[2, one]], systemRandom(32)))).toBe('ignore')
    // The period of the newest roster, an epoch inside a period, and a period too far ahead.
    for (const firstEpoch of [s.first.roster.firstEpoch, s.next + 1, s.next + 36]) {
      expect(s.say(sheetsOf(s, ash, firstEpoch, [[0, one]])), `${firstEpoch - s.next}`).toBe('ignore')
    }
    expect(s.pool.sheets(s.next)).toHaveLength(1)
    expect(s.spread).toEqual([])
  })

  it('two sheets of one shard with different roots convict their signer, and the pool publishes the evidence', async () => {
    const s = await setting()
    for (const [name, messages] of [['ash', [[[0, systemRandom(32)]], [[0, systemRandom(32)]]]]] as [
      string,
      [number, Uint8Array][][],
    ][]) {
      const liar = peerSigner(name)
      for (const roots of messages) s.say(sheetsOf(s, liar, s.next, roots))
      expect(s.pool.isConvicted(liar.key), name).toBe(true)
      const proof = s.pool.evidence().find(({ key }) => bytesToHex(key) === bytesToHex(liar.key))!
      expect(proof.kind).toBe('sheets')
      expect(s.spread.at(-1)).toEqual(proving(proof))
      // Another peer accepts the evidence.
      const other = await setting()
      expect(other.say(proving(proof))).toBe('accept')
      expect(other.pool.isConvicted(liar.key)).toBe(true)
      expect(other.spread).toEqual([])
    }
    expect(s.spread).toHaveLength(1)
    expect(s.news.filter((kind) => kind === 'evidence')).toHaveLength(1)
  })

  it('the pool takes sheets of the founding period only before the founding', async () => {
    const s = await setting({}, false)
    const { firstEpoch } = s.first.roster
    expect(s.say(sheetsOf(s, peerSigner('ash'), firstEpoch, [[0, systemRandom(32)]]))).toBe('accept')
    expect(s.say(sheetsOf(s, peerSigner('birch'), firstEpoch + 18, [[0, systemRandom(32)]]))).toBe('ignore')
  })

  it('the sheets of a member with hundreds of shards go out in several messages that another pool accepts', async () => {
    const s = await setting({ shards: 400 }, false)
    const { firstEpoch } = manifestToRoster(s.manifest)
    const shards = Array.from({ length: 400 }, (_, shard): [number, Uint8Array] => [shard, systemRandom(32)])
    for (let at = 0; at < 400; at += 200) {
      expect(s.say(sheetsOf(s, peerSigner('ash'), firstEpoch, shards.slice(at, at + 200)))).toBe('accept')
    }
    const messages = s.pool.messages()
    expect(messages.length).toBeGreaterThan(1)
    const other = await setting({ shards: 400 }, false)
    for (const message of messages) expect(other.pool.offer(message)).toBe('accept')
    expect(other.pool.sheets(firstEpoch)[0]!.sheets).toHaveLength(400)
  })
})

describe('proposals', () => {
  it('the pool takes one proposal for a period from each operator of the roster before', async () => {
    const s = await setting()
    const say = (name: string, more: object = {}, signer = operatorSigner(name)) => {
      const ballot = { height: 1, firstEpoch: s.next, hash: systemRandom(32), ...more }
      const operator = NAMES.indexOf(name)
      return s.say(signProposal(signer, federationId, { holder: peerSigner('ash').key, operator, ...ballot }))
    }
    const hash = systemRandom(32)
    expect(say('ash', { hash })).toBe('accept')
    expect(say('ash', { hash })).toBe('ignore')
    expect(say('ash', { hash, holder: peerSigner('birch').key })).toBe('ignore')
    expect(say('birch', {}, operatorSigner('ash'))).toBe('reject')
    expect(say('birch', { height: 0 })).toBe('ignore')
    expect(say('birch', { height: 2 })).toBe('ignore')
    expect(say('birch', { firstEpoch: s.next + 1 })).toBe('ignore')
    expect(say('birch', { operator: 6 })).toBe('ignore')
    expect(say('birch')).toBe('accept')
    expect(s.pool.proposals(1, s.next)).toHaveLength(2)
    expect(s.pool.proposals(1, s.next + 18)).toHaveLength(0)
    expect(s.pool.evidence()).toHaveLength(0)
  })

  it('the pool makes evidence of two proposals by one operator for one period, and keeps the first proposal', async () => {
    const s = await setting()
    const { federation } = s.first.roster
    const say = (firstEpoch: number, hash: Uint8Array, of = federation) => {
      const ballot = { height: 1, firstEpoch, hash, holder: peerSigner('ash').key, operator: 0 }
      return s.say(signProposal(operatorSigner('ash'), of, ballot))
    }
    const [one, two] = [systemRandom(32), systemRandom(32)]
    expect(say(s.next, one)).toBe('accept')
    // Proposals for two periods are no contradiction, and a proposal of another federation is no proposal here.
    expect(say(s.next + 18, two)).toBe('accept')
    expect(say(s.next, two, systemRandom(32))).toBe('reject')
    expect(s.pool.isConvicted(operatorSigner('ash').key)).toBe(false)
    expect(say(s.next, two)).toBe('ignore')
    expect(s.pool.isConvicted(operatorSigner('ash').key)).toBe(true)
    expect(s.spread).toEqual([proving(s.pool.evidence()[0]!)])
    const [proof] = s.pool.evidence()
    expect(proof).toMatchObject({ kind: 'proposals', height: 1, first: { hash: one }, second: { hash: two } })
    expect(s.pool.proposals(1, s.next)).toMatchObject([{ hash: one }])
    const other = await setting()
    expect(other.say(proving(proof!))).toBe('accept')
    expect(other.pool.isConvicted(operatorSigner('ash').key)).toBe(true)
  })
})

describe('votes', () => {
  it('the pool takes a vote once, and makes evidence of two votes by one operator for one period', async () => {
    const s = await setting()
    const [one, two] = [systemRandom(32), systemRandom(32)]
    const vote = voteOf('ash', 1, s.next, one)
    expect(s.say(vote)).toBe('accept')
    expect(s.say(vote)).toBe('ignore')
    expect(s.say(voteOf('ash', 0, s.next, one))).toBe('ignore')
    expect(s.say(voteOf('birch', 1, s.next, one, 6))).toBe('ignore')
    expect(s.say(voteOf('birch', 1, s.next, one, 2))).toBe('reject')
    expect(s.say({ ...voteOf('birch', 1, s.next, one), hash: two })).toBe('reject')
    expect(s.pool.isConvicted(operatorSigner('ash').key)).toBe(false)
    expect(s.say(voteOf('ash', 1, s.next, two))).toBe('ignore')
    expect(s.pool.isConvicted(operatorSigner('ash').key)).toBe(true)
    expect(s.spread).toEqual([proving(s.pool.evidence()[0]!)])
    expect(s.pool.evidence()[0]).toMatchObject({ kind: 'votes', key: operatorSigner('ash').key })
    // Votes for two different periods are no contradiction.
    expect(s.say(voteOf('cedar', 1, s.next, one))).toBe('accept')
    expect(s.say(voteOf('cedar', 1, s.next + 18, two))).toBe('accept')
    expect(s.pool.isConvicted(operatorSigner('cedar').key)).toBe(false)
    expect(s.pool.votes(1)).toHaveLength(3)
  })

  it('the pool takes votes for the due period after any number of failed periods, and keeps none of other periods', async () => {
    const s = await setting()
    const hash = systemRandom(32)
    // An operator signs votes for periods far ahead.
    for (let i = 2; i < 40; i++) expect(s.say(voteOf('fir', 1, s.next + 18 * i, hash))).toBe('ignore')
    for (let failed = 0; failed < 12; failed++) {
      const firstEpoch = s.next + 18 * failed
      await s.clock.advanceTo(effortSpan(18, firstEpoch).from)
      for (const name of ['ash', 'birch', 'cedar']) {
        expect(s.say(voteOf(name, 1, firstEpoch, hash)), `${name} after ${failed}`).toBe('accept')
        expect(s.say(sheetsOf(s, peerSigner(name), firstEpoch, [[0, systemRandom(32)]]))).toBe('accept')
      }
      expect(new Set(s.pool.votes(1).map((vote) => vote.firstEpoch)).size).toBeLessThanOrEqual(3)
    }
    expect(s.pool.messages().length).toBeLessThanOrEqual(3 * 3 * 2)
  })
})

describe('nonces', () => {
  it('the pool takes commitments and nonces of the newest roster, gives them to other peers, and drops them with the next roster', async () => {
    const s = await setting()
    const [given] = testNonceCommitments(s.first)
    const commitment: GossipMessage = { kind: 'commitment', previous: s.first.hash, operator: 0, ...given! }
    expect(s.say(commitment)).toBe('accept')
    expect(s.pool.messages().map(decodeGossip)).toContainEqual(commitment)
    const join = joinOf(s, STRANGER, operatorSigner('gum'))
    const sponsored = ['ash', 'birch', 'cedar'].reduce((change, name) => signChange(change, operatorSigner(name)), join)
    const second = follow(s.first, { changes: [sponsored] })
    await s.rosters.add(second)
    expect(s.pool.messages().map(decodeGossip)).not.toContainEqual(commitment)
    const reveal: GossipMessage = { kind: 'reveal', height: 1, operator: 0, nonce: testNonce('ash', 1) }
    expect(s.say(reveal)).toBe('accept')
    expect(s.pool.messages().map(decodeGossip)).toContainEqual(reveal)
    expect(s.news.slice(-2)).toEqual(['commitment', 'reveal'])
  })
})

describe('changes', () => {
  it('a change gathers the signatures of operators, peers and its parties from any message, and drops those of strangers', async () => {
    const s = await setting()
    const join = joinOf(s, STRANGER, operatorSigner('gum'))
    // No operator or peer of the federation has signed it.
    expect(s.say(saying(join))).toBe('ignore')
    const [one, two] = ['ash', 'birch'].map((name) => signChange(join, operatorSigner(name)))
    expect(s.say(saying(one!))).toBe('accept')
    expect(s.say(saying(one!))).toBe('ignore')
    expect(s.say(saying(two!))).toBe('accept')
    expect(s.pool.changes()[0]!.signatures).toHaveLength(4)
    // 150 signatures of strangers would leave no room for a sponsor's signature.
    const withStrangers = Array.from({ length: 150 }, (_, i) => peerSigner(`stranger ${i}`)).reduce(signChange, two!)
    expect(s.say(saying(withStrangers))).toBe('ignore')
    expect(s.say(saying(signChange(withStrangers, operatorSigner('cedar'))))).toBe('accept')
    expect(s.pool.changes()[0]!.signatures).toHaveLength(5)
    const [forged] = one!.signatures
    const bad = {
      ...one!,
      signatures: [{ ...forged!, signature: spoil(forged!.signature) }, ...one!.signatures.slice(1)],
    }
    expect(s.say(saying(bad))).toBe('reject')
  })

  it('the pool rejects a change of another federation, and ignores one that has lapsed or that a roster has made', async () => {
    const s = await setting()
    const leave = (name: string, until = s.next + 36) =>
      signChange(
        newChange(s.first.roster.federation, { kind: 'leave', until, key: peerSigner(name).key }),
        peerSigner(name),
      )
    expect(s.say(saying({ ...leave('ash'), federation: systemRandom(32) }))).toBe('reject')
    expect(s.say(saying(leave('ash', s.first.roster.firstEpoch)))).toBe('ignore')
    const lied = newChange(s.first.roster.federation, {
      ...{ kind: 'lied' as const, until: s.next, key: peerSigner('ash').key, evidence: systemRandom(32) },
    })
    expect(s.say(saying(lied))).toBe('ignore')
    const { federation } = s.first.roster
    const ash = peerSigner('ash')
    const move = (port: number) => {
      const addresses = [`/ip4/127.0.0.1/tcp/${port}`]
      return signChange(
        newChange(federation, { kind: 'move', at: FOUNDED + port, until: s.next + 90, key: ash.key, addresses }),
        ash,
      )
    }
    for (const change of [leave('birch'), leave('cedar'), move(7)]) expect(s.say(saying(change))).toBe('accept')
    const second = follow(s.first, { changes: [leave('birch'), move(7)] })
    await s.rosters.add(second)
    expect(s.pool.changes().map(({ change }) => change.kind)).toEqual(['leave'])
    expect(s.say(saying(leave('birch', s.next + 54)))).toBe('ignore')
    // Ash moved again, so its earlier moves are worth nothing, no matter which peer kept them.
    await s.rosters.add(follow(second, { changes: [move(8)] }))
    for (const port of [6, 7, 8]) expect(s.say(saying(move(port)))).toBe('ignore')
    expect(s.say(saying(move(9)))).toBe('accept')
  })

  it('the pool keeps sixteen changes of one signer, and takes a further one by another signer', async () => {
    const s = await setting()
    const of = (name: string, i: number) => {
      const change = { kind: 'expel' as const, until: s.next + i, key: peerSigner('elm').key }
      return signChange(newChange(s.first.roster.federation, change), operatorSigner(name))
    }
    for (let i = 0; i < 20; i++) expect(s.say(saying(of('ash', i))), `${i}`).toBe(i < 16 ? 'accept' : 'ignore')
    // A second signer that has room brings the change in.
    expect(s.say(saying(signChange(of('ash', 17), operatorSigner('birch'))))).toBe('accept')
    expect(s.pool.changes()).toHaveLength(17)
  })
})

describe('evidence', () => {
  it('the pool convicts a member once by a false answer, and no other key without proof', async () => {
    const s = await setting()
    const ash = peerSigner('ash')
    const proof = falseAnswer(s, ash)
    expect(s.say(proving({ ...proof, key: peerSigner('birch').key }))).toBe('reject')
    expect(s.say(proving(falseAnswer(s, STRANGER)))).toBe('ignore')
    expect(s.say(proving(proof))).toBe('accept')
    expect(s.pool.isConvicted(ash.key)).toBe(true)
    expect(s.say(proving(proof))).toBe('ignore')
    expect(s.say(proving(falseAnswer(s, ash)))).toBe('ignore')
    expect(s.pool.evidence()).toEqual([proof])
    expect(s.pool.isConvicted(peerSigner('birch').key)).toBe(false)
    // A convicted member is no longer a peer, so its messages are ignored.
    expect(s.say(presence(ash, s.clock.now()))).toBe('ignore')
  })

  it('the pool ignores evidence under a roster that it does not know yet', async () => {
    const s = await setting({}, false)
    const proof = falseAnswer(s, peerSigner('ash'))
    expect(s.say(proving(proof))).toBe('ignore')
    await s.rosters.add(s.first)
    expect(s.say(proving(proof))).toBe('accept')
  })

  it('an answer that the accused did not sign, or that lacks a byte, is no evidence', async () => {
    const s = await setting()
    const proof = falseAnswer(s, peerSigner('ash'))
    if (proof.kind !== 'answer') throw new Error('not an answer')
    // The accused has not signed this answer, so another peer may have made it up.
    expect(s.say(proving({ ...proof, answer: spoil(proof.answer) }))).toBe('reject')
    expect(s.say(proving({ ...proof, answer: proof.answer.slice(0, -1) }))).toBe('reject')
    expect(testSalt(0, 80, 1)).toHaveLength(32)
  })
})

describe('evidence of false evaluations', () => {
  it('the pool convicts a member by a false evaluation, and refuses an honest one without checking it twice', async () => {
    const s = await setting({ salting: 'threshold', threshold: 2, shards: 1, periodEpochs: 2, reserveEpochs: 2 })
    const { roster, hash } = certifyRoster(
      { ...s.first.roster, sheets: shares.trees(s.first.roster).map(treeToRoot) },
      s.first.roster.operators,
    )
    let proofs = 0
    const counting = {
      ...verifier,
      isValidProof: (...args: Parameters<typeof verifier.isValidProof>) => {
        proofs++
        return verifier.isValidProof(...args)
      },
    }
    const rosters = { ...s.rosters, named: () => ({ roster, hash }) } as unknown as RosterStore
    const pool = createPool({
      ...{ manifest: s.manifest, rosters, clock: s.clock },
      isPeer: () => true,
      spread() {},
      verifier: counting,
    })
    const [replica] = shardToReplicas(roster, 0)
    const liar = NAMES.map(peerSigner).find(({ key }) => bytesToHex(key) === bytesToHex(replica!.key))!
    const [a, b] = [group.fromHash(systemRandom(64)), group.fromHash(systemRandom(64))]
    const epoch = roster.firstEpoch + 1
    const request = encodeEvaluateRequest({
      ...{ roster: hashToRosterName(hash), shard: 0, wantsKeys: true },
      ...{ epochs: [epoch], elements: [[a]] },
    })
    const about = (answer: Uint8Array): Evidence => ({
      kind: 'evaluation',
      key: liar.key,
      request,
      answer,
      epoch,
      partKeys: null,
    })
    const offer = (answer: Uint8Array) => pool.offer(encodeGossip(proving(about(answer))))
    const honest = shares.answer(roster, 0, request, liar, FOUNDED)
    expect([offer(honest), offer(honest)]).toEqual(['reject', 'reject'])
    expect(proofs).toBe(1)
    expect(pool.isConvicted(liar.key)).toBe(false)
    const lie = shares.answer(roster, 0, request, liar, FOUNDED, (own) => ({ ...own, evaluated: [b] }))
    expect(offer(lie)).toBe('accept')
    expect(pool.isConvicted(liar.key)).toBe(true)
  })
})

describe('handovers', () => {
  it('the pool keeps the newest 64 handovers from a peer to a peer', async () => {
    const s = await setting()
    const [ash, birch] = [peerSigner('ash'), peerSigner('birch')]
    const say = (giver: Signer, taker: Signer, shard: number, time = s.clock.now()) =>
      s.say(signHandover(giver, { taker: taker.key, shard, firstEpoch: s.next, time }))
    expect(say(ash, birch, 0)).toBe('accept')
    expect(say(ash, birch, 0)).toBe('ignore')
    expect(say(ash, birch, 0, s.clock.now() + 1)).toBe('accept')
    expect(say(STRANGER, birch, 0)).toBe('ignore')
    expect(say(ash, STRANGER, 0)).toBe('ignore')
    expect(say(ash, birch, 1, s.clock.now() - 11 * MINUTE_MS)).toBe('ignore')
    const forged = signHandover(ash, { taker: birch.key, shard: 2, firstEpoch: s.next, time: s.clock.now() })
    expect(s.say({ ...forged, shard: 3 })).toBe('reject')
    for (let shard = 10; shard < 100; shard++) expect(say(ash, birch, shard)).toBe('accept')
    expect(s.pool.handovers()).toHaveLength(64)
    expect(s.pool.handovers().at(-1)).toMatchObject({ shard: 99 })
  })
})

describe('the pool', () => {
  /** One message of each kind that a pool of this setting accepts. */
  const all = (s: Setting): GossipMessage[] => [
    presence(peerSigner('ash'), s.clock.now()),
    sheetsOf(s, peerSigner('birch'), s.next, [[1, systemRandom(32)]]),
    signProposal(operatorSigner('ash'), s.first.roster.federation, {
      ...{ height: 1, firstEpoch: s.next, hash: systemRandom(32), holder: STRANGER.key, operator: 0 },
    }),
    voteOf('birch', 1, s.next, systemRandom(32)),
    saying(signChange(joinOf(s, STRANGER, operatorSigner('gum')), operatorSigner('ash'))),
    proving(falseAnswer(s, peerSigner('cedar'))),
    signHandover(peerSigner('ash'), {
      ...{ taker: peerSigner('birch').key, shard: 0, firstEpoch: s.next, time: s.clock.now() },
    }),
  ]

  it('the pool rejects malformed messages without throwing, and ignores messages of a newer version', async () => {
    const s = await setting()
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        expect(['reject', 'ignore']).toContain(s.pool.offer(Uint8Array.from(bytes)))
      }),
      { numRuns: 300 },
    )
    for (const message of all(s).map(encodeGossip)) {
      expect(s.pool.offer(Uint8Array.from([2, ...message.slice(1)]))).toBe('ignore')
      expect(s.pool.offer(Uint8Array.from([1, 8, ...message.slice(2)]))).toBe('reject')
      for (let length = 0; length < message.length; length += 7) {
        expect(s.pool.offer(message.slice(0, length))).toBe('reject')
      }
      expect(s.pool.offer(Uint8Array.from([...message, 0]))).toBe('reject')
    }
    expect(s.news).toEqual([])
    expect(s.pool.messages()).toEqual([])
  })

  it('a pool reply holds all messages, evidence first and presences last, and another pool accepts them', async () => {
    const s = await setting()
    for (const message of all(s)) expect(s.say(message), message.kind).toBe('accept')
    const messages = decodePoolReply(encodePoolReply(s.pool.messages()))
    const kinds = messages.map((bytes) => decodeGossip(bytes).kind)
    expect(kinds).toHaveLength(7)
    expect([kinds[0], kinds.at(-1)]).toEqual(['evidence', 'presence'])
    const other = await setting()
    for (const message of messages) expect(other.pool.offer(message)).toBe('accept')
    expect(other.pool.messages()).toEqual(messages)
  })

  it('a new roster removes the messages that it settles, and the pool keeps the others', async () => {
    const s = await setting()
    for (const message of all(s)) s.say(message)
    s.say(sheetsOf(s, peerSigner('elm'), s.next + 18, [[1, systemRandom(32)]]))
    const gone = newChange(s.first.roster.federation, {
      ...{ kind: 'lied' as const, until: s.next, key: peerSigner('cedar').key, evidence: systemRandom(32) },
    })
    await s.rosters.add(follow(s.first, { changes: [gone] }))
    expect(s.pool.votes(1)).toEqual([])
    expect(s.pool.proposals(1, s.next)).toEqual([])
    expect(s.pool.sheets(s.next)).toEqual([])
    // A sheet names the roster before, so no sheet of an earlier roster serves the next one.
    expect(s.pool.sheets(s.next + 18)).toEqual([])
    expect(s.pool.changes()).toHaveLength(1)
    expect(s.pool.evidence()).toEqual([])
    expect(s.pool.isConvicted(peerSigner('cedar').key)).toBe(true)
    expect(s.pool.presences()).toHaveLength(1)
    await s.clock.advanceTo(s.next * EPOCH_MS)
    expect(s.say(voteOf('ash', 2, s.next + 36, systemRandom(32)))).toBe('accept')
  })
})

describe('the pins of the central peer in the pool', () => {
  const central = peerSigner(TEST_AUTHORITY)
  const epochOf = (s: Setting) => timeToEpoch(s.clock.now())
  const pin = (epoch: number, byte: number, signer = central): GossipMessage => ({
    kind: 'pin',
    ...signPin(signer, federationId, epoch, new Uint8Array(32).fill(byte)),
  })

  it('the pool takes one pin of an epoch, and gives it to peers that were away', async () => {
    const s = await setting()
    expect(s.say(pin(epochOf(s), 1))).toBe('accept')
    expect(s.say(pin(epochOf(s), 1))).toBe('ignore')
    expect(s.say(pin(epochOf(s), 1, STRANGER))).toBe('ignore')
    expect(s.say(pin(epochOf(s), 2, STRANGER))).toBe('reject')
    expect(s.say(pin(epochOf(s) - 50, 1))).toBe('ignore')
    expect(s.pool.pinned(epochOf(s))).toEqual([new Uint8Array(32).fill(1)])
    expect(s.pool.messages().map((bytes) => decodeGossip(bytes))).toEqual([pin(epochOf(s), 1)])
    expect(s.spread).toEqual([])
  })

  it('two pins of one epoch become evidence that is published, and the central peer stays a peer', async () => {
    const s = await setting()
    s.say(pin(epochOf(s), 1))
    expect(s.say(pin(epochOf(s), 2))).toBe('ignore')
    expect(s.pool.evidence()).toMatchObject([{ kind: 'pins', key: central.key, epoch: epochOf(s) }])
    expect(s.spread).toHaveLength(1)
    expect(s.pool.isConvicted(central.key)).toBe(false)
    expect(s.pool.pinned(epochOf(s))).toHaveLength(2)
    // Another pool takes the evidence alone.
    const other = await setting()
    expect(other.say(s.spread[0]!)).toBe('accept')
    expect(other.say(s.spread[0]!)).toBe('ignore')
    expect(other.pool.isConvicted(central.key)).toBe(false)
  })

  it('two pins that a member signed with its own key are no evidence', async () => {
    const s = await setting()
    const signer = peerSigner(NAMES[0]!)
    const [first, second] = [1, 2].map((byte) => pin(epochOf(s), byte, signer)) as [GossipPin, GossipPin]
    const evidence: Evidence = {
      ...{ kind: 'pins', key: signer.key, federation: federationId, epoch: epochOf(s) },
      ...{ first: toSigned(first), second: toSigned(second) },
    }
    expect(s.say({ kind: 'evidence', evidence: encodeEvidence(evidence) })).toBe('reject')
    function toSigned({ roster, signature }: GossipPin) {
      return { roster, signature }
    }
  })
})
