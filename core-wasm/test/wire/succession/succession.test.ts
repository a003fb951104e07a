import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  foundRoster,
  nextTestRoster,
  TEST_OPERATORS,
  testChange,
  testManifest,
  testNonceCommitments,
  testSigner,
  testTrees,
} from '../../../src/testing/founding.ts'
import * as wire from '../../../src/wire/index.ts'
import {
  bad,
  change,
  expel,
  FIRST,
  federation,
  founding,
  join,
  joining,
  key,
  leave,
  lied,
  nodesOf,
  operators,
  QUORUM,
  rotate,
  SPONSORS,
  sorted,
  step,
  UNTIL,
} from './steps.ts'

/** The time of proposal of moves and amendments. */
const AT = 1_700_000_000_000
const NODES = [...TEST_OPERATORS, 'gum', 'gum2', 'hazel', 'ash2']
const names = (peers: readonly wire.RosterPeer[]) => nodesOf(peers, NODES)
const voters = ({ roster }: wire.CertifiedRoster) => roster.operators.map(({ name }) => name)
const refused = (changes: readonly Uint8Array[], reason: RegExp, previous = founding) =>
  expect(() => step(previous, { changes })).toThrow(bad(reason))

describe('a roster that follows', () => {
  it('the next roster keeps everything that no change touches', () => {
    const next = step(founding)
    expect(next.roster).toEqual({ ...founding.roster, height: 1, previous: founding.hash, firstEpoch: FIRST })
    const third = step(next)
    expect(third.roster).toMatchObject({ height: 2, previous: next.hash, firstEpoch: FIRST + 18 })
  })

  it('the next roster begins with a later period, and periods may be skipped', () => {
    const at = (firstEpoch: number) => () => step(founding, { firstEpoch })
    expect(at(FIRST)).not.toThrow()
    expect(at(FIRST + 18 * 40)).not.toThrow()
    for (const firstEpoch of [FIRST + 1, FIRST + 17, FIRST - 18, 0]) {
      expect(at(firstEpoch), `${firstEpoch}`).toThrow(bad(/period/))
    }
    const next = step(founding)
    expect(() => step(next, { firstEpoch: FIRST })).toThrow(bad(/period/))
  })

  it('the next roster takes at most 32 changes, in the order of their bytes, each once', () => {
    const changes = sorted([leave('peer/ash'), join('gum')])
    const choose = (list: readonly Uint8Array[]) => () =>
      wire.succeed(founding, { firstEpoch: FIRST, changes: list, commitments: [], reveals: [], sheets: [] })
    expect(choose(changes)).not.toThrow()
    expect(choose([...changes].reverse())).toThrow(bad(/order/))
    expect(choose([changes[0]!, changes[0]!])).toThrow(bad(/order/))
    // The order of the bytes of these moves is the order of `at`.
    const moves = (count: number) =>
      sorted(
        Array.from({ length: count }, (_, i) =>
          change({ kind: 'move', at: 2 ** 40 + i, until: UNTIL, key: key('peer/ash'), addresses: ['/ip4/127.0.0.1'] }, [
            'peer/ash',
          ]),
        ),
      )
    expect(choose(moves(32))).not.toThrow()
    expect(choose(moves(33))).toThrow(bad(/too many changes/))
  })

  it('the next roster takes only valid changes of its own federation that have not lapsed', () => {
    const of = (other: Uint8Array, until: number) => {
      const value: wire.Change = { kind: 'leave', until, key: key('peer/ash') }
      return wire.encodeChange(wire.signChange(wire.newChange(other, value), testSigner('peer/ash')))
    }
    refused([of(new Uint8Array(32), UNTIL)], /another federation/)
    refused([of(federation, FIRST - 1)], /lapsed/)
    expect(() => step(founding, { changes: [of(federation, FIRST)] })).not.toThrow()
    refused([Uint8Array.of(1, 2, 3)], /a change: /)
    const signed = wire.decodeChange(of(federation, UNTIL))
    const forged = { ...signed, signatures: [{ key: key('peer/ash'), signature: new Uint8Array(64) }] }
    refused([wire.encodeChange(forged)], /signature fails/)
    const stranger = wire.signChange(signed, testSigner('peer/ash2'))
    expect(() => step(founding, { changes: [wire.encodeChange(stranger)] })).not.toThrow()
    const spoilt = wire.addSignatures(signed, [{ key: key('peer/ash2'), signature: new Uint8Array(64) }])
    refused([wire.encodeChange(spoilt)], /signature fails/)
  })
})

describe('a join', () => {
  it('a join of a new operator needs ⌊n/3⌋ + 1 sponsors beside the joiner and its operator', () => {
    expect([1, 2, 3, 4, 5, 6, 7, 9, 300].map(wire.sponsorQuorum)).toEqual([1, 1, 2, 2, 2, 3, 3, 4, 101])
    const next = step(founding, { changes: [join('gum')] })
    expect(names(next.roster.admitted)).toEqual(['gum'])
    expect(voters(next)).toEqual([...TEST_OPERATORS, 'office', 'gum'])
    expect(next.roster.admitted[0]).toMatchObject({ operator: 6, addresses: ['/ip4/127.0.0.1/tcp/4999'] })
    expect(next.roster.members).toEqual(founding.roster.members)
    refused([join('gum', 'gum', operators('ash', 'birch'))], /sponsors/)
    // The key of a node sponsors nobody, and a joiner cannot sponsor itself.
    refused([join('gum', 'gum', [...operators('ash', 'birch'), 'peer/cedar'])], /sponsors/)
    refused([change(joining('gum'), ['operator/gum', ...SPONSORS])], /joiner/)
    refused([change(joining('gum'), ['peer/gum', ...SPONSORS])], /joiner/)
  })

  it('a join of a known operator needs no sponsors and no rank, so its node is a newcomer at once', () => {
    const next = step(founding, { changes: [join('ash', 'ash2', [])] })
    expect(next.roster.newcomers).toMatchObject([{ key: key('peer/ash2'), operator: 0 }])
    expect(next.roster.admitted).toEqual([])
    expect(names(step(next).roster.members)).toEqual([...TEST_OPERATORS, 'ash2'])
    expect(next.roster.operators).toEqual(founding.roster.operators)
    refused([change(joining('ash', 'ash2'), ['peer/ash2', ...QUORUM.slice(1)])], /joiner/)
  })

  it('two joins of one new operator add one operator', () => {
    const next = step(founding, { changes: [join('gum'), join('gum', 'gum2')] })
    expect(voters(next).filter((name) => name === 'gum')).toEqual(['gum'])
    expect(new Set(next.roster.admitted.map(({ operator }) => operator))).toEqual(new Set([6]))
    // An operator is known when the roster before lists it.
    refused([join('gum'), join('gum', 'gum2', [])], /sponsors/)
  })

  it('a join under a key of a node, the central peer, an operator or its own operator is refused', () => {
    refused([join('ash', 'birch', [])], /key in use/)
    refused([join('gum', 'office')], /key in use/)
    const under = (value: Partial<wire.Change & { kind: 'join' }>, roles: string[]) =>
      change({ ...joining('gum'), ...value }, [...roles, ...SPONSORS])
    refused([under({ key: key('operator/ash') }, ['operator/gum', 'operator/ash'])], /key in use/)
    refused([under({ key: key('operator/gum') }, ['operator/gum'])], /key in use/)
    refused([under({ operatorKey: key('peer/ash') }, ['peer/gum', 'peer/ash'])], /name in use/)
    const admitted = step(founding, { changes: [join('gum')] })
    refused([join('ash', 'gum', [])], /key in use/, admitted)
  })

  it('a join under a name in use, or under another name of a known operator, is refused', () => {
    const under = (operator: string, who: string) =>
      change({ ...joining(who), operator }, [`operator/${who}`, `peer/${who}`, ...SPONSORS])
    refused([under('ash', 'gum')], /name in use/)
    refused([under('office', 'gum')], /name in use/)
    const known = change({ ...joining('ash', 'ash2'), operator: 'ash-tree' }, ['operator/ash', 'peer/ash2'])
    refused([known], /another name/)
  })

  it('a join of the operator of the central peer is refused, also with sponsors', () => {
    refused([join('office', 'gum', [])], /central peer/)
    refused([join('office', 'gum', QUORUM)], /central peer/)
  })

  it('an operator can join at most sixteen nodes', () => {
    const roles = (from: number, count: number) => Array.from({ length: count }, (_, i) => `ash-${from + i}`)
    const full = step(founding, { changes: roles(0, 15).map((node) => join('ash', node, [])) })
    expect(full.roster.newcomers).toHaveLength(15)
    refused(
      roles(0, 16).map((node) => join('ash', node, [])),
      /too many nodes/,
    )
    refused([join('ash', 'ash-99', [])], /too many nodes/, full)
  })

  it('a departed key can never join again, but its operator name is free once no roster lists the operator', () => {
    const next = step(founding, { changes: [leave('operator/ash')] })
    const later = step(step(next))
    for (const previous of [next, later]) {
      refused([join('birch', 'ash', [])], /key in use/, previous)
      const asNode = change({ ...joining('birch'), key: key('operator/ash') }, ['operator/birch', 'operator/ash'])
      refused([asNode], /key in use/, previous)
    }
    const anew = change({ ...joining('gum'), operator: 'ash' }, ['operator/gum', 'peer/gum', ...QUORUM])
    expect(voters(next)).toContain('ash')
    expect(voters(later)).not.toContain('ash')
    expect(voters(step(later, { changes: [anew] })).at(-1)).toBe('ash')
    const sameKey = change({ ...joining('ash', 'gum'), operator: 'ash' }, ['operator/ash', 'peer/gum', ...QUORUM])
    refused([sameKey], /in use/, later)
  })

  it('a departed operator cannot join while its nodes hold shards or in the roster that removes it', () => {
    const gone = step(founding, { changes: [expel('operator/ash')] })
    refused([join('ash', 'ash2', QUORUM)], /gone/, gone)
    // A join sorts after an expulsion, so it would admit a node without an operator.
    refused([expel('operator/ash'), join('ash', 'ash2', [])], /gone/)
    refused([leave('operator/ash'), join('ash', 'ash2', QUORUM)], /gone/)
  })
})

describe('a departure', () => {
  it('a departure of a node is signed by the node or its operator, and takes one roster', () => {
    for (const signer of ['peer/ash', 'operator/ash']) {
      const next = step(founding, { changes: [leave('peer/ash', [signer])] })
      expect(names(next.roster.members)).toEqual([...TEST_OPERATORS])
      expect(next.roster.gone).toEqual([key('peer/ash')])
      const later = step(next)
      expect(names(later.roster.members)).toEqual(TEST_OPERATORS.slice(1))
      expect(later.roster.gone).toEqual([key('peer/ash')])
      // The operator stays and votes, without a node.
      expect(voters(later)).toEqual([...TEST_OPERATORS, 'office'])
    }
    refused([leave('peer/ash', ['operator/birch'])], /nobody signed/)
    refused([leave('peer/ash', QUORUM.slice(1))], /nobody signed/)
    refused([leave('peer/ash', [])], /nobody signed/)
  })

  it('a departure of an operator removes its nodes, and its index one roster later', () => {
    const two = step(step(founding, { changes: [join('ash', 'ash2', [])] }))
    const next = step(two, { changes: [leave('operator/ash')] })
    expect(voters(next)).toEqual([...TEST_OPERATORS, 'office'])
    expect(next.roster.gone.map(wire.bytesToHex).sort()).toEqual(
      ['operator/ash', 'peer/ash', 'peer/ash2'].map(key).map(wire.bytesToHex).sort(),
    )
    expect(next.roster.admitted).toEqual([])
    const later = step(next)
    expect(voters(later)).toEqual([...TEST_OPERATORS.slice(1), 'office'])
    for (const [i, member] of later.roster.members.entries()) {
      expect(later.roster.operators[member.operator]!.name).toBe(TEST_OPERATORS[i + 1])
    }
    expect(later.roster.operators[later.roster.central.operator]!.name).toBe('office')
    refused([leave('operator/ash', ['peer/ash'])], /nobody signed/)
  })

  it('a departure of an operator without nodes removes its index at once', () => {
    const nodeless = step(step(founding, { changes: [leave('peer/ash')] }))
    const next = step(nodeless, { changes: [leave('operator/ash')] })
    expect(voters(next)).toEqual([...TEST_OPERATORS.slice(1), 'office'])
    expect(next.roster.members.map(({ operator }) => operator)).toEqual([0, 1, 2, 3])
  })

  it('a departure of a stranger, of a departed peer and of the authority is refused', () => {
    refused([leave('peer/gum')], /stranger/)
    const next = step(founding, { changes: [leave('peer/ash')] })
    refused([leave('peer/ash')], /stranger/, next)
    refused([leave('peer/ash', ['peer/ash']), expel('peer/ash')], /gone already/)
    refused([leave('peer/office')], /stranger/)
    for (const removal of [leave('operator/office'), expel('operator/office'), lied('operator/office')]) {
      refused([removal], /central peer stays/)
    }
  })

  it('a departure is refused when members of fewer than R operators would remain', () => {
    const two = [leave('peer/ash'), leave('peer/birch')]
    expect(() => step(founding, { changes: two })).not.toThrow()
    refused([...two, leave('peer/cedar')], /fewer than 3/)
    refused([expel('peer/cedar')], /fewer than 3/, step(founding, { changes: two }))
    // A second node of a listed operator does not help, and neither does an admitted node.
    refused([...two, join('elm', 'ash2', []), leave('peer/cedar')], /fewer than 3/)
    refused([...two, join('gum'), leave('peer/cedar')], /fewer than 3/)
  })

  it('an expulsion needs a quorum of operators that have not left', () => {
    expect(() => step(founding, { changes: [expel('operator/ash')] })).not.toThrow()
    refused([expel('peer/ash', QUORUM.slice(1))], /quorum/)
    refused([expel('peer/ash', [...QUORUM.slice(1), 'peer/ash', 'peer/birch'])], /quorum/)
    const next = step(founding, { changes: [expel('operator/ash')] })
    refused([expel('peer/birch', QUORUM)], /quorum/, next)
    expect(() =>
      step(next, { changes: [expel('peer/birch', operators('birch', 'cedar', 'elm', 'fir', 'office'))] }),
    ).not.toThrow()
  })

  it('a removal of a liar carries no signature, because the voters saw the evidence', () => {
    const next = step(founding, { changes: [lied('operator/ash')] })
    expect(next.roster.gone).toEqual([key('operator/ash'), key('peer/ash')])
    const signed = wire.signChange(wire.decodeChange(lied('peer/ash')), testSigner('operator/birch'))
    refused([wire.encodeChange(signed)], /proof that is signed/)
    refused([lied('peer/gum')], /stranger/)
  })
})

describe('a move', () => {
  const move = (role: string, addresses: string[], signers = [role]) =>
    change({ kind: 'move', at: AT, until: UNTIL, key: key(role), addresses }, signers)
  const there = ['/ip4/127.0.0.1/tcp/7', '/ip6/::1/tcp/7/ws']

  it('a move or a join names public addresses only, unless the roster has no public address', () => {
    const open = '/dns4/salt.example.org/tcp/443/tls/ws'
    const away = ['/ip4/203.0.113.7/tcp/4101', open]
    const local = ['/ip4/127.0.0.1/tcp/22', '/ip4/10.0.0.1/tcp/80', '/ip6/fd00::1/tcp/80', '/dns4/router/tcp/80']
    const joins = (address: string) =>
      change({ ...joining('gum'), addresses: [open, address] }, ['operator/gum', 'peer/gum', ...SPONSORS])
    // A federation on one machine may name what it likes, and goes public with the first public address.
    for (const address of local) expect(() => step(founding, { changes: [move('peer/ash', [address])] })).not.toThrow()
    const { roster } = step(founding, { changes: [move('peer/ash', away), joins(away[0]!)] })
    expect(roster.members[0]!.addresses).toEqual(away)
    const next = step(founding, { changes: [move('peer/ash', away)] })
    for (const address of local) {
      refused([move('peer/birch', [...away, address])], /public addresses in a move/, next)
      refused([joins(address)], /public addresses in a join/, next)
    }
    expect(() => step(next, { changes: [move('peer/birch', away), joins(away[0]!)] })).not.toThrow()
  })

  it('a move is signed by the peer itself: a member, an admitted peer or the central peer', () => {
    const admitted = step(founding, { changes: [join('gum')] })
    const changes = ['peer/ash', 'peer/gum', 'peer/office'].map((role) => move(role, there))
    const { roster } = step(admitted, { changes })
    expect(roster.members[0]).toEqual({ ...founding.roster.members[0], addresses: there, moved: AT })
    expect(roster.admitted[0]!.addresses).toEqual(there)
    expect(roster.central.addresses).toEqual(there)
    expect(admitted.roster.members[0]!.addresses).not.toEqual(there)
    refused([move('peer/ash', there, ['operator/ash'])], /its node/)
    refused([move('peer/hazel', there)], /stranger/)
    refused([move('operator/ash', there)], /stranger/)
  })

  const movedTo = (port: number, at: number, role = 'peer/ash') =>
    change({ kind: 'move', at, until: UNTIL, key: key(role), addresses: [`/ip4/127.0.0.1/tcp/${port}`] }, [role])

  it('a move that was made, and an older one, are refused afterwards', () => {
    const next = step(founding, { changes: [movedTo(8, AT)] })
    const later = step(step(next))
    for (const previous of [next, later]) {
      refused([movedTo(8, AT)], /overtook/, previous)
      refused([movedTo(7, AT - 1)], /overtook/, previous)
      refused([movedTo(9, AT)], /overtook/, previous)
      expect(step(previous, { changes: [movedTo(7, AT + 1)] }).roster.members[0]).toMatchObject({ moved: AT + 1 })
    }
    // The move of another node is independent.
    expect(() => step(later, { changes: [movedTo(7, 1, 'peer/birch')] })).not.toThrow()
  })

  it('two moves in one roster leave the later addresses, and a move from after the roster begins is refused', () => {
    const { roster } = step(founding, { changes: [movedTo(7, AT), movedTo(8, AT + 1)] })
    expect(roster.members[0]).toMatchObject({ addresses: ['/ip4/127.0.0.1/tcp/8'], moved: AT + 1 })
    const beginsMs = FIRST * wire.EPOCH_MS
    expect(() => step(founding, { changes: [movedTo(7, beginsMs)] })).not.toThrow()
    refused([movedTo(7, beginsMs + 1)], /after the roster begins/)
  })

  it('each node keeps its latest move, in whatever order moves are offered again', () => {
    const nodes = ['peer/ash', 'peer/birch', 'peer/office']
    const moves = nodes.flatMap((role) => [1, 2, 3, 4].map((at) => ({ role, at, bytes: movedTo(at, at, role) })))
    fc.assert(
      fc.property(fc.array(fc.shuffledSubarray(moves, { maxLength: 4 }), { minLength: 3, maxLength: 6 }), (rounds) => {
        const last = new Map(nodes.map((role) => [role, 0]))
        let roster = founding
        for (const offered of rounds) {
          for (const { role, at, bytes } of offered) {
            const isNew = at > last.get(role)!
            const peer = [...roster.roster.members, roster.roster.central].find(({ key: own }) =>
              wire.equalBytes(own, key(role)),
            )!
            expect(peer.moved).toBe(last.get(role))
            expect(wire.isSpent(roster.roster, wire.decodeChange(bytes).change)).toBe(!isNew)
            if (!isNew) {
              refused([bytes], /overtook/, roster)
              continue
            }
            roster = step(roster, { changes: [bytes] })
            last.set(role, at)
          }
        }
        for (const { key: own, addresses, moved } of [...roster.roster.members, roster.roster.central]) {
          if (moved > 0) expect(addresses).toEqual([`/ip4/127.0.0.1/tcp/${moved}`])
          const role = nodes.find((item) => wire.equalBytes(key(item), own))
          expect(moved).toBe(role === undefined ? 0 : last.get(role))
        }
      }),
      { numRuns: 30 },
    )
  })
})

describe('a rotation', () => {
  it('a rotation is signed by both keys, or by the new key and a quorum', () => {
    for (const signers of [
      ['operator/ash', 'operator/ash2'],
      ['operator/ash2', ...operators('birch', 'cedar', 'elm', 'fir', 'office')],
    ]) {
      const next = step(founding, { changes: [rotate('operator/ash', 'operator/ash2', signers)] })
      const { rank } = founding.roster.operators[0]!
      expect(next.roster.operators[0]).toEqual({ name: 'ash', key: key('operator/ash2'), rank })
      expect(next.roster.gone).toEqual([key('operator/ash')])
      expect(next.roster.members).toEqual(founding.roster.members)
      // From now on the new key signs for the operator and its nodes.
      expect(() => step(next, { changes: [leave('peer/ash', ['operator/ash2'])] })).not.toThrow()
      refused([leave('peer/ash', ['operator/ash'])], /nobody signed/, next)
    }
    refused([rotate('operator/ash', 'operator/ash2', ['operator/ash'])], /signatures/)
    refused([rotate('operator/ash', 'operator/ash2', ['operator/ash2'])], /signatures/)
    refused([rotate('operator/ash', 'operator/ash2', ['operator/ash2', ...QUORUM.slice(1)])], /signatures/)
  })

  it('the authority can rotate its key', () => {
    const next = step(founding, { changes: [rotate('operator/office', 'operator/office2')] })
    expect(next.roster.operators[next.roster.central.operator]!.key).toEqual(key('operator/office2'))
  })

  it('a rotation to a used or departed key, from a key of no operator, and to itself is refused', () => {
    refused([rotate('operator/ash', 'operator/birch')], /key in use/)
    refused([rotate('operator/ash', 'peer/birch')], /key in use/)
    refused([rotate('operator/ash', 'operator/ash')], /key in use/)
    refused([rotate('operator/gum', 'operator/ash2')], /no operator/)
    refused([rotate('peer/ash', 'operator/ash2')], /no operator/)
    const next = step(founding, { changes: [rotate('operator/ash', 'operator/ash2')] })
    refused([rotate('operator/ash2', 'operator/ash')], /key in use/, next)
  })

  it('a rotation cannot undo an expulsion, in the same roster or while the nodes are still listed', () => {
    refused([expel('operator/ash'), rotate('operator/ash', 'operator/ash2')], /gone/)
    const next = step(founding, { changes: [expel('operator/ash')] })
    refused([rotate('operator/ash', 'operator/ash2')], /gone/, next)
    refused([rotate('operator/ash', 'operator/ash2', ['operator/ash2', ...QUORUM])], /gone/, next)
  })
})

describe('an amendment', () => {
  const amend = (value: Partial<wire.Change & { kind: 'amend' }>, signers: readonly string[] = QUORUM) =>
    change(
      {
        kind: 'amend',
        at: AT,
        until: UNTIL,
        core: null,
        shards: null,
        replicas: null,
        evaluations: null,
        apps: null,
        ...value,
      },
      signers,
    )

  it('an amendment needs a quorum, changes the core at once, and shards and replicas one roster later', () => {
    const core = { simd: new Uint8Array(32).fill(1), scalar: new Uint8Array(32).fill(2) }
    const next = step(founding, { changes: [amend({ core, shards: 7, replicas: 4 })] })
    expect(next.roster).toMatchObject({ core, shards: 5, replicas: 3, plan: { shards: 7, replicas: 4 } })
    expect(step(next).roster).toMatchObject({ core, shards: 7, replicas: 4, plan: { shards: 7, replicas: 4 } })
    expect(step(founding, { changes: [amend({ shards: 7 })] }).roster.plan).toEqual({ shards: 7, replicas: 3 })
    refused([amend({ shards: 7 }, QUORUM.slice(1))], /quorum/)
  })

  it('an amendment of the evaluations for each shard and epoch is in force with the roster that carries it', () => {
    const next = step(founding, { changes: [amend({ evaluations: 2_000 })] })
    expect(founding.roster.evaluationsPerShardEpoch).toBe(1_000_000)
    expect([next, step(next)].map(({ roster }) => roster.evaluationsPerShardEpoch)).toEqual([2_000, 2_000])
  })

  it('under the salting threshold an amendment keeps the threshold within a majority of the replicas', () => {
    const manifest = testManifest({ shards: 2, replicas: 5, salting: 'threshold', threshold: 3 })
    const first = foundRoster(manifest, testTrees(manifest))
    const to = (replicas: number) => () =>
      nextTestRoster(first, {
        changes: [
          testChange(
            wire.manifestToId(manifest),
            { kind: 'amend', at: AT, until: UNTIL, core: null, shards: null, replicas, evaluations: null, apps: null },
            QUORUM,
          ),
        ],
      })
    expect(to(4)).not.toThrow()
    expect(to(3)).toThrow(/cannot share a shard with threshold 3/)
  })

  it('an amendment of the web apps replaces their origins at once, and keeps them when it names none', () => {
    const apps = ['https://app.example.org', 'https://other.example.org:8443']
    const next = step(founding, { changes: [amend({ apps })] })
    expect(founding.roster.apps).toEqual([])
    expect(next.roster.apps).toEqual(apps)
    expect(step(next, { changes: [amend({ at: AT + 1, shards: 7 })] }).roster.apps).toEqual(apps)
    expect(step(next, { changes: [amend({ at: AT + 1, apps: [] })] }).roster.apps).toEqual([])
    refused([amend({ apps }, QUORUM.slice(1))], /quorum/)
  })

  it('an amendment sets the spread at once, keeps it when it does not name it, and ends it with null', () => {
    const spread = { areas: [7, 9], resolution: 6, periodDays: 14, minimum: 100, epsilon: 1_000 }
    const next = step(founding, { changes: [amend({ spread })] })
    expect(founding.roster).not.toHaveProperty('spread')
    expect(next.roster.spread).toEqual(spread)
    expect(wire.decodeRoster(next.body)).toEqual(next.roster)
    const later = step(next, { changes: [amend({ at: AT + 1, shards: 7 })] })
    expect(later.roster.spread).toEqual(spread)
    const ended = step(later, { changes: [amend({ at: AT + 2, spread: null })] })
    expect(ended.roster).not.toHaveProperty('spread')
    refused([amend({ spread }, QUORUM.slice(1))], /quorum/)
    refused([amend({ spread: { ...spread, areas: [9, 7] } })], /ascending/)
    refused([amend({ spread: { ...spread, epsilon: 100, resolution: 8 } })], /dummies/)
  })

  it('an amendment sets the tokens at once, keeps them when it does not name them, and ends them with null', () => {
    const tokens = { perDay: 4, key: `8${'0'.repeat(510)}1`, relayKey: `8${'0'.repeat(510)}3` }
    const next = step(founding, { changes: [amend({ tokens })] })
    expect(founding.roster).not.toHaveProperty('tokens')
    expect(next.roster.tokens).toEqual(tokens)
    const later = step(next, { changes: [amend({ at: AT + 1, shards: 4 })] })
    expect(later.roster.tokens).toEqual(tokens)
    expect(step(later, { changes: [amend({ at: AT + 2, tokens: null })] }).roster).not.toHaveProperty('tokens')
    refused([amend({ tokens }, QUORUM.slice(1))], /quorum/)
  })

  it('an amendment sets the release at once, keeps it when it does not name it, and ends it with null', () => {
    const release = new Uint8Array(32).fill(7)
    const next = step(founding, { changes: [amend({ release })] })
    expect(founding.roster).not.toHaveProperty('release')
    expect(next.roster.release).toEqual(release)
    expect(wire.decodeRoster(next.body)).toEqual(next.roster)
    const later = step(next, { changes: [amend({ at: AT + 1, shards: 7 })] })
    expect(later.roster.release).toEqual(release)
    expect(step(later, { changes: [amend({ at: AT + 2, release: null })] }).roster).not.toHaveProperty('release')
    refused([amend({ release }, QUORUM.slice(1))], /quorum/)
    refused([amend({ release: release.slice(1) })], /32 bytes/)
  })

  it('an amendment that was made, and an older one, are refused afterwards', () => {
    const next = step(founding, { changes: [amend({ shards: 7 })] })
    expect(next.roster.amended).toBe(AT)
    for (const at of [AT, AT - 1]) refused([amend({ at, shards: 6 })], /overtook/, step(next))
    const again = step(next, { changes: [amend({ at: AT + 1, shards: 6 })] })
    expect(again.roster).toMatchObject({ amended: AT + 1, plan: { shards: 6, replicas: 3 } })
    refused([amend({ shards: 7 })], /overtook/, again)
    const both = [amend({ shards: 7 }), amend({ at: AT + 1, replicas: 4 })]
    expect(step(founding, { changes: both }).roster.plan).toEqual({ shards: 7, replicas: 4 })
    refused([amend({ at: FIRST * wire.EPOCH_MS + 1, shards: 7 })], /after the roster begins/)
  })

  it('an amendment to more replicas than operators is refused, and departures must leave the planned number', () => {
    expect(() => step(founding, { changes: [amend({ replicas: 5 })] })).not.toThrow()
    refused([amend({ replicas: 6 })], /fewer than 6/)
    refused([amend({ replicas: 5 }), leave('peer/ash')], /fewer than 5/)
    refused([leave('peer/ash')], /fewer than 5/, step(founding, { changes: [amend({ replicas: 5 })] }))
    expect(() =>
      step(founding, {
        changes: [amend({ replicas: 2 }), ...['ash', 'birch', 'cedar'].map((n) => leave(`peer/${n}`))],
      }),
    ).not.toThrow()
  })
})

describe('a change', () => {
  it('a change is spent once it is made, overtaken by a later change, or about a departed peer', () => {
    const isSpent = (encoded: Uint8Array, { roster }: wire.CertifiedRoster) =>
      wire.isSpent(roster, wire.decodeChange(encoded).change)
    const made = [
      join('gum'),
      leave('peer/ash'),
      expel('operator/elm'),
      lied('peer/birch'),
      rotate('operator/fir', 'operator/fir2'),
      change({ kind: 'move', at: AT, until: UNTIL, key: key('peer/cedar'), addresses: ['/ip4/127.0.0.1'] }, [
        'peer/cedar',
      ]),
      change(
        { kind: 'amend', at: AT, until: UNTIL, core: null, shards: null, replicas: 1, evaluations: null, apps: null },
        QUORUM,
      ),
    ]
    const next = step(founding, { changes: made })
    expect(next.roster.changes).toHaveLength(made.length)
    for (const encoded of made) {
      expect(isSpent(encoded, founding)).toBe(false)
      for (const later of [next, step(next), step(step(next))]) expect(isSpent(encoded, later)).toBe(true)
    }
    expect(isSpent(leave('peer/gum'), next)).toBe(false)
    expect(isSpent(join('hazel'), next)).toBe(false)
  })
})

describe('a proposal', () => {
  const manifest = testManifest({ shards: 2, periodEpochs: 2, reserveEpochs: 1 })
  const first = foundRoster(manifest, testTrees(manifest))
  const predecessor = wire.rosterToPredecessor(first)
  const next = nextTestRoster(first)
  const withBody = (roster: wire.Roster) =>
    wire.bodyToCertified(wire.encodeRoster(roster), next.sheetSignatures, next.votes)

  it('a proposal with one field that does not follow is refused', () => {
    expect(() => wire.assertProposal(predecessor, next)).not.toThrow()
    const { roster } = next
    const other = new Uint8Array(32).fill(9)
    const differing: Partial<Record<keyof wire.Roster, unknown>> = {
      federation: other,
      height: 2,
      previous: other,
      firstEpoch: roster.firstEpoch + 2,
      periodEpochs: 4,
      reserveEpochs: 2,
      shards: 1,
      replicas: 2,
      threshold: 2,
      salting: 'threshold',
      evaluationsPerShardEpoch: 2_000,
      operators: [...roster.operators].reverse(),
      members: roster.members.slice(1),
      central: { ...roster.central, addresses: [] },
      sheets: [...roster.sheets].reverse(),
      core: { ...roster.core, simd: other },
      apps: ['https://app.example.org'],
      plan: { shards: 3, replicas: 3 },
      amended: 1,
      newcomers: [roster.members[0]],
      admitted: [roster.central],
      gone: [other],
      changes: [Uint8Array.of(1)],
      commitments: testNonceCommitments(first),
      reveals: [new Uint8Array(32)],
    }
    const fixed = ['version']
    expect(Object.keys(differing).sort()).toEqual(
      Object.keys(roster)
        .filter((name) => !fixed.includes(name))
        .sort(),
    )
    for (const [name, value] of Object.entries(differing)) {
      expect(() => wire.assertProposal(predecessor, withBody({ ...roster, [name]: value })), name).toThrow(bad(/./))
    }
    for (const name of fixed) expect(() => withBody({ ...roster, [name]: 2 }), name).toThrow(bad(/./))
  })

  it('a proposal under threshold salting needs as many signatures under each sheet as replicas must answer', () => {
    const shared = testManifest({ salting: 'threshold', threshold: 2, replicas: 3, shards: 2 })
    const founded = foundRoster(shared, testTrees(shared))
    const follows = (sheetSigners: number) => () =>
      wire.assertProposal(wire.rosterToPredecessor(founded), nextTestRoster(founded, { sheetSigners }))
    expect(follows(1)).toThrow(bad(/1 of 2 signatures/))
    expect(follows(2)).not.toThrow()
  })

  it('a proposal needs the signature of a replica under each sheet, and none for a vacant shard', () => {
    expect(() => wire.assertProposal(predecessor, nextTestRoster(first, { sheetSigners: 1 }))).not.toThrow()
    expect(() => wire.assertProposal(predecessor, nextTestRoster(first, { sheetSigners: 0 }))).toThrow(
      bad(/0 of 1 signatures/),
    )
    const vacant = nextTestRoster(first, { vacant: [1] })
    expect(() => wire.assertProposal(predecessor, vacant)).not.toThrow()
    expect(vacant.roster.sheets.map((_, shard) => wire.isVacant(vacant.roster, shard))).toEqual([false, true])
    expect(wire.isVacant(vacant.roster, 2)).toBe(false)
    expect(vacant.roster.sheets[1]).toEqual(new Uint8Array(32))
    const [a, b] = next.sheetSignatures as [wire.SheetSignatures, wire.SheetSignatures]
    const signedBy = (...sheetSignatures: wire.SheetSignatures[]) => ({ ...next, sheetSignatures })
    expect(() => wire.assertProposal(predecessor, signedBy([], b))).toThrow(bad(/0 of 1/))
    expect(() => wire.assertProposal(predecessor, signedBy(b, a))).toThrow(bad(/stranger|fails/))
    expect(() => wire.assertProposal(predecessor, signedBy(a))).toThrow(bad(/sheets/))
    const replicas = wire.shardToReplicas(next.roster, 0)
    const outsider = next.roster.members.findIndex((member) => !replicas.includes(member))
    expect(() => wire.assertProposal(predecessor, signedBy([[outsider, a[0]![1]]], b))).toThrow(bad(/stranger/))
    expect(() => wire.assertProposal(predecessor, signedBy([[99, a[0]![1]]], b))).toThrow(bad(/stranger/))
    // Two signatures are a majority of three. More would make the certificate larger than allowed.
    const all = nextTestRoster(first, { sheetSigners: 3 })
    expect(() => wire.assertProposal(predecessor, all)).toThrow(bad(/more than 2 signatures/))
  })
})

describe('a certificate', () => {
  const manifest = testManifest({ shards: 1, periodEpochs: 1, reserveEpochs: 0 })
  const first = foundRoster(manifest, testTrees(manifest))
  const certify = (roster: wire.CertifiedRoster) => wire.assertCertified(wire.rosterToPredecessor(first), roster)
  const next = nextTestRoster(first)

  it('a certificate needs the votes of a quorum of the operators before, each counted once', () => {
    expect(() => certify(next)).not.toThrow()
    expect(() => certify(nextTestRoster(first, { voters: 5 }))).not.toThrow()
    expect(() => certify(nextTestRoster(first, { voters: 4 }))).toThrow(bad(/4 of the 5 votes/))
    const [vote] = next.votes as [wire.Vote]
    const ballot = { ...next.roster, hash: next.hash }
    const again = wire.signVote(testSigner('operator/ash'), 0, ballot)
    expect(() => certify({ ...next, votes: [vote, again, ...next.votes.slice(1, 4)] })).toThrow(bad(/4 of the 5/))
    expect(() => certify(nextTestRoster(first, { voters: 6 }))).toThrow(bad(/more than the 5/))
  })

  it('a certificate with a vote by a stranger or for another roster is refused', () => {
    const [vote, ...rest] = next.votes as [wire.Vote, ...wire.Vote[]]
    const withVote = (other: wire.Vote) => ({ ...next, votes: [...rest, other] })
    const ballot = { ...next.roster, hash: next.hash }
    expect(() => certify(withVote({ ...vote, operator: 6 }))).toThrow(bad(/stranger/))
    const gum = wire.signVote(testSigner('operator/gum'), 0, ballot)
    expect(() => certify(withVote(gum))).toThrow(bad(/bad signature/))
    expect(() => certify(withVote(first.votes[0]!))).toThrow(bad(/bad signature/))
    for (const wrong of [{ height: 2 }, { firstEpoch: 0 }, { hash: first.hash }]) {
      const astray = wire.signVote(testSigner('operator/ash'), 0, { ...ballot, ...wrong })
      expect(() => certify(withVote(astray))).toThrow(bad(/bad signature/))
    }
  })
})
