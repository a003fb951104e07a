/**
 * Random sequences of rosters against a model without bytes: sets and maps of names, written from PROTOCOL.md §4.8 and
 * §4.9 alone. Both must agree on every accepted or refused change and on the lists afterwards.
 */
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TEST_AUTHORITY, TEST_OPERATORS, testNonceCommitments, testReveals } from '../../../src/testing/founding.ts'
import * as wire from '../../../src/wire/index.ts'
import { change, founding, key, sorted, step, UNTIL } from './steps.ts'

/** A key is named by its role, `operator/ash` or `peer/ash`; a rotated key is `operator/ash#1`. */
interface Model {
  /** Name → key, in the order of joining. */
  operators: Map<string, string>
  /** Names of the operators with a rank. */
  ranked: Set<string>
  /** Which of the operators before committed to a nonce; undefined when the roster has no commitments. */
  committed: boolean[] | undefined
  /** Node → name of the node's operator. */
  members: Map<string, string>
  newcomers: Map<string, string>
  admitted: Map<string, string>
  gone: Set<string>
  replicas: number
  /** The time of proposal of the latest amendment, and of each peer's latest move. */
  amended: number
  moved: Map<string, number>
}
type Move =
  | { kind: 'join'; name: string; operatorKey: string; node: string; signers: string[] }
  | { kind: 'leave' | 'expel'; key: string; signers: string[] }
  | { kind: 'lied'; key: string; signers: string[] }
  | { kind: 'rotate'; from: string; to: string; signers: string[] }
  | { kind: 'amend'; at: number; replicas: number; signers: string[] }
  | { kind: 'move'; at: number; key: string; signers: string[] }

class Refused extends Error {}
const must = (condition: boolean): void => {
  if (!condition) throw new Refused()
}
const CENTRAL = `peer/${TEST_AUTHORITY}`

const start: Model = {
  operators: new Map([...TEST_OPERATORS, TEST_AUTHORITY].map((name) => [name, `operator/${name}`])),
  ranked: new Set([...TEST_OPERATORS, TEST_AUTHORITY]),
  committed: undefined,
  members: new Map(TEST_OPERATORS.map((name) => [`peer/${name}`, name])),
  newcomers: new Map(),
  admitted: new Map(),
  gone: new Set(),
  replicas: 3,
  amended: 0,
  moved: new Map(),
}

/** Which operators commit, and which of those who did before open their nonces; undefined without such a list. */
interface Nonces {
  commits: boolean[] | undefined
  opens: boolean[] | undefined
}
const isMostOf = (list: readonly boolean[]): boolean => list.filter(Boolean).length > (2 * list.length) / 3

/** The model's next roster. Throws Refused. */
function follow(before: Model, moves: readonly Move[], { commits, opens }: Nonces): Model {
  const votes = before.operators.size
  const without = (peers: Map<string, string>) => new Map([...peers].filter(([node]) => !before.gone.has(node)))
  const now: Model = {
    operators: new Map(before.operators),
    ranked: new Set(before.ranked),
    committed: commits,
    members: without(new Map([...before.members, ...before.newcomers])),
    newcomers: new Map(),
    admitted: without(before.admitted),
    gone: new Set(before.gone),
    replicas: before.replicas,
    amended: before.amended,
    moved: new Map(before.moved),
  }
  if (opens !== undefined) {
    must(before.committed?.length === opens.length && isMostOf(opens))
    must(opens.every((isOpened, i) => !isOpened || before.committed![i]!))
    now.ranked = new Set(before.operators.keys())
    now.newcomers = now.admitted
    now.admitted = new Map()
  }
  const nodes = () => new Map([...now.members, ...now.newcomers, ...now.admitted])
  const ownerOf = (wanted: string) => [...now.operators].find(([, own]) => own === wanted)?.[0]
  const isFresh = (wanted: string) =>
    !nodes().has(wanted) && wanted !== CENTRAL && ownerOf(wanted) === undefined && !now.gone.has(wanted)
  for (const move of moves) {
    const has = (wanted: string) => move.signers.includes(wanted)
    const voices = [...before.operators.values()].filter((own) => !before.gone.has(own) && has(own)).length
    const isMost = voices > (2 * votes) / 3
    if (move.kind === 'join') {
      must(has(move.node) && has(move.operatorKey))
      must([...before.operators.values()].includes(move.operatorKey) || voices > votes / 3)
      must(isFresh(move.node) && move.node !== move.operatorKey)
      const known = ownerOf(move.operatorKey)
      if (known === undefined) {
        must(!now.operators.has(move.name) && isFresh(move.operatorKey))
        now.operators.set(move.name, move.operatorKey)
      } else must(known === move.name && known !== TEST_AUTHORITY && !now.gone.has(move.operatorKey))
      const list = now.ranked.has(move.name) ? now.newcomers : now.admitted
      list.set(move.node, move.name)
    } else if (move.kind === 'rotate') {
      must(has(move.to) && (has(move.from) || isMost))
      const name = ownerOf(move.from)
      must(name !== undefined && !now.gone.has(move.from) && isFresh(move.to))
      now.operators.set(name!, move.to)
      now.gone.add(move.from)
    } else if (move.kind === 'amend') {
      must(isMost && move.at > now.amended)
      now.replicas = move.replicas
      now.amended = move.at
    } else if (move.kind === 'move') {
      must(has(move.key) && (nodes().has(move.key) || move.key === CENTRAL))
      must(move.at > (now.moved.get(move.key) ?? 0))
      now.moved.set(move.key, move.at)
    } else {
      const operator = ownerOf(move.key)
      const owner = move.key === CENTRAL ? TEST_AUTHORITY : nodes().get(move.key)
      if (move.kind === 'leave') must(has(move.key) || (owner !== undefined && has(now.operators.get(owner)!)))
      if (move.kind === 'expel') must(isMost)
      if (move.kind === 'lied') must(move.signers.length === 0)
      must(operator !== undefined || nodes().has(move.key))
      must(operator !== TEST_AUTHORITY && !now.gone.has(move.key))
      const leaving =
        operator === undefined ? [move.key] : [...nodes()].filter(([, own]) => own === operator).map(([n]) => n)
      for (const item of [move.key, ...leaving]) now.gone.add(item)
      for (const node of leaving) {
        now.newcomers.delete(node)
        now.admitted.delete(node)
      }
    }
  }
  const coming = [...now.members, ...now.newcomers].filter(([node]) => !now.gone.has(node)).map(([, own]) => own)
  must(new Set(coming).size >= now.replicas)
  for (const [name, own] of [...now.operators]) {
    if (now.gone.has(own) && ![...now.members.values()].includes(name)) now.operators.delete(name)
  }
  now.ranked = new Set([...now.ranked].filter((name) => now.operators.has(name)))
  if (commits !== undefined) must(now.admitted.size > 0 && commits.length === votes && isMostOf(commits))
  const isListed = (node: string) => node === CENTRAL || nodes().has(node)
  now.moved = new Map([...now.moved].filter(([node]) => isListed(node)))
  return now
}

const NEW_NAMES = ['gum', 'hazel', 'ivy', 'oak', 'pine']
const NAMES = [...TEST_OPERATORS, TEST_AUTHORITY, ...NEW_NAMES]
const OPERATOR_KEYS = NAMES.flatMap((name) => [`operator/${name}`, `operator/${name}#1`])
const NODE_KEYS = NAMES.flatMap((name) => [`peer/${name}`, `peer/${name}2`])
const ROLES = [...OPERATOR_KEYS, ...NODE_KEYS]

/** A random wish. The numbers choose among the peers and operators that exist. */
interface Wish {
  kind: 'join' | 'leave' | 'expel' | 'lied' | 'rotate' | 'amend' | 'move'
  pick: number
  other: number
  /** 0 adds all signatures that the rules require; other values omit one or let others sign. */
  mischief: number
}
const wish: fc.Arbitrary<Wish> = fc.record({
  kind: fc.constantFrom(
    'join' as const,
    'join' as const,
    'leave' as const,
    'expel' as const,
    'lied' as const,
    'rotate' as const,
    'amend' as const,
    'move' as const,
  ),
  pick: fc.nat({ max: 999 }),
  other: fc.nat({ max: 999 }),
  mischief: fc.nat({ max: 15 }),
})
/** Which operators give something: none at all, or all but those whose bit is set. */
const giving = fc.option(fc.constantFrom(0, 0, 0, 0, 1, 8, 5, 21), { nil: undefined, freq: 9 })
const round = fc.record({
  wishes: fc.array(wish, { minLength: 1, maxLength: 4 }),
  commits: giving,
  opens: giving,
  skips: fc.nat({ max: 2 }),
})
/** Commitments that nobody signed. */
const NO_COMMITMENTS: wire.Roster['commitments'] = Array.from({ length: wire.OPERATORS_MAX }, () => ({
  commitment: new Uint8Array(32),
  signature: new Uint8Array(64),
}))
const toGivers = (mask: number | undefined, count: number): boolean[] | undefined =>
  mask === undefined ? undefined : Array.from({ length: count }, (_, i) => ((mask >> i) & 1) === 0)

function toMove(model: Model, { kind, pick, other, mischief }: Wish): Move {
  const from = <T>(items: readonly T[], n: number): T => items[n % items.length]!
  const voices = [...model.operators.values()]
  const most = voices.slice(0, Math.floor((2 * voices.length) / 3) + 1)
  const some = voices.slice(0, Math.floor(voices.length / 3) + 1)
  // Usually an existing peer, because otherwise almost every change would be refused.
  const here = [...voices, ...model.members.keys(), ...model.newcomers.keys(), ...model.admitted.keys(), CENTRAL]
  const target = other % 4 === 0 ? from(ROLES, pick) : from(here, pick)
  const twist = (signers: string[]): string[] =>
    mischief === 1
      ? signers.slice(1)
      : mischief === 2
        ? signers.slice(0, -1)
        : mischief === 3
          ? [from(ROLES, other)]
          : signers
  switch (kind) {
    case 'join': {
      const name = from(pick % 3 === 0 ? NEW_NAMES : NAMES, other)
      const isNew = !model.operators.has(name)
      const operatorKey = mischief === 4 ? from(ROLES, pick) : (model.operators.get(name) ?? `operator/${name}`)
      const node = mischief === 5 ? from(ROLES, pick) : from(NODE_KEYS, pick)
      return {
        kind,
        name,
        operatorKey,
        node,
        signers: twist([node, operatorKey, ...(pick % 2 === 0 || isNew ? some : [])]),
      }
    }
    case 'leave': {
      const owner = model.members.get(target)
      const operatorKey = owner === undefined ? undefined : model.operators.get(owner)
      return { kind, key: target, signers: twist([pick % 2 === 0 ? target : (operatorKey ?? target)]) }
    }
    case 'expel':
      return { kind, key: target, signers: twist(most) }
    case 'lied':
      return { kind, key: target, signers: mischief === 1 ? [from(ROLES, other)] : [] }
    case 'rotate': {
      const own = mischief === 4 ? target : from(voices, pick)
      const to = mischief === 5 ? from(ROLES, other) : `${own.split('#')[0]}#1`
      return { kind, from: own, to, signers: twist(pick % 2 === 0 ? [to, own] : [to, ...most]) }
    }
    case 'amend':
      return { kind, at: 1 + (pick % 9), replicas: 1 + (other % 5), signers: twist(most) }
    case 'move':
      return { kind, at: 1 + (pick % 9), key: target, signers: twist([target]) }
  }
}

const written = new Map<string, Uint8Array>()
function toBytes(move: Move): Uint8Array {
  const name = JSON.stringify(move)
  const encoded = written.get(name) ?? encodeMove(move)
  written.set(name, encoded)
  return encoded
}

const addressesAt = (at: number): string[] => [`/ip4/127.0.0.1/tcp/${at}`]

function encodeMove(move: Move): Uint8Array {
  const toChange = (): wire.Change => {
    switch (move.kind) {
      case 'join': {
        const addresses = ['/ip4/127.0.0.1/tcp/1']
        const keys = { operatorKey: key(move.operatorKey), key: key(move.node) }
        return { kind: 'join', until: UNTIL, operator: move.name, ...keys, addresses }
      }
      case 'lied':
        return { kind: 'lied', until: UNTIL, key: key(move.key), evidence: new Uint8Array(32) }
      case 'rotate':
        return { kind: 'rotate', until: UNTIL, from: key(move.from), to: key(move.to) }
      case 'amend':
        return {
          kind: 'amend',
          at: move.at,
          until: UNTIL,
          core: null,
          shards: null,
          replicas: move.replicas,
          evaluations: null,
          apps: null,
        }
      case 'move':
        return { kind: 'move', at: move.at, until: UNTIL, key: key(move.key), addresses: addressesAt(move.at) }
      default:
        return { kind: move.kind, until: UNTIL, key: key(move.key) }
    }
  }
  return change(toChange(), [...new Set(move.signers)])
}

// The key of a node can become the key of an operator and be rotated as such.
const NAMED = [...ROLES, ...NODE_KEYS.map((node) => `${node}#1`)]
const roleByKey = new Map(NAMED.map((role) => [wire.bytesToHex(key(role)), role]))
const roleOf = (own: Uint8Array): string => roleByKey.get(wire.bytesToHex(own))!

function rosterToModel(roster: wire.Roster): Model {
  const { operators, members, newcomers, admitted, central, gone, plan, amended } = roster
  const toMap = (peers: readonly wire.RosterPeer[]) =>
    new Map(peers.map((peer) => [roleOf(peer.key), operators[peer.operator]!.name]))
  return {
    operators: new Map(operators.map((operator) => [operator.name, roleOf(operator.key)])),
    ranked: new Set(operators.filter(({ rank }) => rank !== null).map(({ name }) => name)),
    committed: roster.commitments.length > 0 ? roster.commitments.map((item) => item !== null) : undefined,
    members: toMap(members),
    newcomers: toMap(newcomers),
    admitted: toMap(admitted),
    gone: new Set(gone.map(roleOf)),
    replicas: plan.replicas,
    amended,
    moved: new Map(
      [...members, ...newcomers, ...admitted, central].flatMap((peer) =>
        peer.moved > 0 ? [[roleOf(peer.key), peer.moved]] : [],
      ),
    ),
  }
}

/** A rank never changes, and a new one is the hash of the operator's key before and of the opened nonces. */
function assertRanks({ operators, reveals }: wire.Roster, before: wire.Roster): void {
  for (const { name, rank } of operators) {
    const known = before.operators.find((operator) => operator.name === name)
    if (rank === null || known === undefined) expect(rank).toBeNull()
    else if (known.rank !== null) expect(rank).toEqual(known.rank)
    else {
      const hash = createHash('sha256').update('geotrace/rank').update(known.key)
      for (const nonce of reveals) if (nonce !== null) hash.update(nonce)
      expect(rank).toEqual(new Uint8Array(hash.digest()))
    }
  }
}

function assertInvariants({ roster }: wire.CertifiedRoster, before: wire.Roster): void {
  assertRanks(roster, before)
  const { operators, members, newcomers, admitted, central, gone, shards, replicas } = roster
  const peers = [...members, ...newcomers, ...admitted, central]
  for (const { operator } of peers) expect(operators[operator]).toBeDefined()
  for (const { moved, addresses } of peers) if (moved > 0) expect(addresses).toEqual(addressesAt(moved))
  const keys = [...operators, ...peers].map((item) => wire.bytesToHex(item.key))
  expect(new Set(keys).size).toBe(keys.length)
  expect(new Set(operators.map(({ name }) => name)).size).toBe(operators.length)
  expect(new Set(gone.map(wire.bytesToHex)).size).toBe(gone.length)
  // A departed key is listed only among operators, for nodes that were members then, and never returns.
  for (const item of before.gone) {
    expect(wire.isGone(roster, item)).toBe(true)
    expect(peers.some((peer) => wire.equalBytes(peer.key, item))).toBe(false)
  }
  for (const peer of [...newcomers, ...admitted]) {
    expect(wire.isGone(roster, peer.key)).toBe(false)
    expect(wire.isGone(roster, operators[peer.operator]!.key)).toBe(false)
  }
  for (let shard = 0; shard < shards; shard++) {
    const held = wire.shardToReplicas(roster, shard)
    expect(new Set(held.map(({ operator }) => operator)).size).toBe(replicas)
  }
}

describe('rosters after many changes', () => {
  it('rosters equal those of a model of names, which accepts and refuses the same changes', () => {
    const count = { taken: 0, refused: 0, ranked: 0, moved: 0, waited: 0, withheld: 0 }
    fc.assert(
      fc.property(fc.array(round, { minLength: 5, maxLength: 10 }), (rounds) => {
        let roster = founding
        let model = start
        for (const { wishes, commits, opens, skips } of rounds) {
          const firstEpoch = (Math.floor(roster.roster.firstEpoch / 18) + 1 + skips) * 18
          const attempt = (
            moves: readonly Move[],
            nonces: Nonces,
            commitments: wire.Roster['commitments'] = NO_COMMITMENTS,
          ) => {
            const byBytes = new Map(moves.map((move) => [wire.bytesToHex(toBytes(move)), move]))
            const ordered = [...byBytes].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, move]) => move)
            const next = outcome(Refused, () => follow(model, ordered, nonces))
            const changes = sorted(ordered.map(toBytes))
            const known = testReveals(roster)
            const choice = {
              ...{ firstEpoch, changes },
              commitments: nonces.commits?.map((isGiven, i) => (isGiven ? commitments[i]! : null)) ?? [],
              // An operator that did not commit before may still make up a nonce.
              reveals: nonces.opens?.map((isGiven, i) => (isGiven ? (known[i] ?? new Uint8Array(32)) : null)) ?? [],
            }
            const real = outcome(wire.FederationError, () => step(roster, choice))
            expect(real === undefined, JSON.stringify({ ordered, nonces })).toBe(next === undefined)
            return real === undefined || next === undefined ? undefined : { real, next }
          }
          // A proposer takes each change that still fits beside those taken before.
          const operators = model.operators.size
          const opened = toGivers(opens, model.committed?.length ?? operators)
          const isRanked = opens !== undefined && attempt([], { commits: undefined, opens: opened }) !== undefined
          const nonces: Nonces = { commits: undefined, opens: isRanked ? opened : undefined }
          const still = attempt([], nonces)
          if (still === undefined) throw new Error('a roster without changes can always follow')
          let best = still
          const taken: Move[] = []
          for (const item of wishes) {
            const move = toMove(model, item)
            const found = attempt([...taken, move], nonces)
            count[found === undefined ? 'refused' : 'taken']++
            if (found === undefined) continue
            taken.push(move)
            best = found
          }
          // Signing for nothing would take most of the time of this test.
          const signed = best.next.admitted.size > 0 ? testNonceCommitments(roster) : NO_COMMITMENTS
          const committed = attempt(taken, { ...nonces, commits: toGivers(commits, operators) }, signed)
          best = committed ?? best
          count.waited += Number(!isRanked && model.committed !== undefined)
          count.withheld += Number(isRanked && opened!.includes(false))
          expect(rosterToModel(best.real.roster)).toEqual(best.next)
          expect([...rosterToModel(best.real.roster).operators.keys()]).toEqual([...best.next.operators.keys()])
          assertInvariants(best.real, roster.roster)
          count.ranked += best.next.ranked.size - [...best.next.ranked].filter((name) => model.ranked.has(name)).length
          count.moved += taken.filter(({ kind }) => kind === 'move').length
          roster = best.real
          model = best.next
        }
      }),
      { numRuns: 25 },
    )
    // The test is meaningful only when many changes are accepted and many refused.
    expect(count.taken).toBeGreaterThan(40)
    expect(count.refused).toBeGreaterThan(40)
    expect(count.ranked).toBeGreaterThan(5)
    expect(count.waited).toBeGreaterThan(1)
    expect(count.withheld).toBeGreaterThan(1)
    expect(count.moved).toBeGreaterThan(3)
  })
})

/** The result of `make`; undefined when it throws an error of this class. Other errors pass through. */
function outcome<T>(refusal: abstract new (...args: never[]) => Error, make: () => T): T | undefined {
  try {
    return make()
  } catch (error) {
    if (!(error instanceof refusal)) throw error
    if (error instanceof wire.FederationError) expect(error.code).toBe('ROSTER_INVALID')
    return undefined
  }
}
