import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { simulatedClock } from '@geotrace/core-wasm'
import { foundRoster, nextTestRoster, testManifest, testTrees } from '@geotrace/core-wasm/testing'
import {
  assertCertified,
  assertManifest,
  type Ballot,
  bodyToCertified,
  type CertifiedRoster,
  decodeRosterReply,
  decodeRosterStep,
  encodeCertifiedRoster,
  encodeEvidence,
  encodeGossip,
  encodeRoster,
  encodeRosterRequest,
  encodeTimeReply,
  type GossipSheets,
  hashToRosterName,
  isFederationError,
  isValidVote,
  keyToShards,
  type Parameters as ManifestParameters,
  manifestToId,
  manifestToPredecessor,
  manifestToRoster,
  newChange,
  nonceToCommitment,
  quorum,
  ROSTER_PROTOCOL,
  rosterChain,
  SETTLED_MAX_BYTES,
  secretToSigner,
  settledBytes,
  sheetContent,
  sheetEpochs,
  signChange,
  signContent,
  signPresence,
  signVote,
} from '@geotrace/core-wasm/wire'
import { afterEach, describe, expect, it } from 'vitest'
import { proposerTurn } from '../../src/membership/agreement/council.ts'
import { sheetsToRoots } from '../../src/membership/agreement/proposal.ts'
import { createVoter } from '../../src/membership/agreement/voter.ts'
import { clockWatch, median, provenOffset } from '../../src/membership/clock-watch.ts'
import { createMembership } from '../../src/membership/membership.ts'
import { demoCard, newManifest } from '../../src/membership/new-manifest.ts'
import { openRosterStore } from '../../src/membership/roster-store.ts'
import { fanOut } from '../../src/platform/fan-out.ts'
import { fileRecords } from '../../src/platform/file-records.ts'
import { silent } from '../../src/platform/log.ts'
import { nativeSigner } from '../../src/platform/native-signer.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { type Cast, cast, fetchRoster, isServing, Stage, startAll, untilLater } from '../salt/federation.ts'

const NOW = Date.UTC(2026, 5, 1, 12)
const stage = new Stage()
afterEach(() => stage.end())

async function code(task: Promise<unknown>): Promise<string> {
  return await task.then(
    () => 'OK',
    (error: unknown) => (isFederationError(error) ? error.code : String(error)),
  )
}

/** What each member says that it signed when the roots are these. */
function signSheets({ manifest, secrets }: Cast, roots: Uint8Array[]): GossipSheets[] {
  const roster = manifestToRoster(manifest)
  const { federation, firstEpoch } = roster
  return secrets.map((secret) => {
    const signer = nativeSigner(secret)
    const sheets = keyToShards(roster, signer.key).map((shard) => {
      const root = roots[shard]!
      const content = sheetContent({ federation, shard, firstEpoch, epochs: sheetEpochs(roster), root })
      return { shard, root, signature: signContent(signer, 'geotrace/sheet', content) }
    })
    return { kind: 'sheets' as const, key: signer.key, firstEpoch, sheets }
  })
}
function propose(players: Cast, roots: Uint8Array[]): CertifiedRoster {
  const roster = manifestToRoster(players.manifest)
  const { sheets, sheetSignatures } = sheetsToRoots(roster, signSheets(players, roots))!
  return bodyToCertified(encodeRoster({ ...roster, sheets }), sheetSignatures, [])
}
function certify(players: Cast, proposal: CertifiedRoster): CertifiedRoster {
  const votes = [...players.operatorSecrets, players.centralOperatorSecret].map((secret, operator) =>
    signVote(nativeSigner(secret), operator, ballotOf(proposal), systemRandom(32)),
  )
  return { ...proposal, votes: votes.slice(0, quorum(votes.length)) }
}
const ballotOf = ({ roster, hash }: CertifiedRoster): Ballot => ({ ...roster, hash })
const roots = (count = 3): Uint8Array[] => Array.from({ length: count }, () => systemRandom(32))

describe('the native signer', () => {
  it('signs byte for byte as the portable one', () => {
    const secret = systemRandom(32)
    const [native, portable] = [nativeSigner(secret), secretToSigner(secret)]
    expect(native.key).toEqual(portable.key)
    for (const length of [0, 1, 1000]) {
      const message = systemRandom(length)
      expect(native.sign(message)).toEqual(portable.sign(message))
    }
    expect(native.sign(Uint8Array.of(1))).not.toEqual(native.sign(Uint8Array.of(2)))
  })
})

describe('records', () => {
  it('come back as written, are for the owner only, and are refused when one bit changed', async () => {
    const dir = join(await stage.dir(), 'records')
    const records = await fileRecords(dir)
    expect(await records.get('a')).toBeUndefined()
    await Promise.all([1, 2, 3].map((byte) => records.put('a', Uint8Array.of(byte))))
    expect(await (await fileRecords(dir)).get('a')).toEqual(Uint8Array.of(3))
    expect((await stat(join(dir, 'a'))).mode & 0o777).toBe(0o600)
    expect((await stat(dir)).mode & 0o777).toBe(0o700)
    // Reading and writing in one: of ten that add a byte none is lost.
    const add = (byte: number) => records.update('list', (list) => Uint8Array.from([...(list ?? []), byte]))
    await Promise.all(Array.from({ length: 10 }, (_, i) => add(i)))
    expect(await records.get('list')).toHaveLength(10)
    const bytes = await readFile(join(dir, 'a'))
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes)
      changed[bit >> 3]! ^= 1 << (bit & 7)
      await writeFile(join(dir, 'a'), changed)
      expect(await code(records.get('a'))).toBe('STORAGE_CORRUPT')
    }
    await writeFile(join(dir, 'a'), bytes.subarray(0, 2))
    expect(await code(records.get('a'))).toBe('STORAGE_CORRUPT')
  })
})

describe('the sheets of a proposal', () => {
  it('are there once every shard has a majority, and the same whoever signed', async () => {
    const players = await cast(5, NOW)
    const [sheets, roster] = [roots(), manifestToRoster(players.manifest)]
    const told = signSheets(players, sheets)
    const fill = (order: GossipSheets[]): Uint8Array[] => {
      for (let count = 0; count <= order.length; count++) {
        const known = order.slice(0, count)
        const found = sheetsToRoots(roster, known)
        const isEnough = sheets.every((_, shard) => signersOf(known, shard) >= 2)
        expect(found !== undefined).toBe(isEnough)
        if (found !== undefined) return found.sheets
      }
      throw new Error('no sheets')
    }
    const signersOf = (known: GossipSheets[], shard: number): number =>
      known.filter((item) => item.sheets.some((sheet) => sheet.shard === shard)).length
    expect(fill(told)).toEqual(sheets)
    expect(fill([...told].reverse())).toEqual(sheets)
  })

  it('count no stranger to the shard, and nobody who signed another root', async () => {
    const players = await cast(5, NOW, { shards: 1 })
    const roster = manifestToRoster(players.manifest)
    const [good] = roots(1)
    const told = signSheets(players, [good!])
    const others = signSheets(players, roots(1))
    const replicas = told.flatMap(({ sheets }, i) => (sheets.length > 0 ? [i] : []))
    const [first, second, third] = replicas as [number, number, number]
    const stranger = told.findIndex(({ sheets }) => sheets.length === 0)
    const foreign = { ...told[stranger]!, sheets: told[first]!.sheets }
    expect(replicas).toHaveLength(3)
    expect(sheetsToRoots(roster, [foreign, told[first]!, others[second]!])).toBeUndefined()
    const found = sheetsToRoots(roster, [foreign, told[first]!, others[second]!, told[third]!])!
    expect(found.sheets).toEqual([good])
    expect(found.sheetSignatures[0]!.map(([member]) => member).sort()).toEqual([first, third].sort())
  })
})

describe('a voter', () => {
  const voterOf = async (secret: Uint8Array, dir: string) =>
    createVoter(nativeSigner(secret), secret, await fileRecords(dir))

  it('gives one vote for a period, the same again after a restart, and none to another roster', async () => {
    const players = await cast(5, NOW)
    const [dir, secret] = [await stage.dir(), players.operatorSecrets[0]!]
    const before = manifestToPredecessor(players.manifest)
    const [one, two] = [ballotOf(propose(players, roots())), ballotOf(propose(players, roots()))]
    const voter = await voterOf(secret, dir)
    const [vote, again, refused] = await Promise.all([
      voter.vote(before, one),
      voter.vote(before, one),
      code(voter.vote(before, two)),
    ])
    expect(isValidVote(one, voter.signer.key, vote)).toBe(true)
    expect(isValidVote(two, voter.signer.key, vote)).toBe(false)
    expect(again).toEqual(vote)
    expect(refused).toBe('FORBIDDEN')
    const restarted = await voterOf(secret, dir)
    expect(await code(restarted.vote(before, two))).toBe('FORBIDDEN')
    // Also when it comes as the roster of another height.
    expect(await code(restarted.vote(before, { ...two, height: 1 }))).toBe('FORBIDDEN')
    expect(await restarted.vote(before, one)).toEqual(vote)
    expect(await code(restarted.vote(before, { ...two, firstEpoch: two.firstEpoch + 18 }))).toBe('OK')
  })

  it('opens the nonce that its vote committed to, and none for a roster it did not vote for', async () => {
    const players = await cast(5, NOW)
    const [dir, secret] = [await stage.dir(), players.operatorSecrets[2]!]
    const before = manifestToPredecessor(players.manifest)
    const [one, two] = [ballotOf(propose(players, roots())), ballotOf(propose(players, roots()))]
    const voter = await voterOf(secret, dir)
    expect(await voter.reveal(one, before.operators)).toBeUndefined()
    const vote = await voter.vote(before, one)
    const restarted = await voterOf(secret, dir)
    const opened = (await restarted.reveal(one, before.operators))!
    expect(nonceToCommitment(opened.nonce)).toEqual(vote.commitment)
    expect(opened).toMatchObject({ operator: 2, signature: vote.signature })
    expect(await restarted.reveal(two, before.operators)).toBeUndefined()
    expect(await restarted.reveal(one, before.operators.slice(0, 2))).toBeUndefined()
  })

  it('has no vote where its operator is unknown', async () => {
    const players = await cast(5, NOW)
    const voter = await voterOf(systemRandom(32), await stage.dir())
    const before = manifestToPredecessor(players.manifest)
    expect(voter.operator(before)).toBeUndefined()
    expect(await code(voter.vote(before, ballotOf(propose(players, roots()))))).toBe('FORBIDDEN')
  })
})

describe('the roster rosters', () => {
  it('takes in a certified roster once, keeps it on disk, and never another of its height', async () => {
    const players = await cast(5, NOW)
    const dir = await stage.dir()
    const rosters = await openRosterStore(players.manifest, await fileRecords(dir))
    const added: CertifiedRoster[] = []
    rosters.onAdd((certified) => added.push(certified))
    const one = certify(players, propose(players, roots()))
    const two = certify(players, propose(players, roots()))
    expect(await Promise.all([rosters.add(one), rosters.add(one), rosters.add(one)])).toEqual([true, false, false])
    expect(added).toEqual([one])
    expect(rosters.isForked).toBe(false)
    // Both are certified, so nobody can say which is right: the first stays, and all stops, also after a restart.
    expect(await code(rosters.add(two))).toBe('ROSTER_FORKED')
    const again = await openRosterStore(players.manifest, await fileRecords(dir))
    for (const item of [rosters, again]) expect(item.isForked).toBe(true)
    expect(await again.add(two)).toBe(false)
    expect(added).toEqual([one])
    expect(again.newest?.hash).toEqual(one.hash)
    expect(again.named(one.hash.slice(0, 8))?.hash).toEqual(one.hash)
    expect(again.named(two.hash.slice(0, 8))).toBeUndefined()
    const { firstEpoch } = one.roster
    expect(
      [firstEpoch - 1, firstEpoch, firstEpoch + 20, firstEpoch + 21].map((e) => again.inForce(e) !== undefined),
    ).toEqual([false, true, true, false])
  })

  it('goes by the later of two that follow the same, from the disk too, and no longer by what followed the other', async () => {
    const manifest = testManifest({ shards: 1, periodEpochs: 2, reserveEpochs: 1 })
    const first = foundRoster(manifest, testTrees(manifest))
    const one = nextTestRoster(first)
    const { firstEpoch } = one.roster
    const two = nextTestRoster(first, { firstEpoch: firstEpoch + 2 })
    const afterOne = nextTestRoster(one, { firstEpoch: firstEpoch + 4 })
    const afterTwo = nextTestRoster(two, { firstEpoch: firstEpoch + 6 })
    const records = await fileRecords(await stage.dir())
    const rosters = await openRosterStore(manifest, records)
    const added: CertifiedRoster[] = []
    rosters.onAdd((certified) => added.push(certified))
    for (const roster of [first, one, afterOne]) expect(await rosters.add(roster)).toBe(true)
    expect(await rosters.add(two)).toBe(false)
    expect(await rosters.add(afterTwo)).toBe(true)
    expect(added).toEqual([first, one, afterOne, two, afterTwo])
    expect(rosters.all).toEqual([first, two, afterTwo])
    expect((await openRosterStore(manifest, records)).all.map(({ hash }) => hash)).toEqual(
      rosters.all.map(({ hash }) => hash),
    )
    // A crash after the first of two writes leaves what followed the other above it.
    const rest = await fileRecords(await stage.dir())
    for (const [height, roster] of [first, two, afterOne].entries()) {
      await rest.put(`roster-${height}`, encodeCertifiedRoster(roster))
    }
    const opened = await openRosterStore(manifest, rest)
    expect(opened.all.map(({ hash }) => hash)).toEqual([first.hash, two.hash])
    expect(await opened.add(afterTwo)).toBe(true)
  })

  it('acts on a roster only when the disk has it, and takes it when it is offered again', async () => {
    const players = await cast(5, NOW)
    const records = await fileRecords(await stage.dir())
    let isFull = true
    const put: typeof records.put = async (...entry) => {
      if (isFull) throw new Error('no space left on device')
      await records.put(...entry)
    }
    const rosters = await openRosterStore(players.manifest, { ...records, put })
    const added: CertifiedRoster[] = []
    rosters.onAdd((certified) => added.push(certified))
    const one = certify(players, propose(players, roots()))
    await expect(rosters.add(one)).rejects.toThrow('no space left')
    expect([rosters.newest, rosters.all.length, added.length]).toEqual([undefined, 0, 0])
    isFull = false
    expect(await rosters.add(one)).toBe(true)
    expect(added).toEqual([one])
  })

  it('refuses too few votes, a forged vote, and the roster of another manifest', async () => {
    const players = await cast(5, NOW)
    const rosters = await openRosterStore(players.manifest, await fileRecords(await stage.dir()))
    const good = certify(players, propose(players, roots()))
    const need = quorum(6)
    expect(await code(rosters.add({ ...good, votes: good.votes.slice(0, need - 1) }))).toBe('ROSTER_INVALID')
    const twice = Array.from({ length: need }, () => good.votes[0]!)
    expect(await code(rosters.add({ ...good, votes: twice }))).toBe('ROSTER_INVALID')
    const forged = good.votes.map((vote, i) => (i === 0 ? { ...vote, signature: systemRandom(64) } : vote))
    expect(await code(rosters.add({ ...good, votes: forged }))).toBe('ROSTER_INVALID')
    const others = await cast(5, NOW)
    expect(await code(rosters.add(certify(others, propose(others, roots()))))).toBe('ROSTER_INVALID')
    expect(rosters.newest).toBeUndefined()
    expect(await rosters.add({ ...good, votes: good.votes.slice(0, need) })).toBe(true)
  })
})

describe('a federation without room', () => {
  it('is not founded from cards', () => {
    const cards = ['ash', 'birch', 'cedar', 'elm', 'fir', 'office'].map((name, i) =>
      demoCard('a phrase for tests', name, [`/ip4/127.0.0.1/tcp/${4100 + i}`]),
    )
    const found = (parameters: Partial<ManifestParameters>) =>
      newManifest({
        ...{ name: 'test', members: cards.slice(0, 5), central: cards.at(-1)!, parameters },
        ...{ demo: { phrase: 'a phrase for tests' }, at: NOW, random: systemRandom },
      })
    expect(found({ shards: 900, replicas: 5 }).parameters.shards).toBe(900)
    for (const parameters of [{ shards: 4_096 }, { shards: 1_024, replicas: 5 }]) {
      expect(() => found(parameters)).toThrow(
        expect.objectContaining({
          code: 'MANIFEST_INVALID',
          data: { path: 'parameters.shards', reason: expect.stringContaining('choose fewer shards or replicas') },
        }),
      )
    }
  })

  it('refuses a node that would join when the change is handed in, and says what to do', async () => {
    const clock = simulatedClock(NOW)
    const players = await cast(5, NOW, { replicas: 1 })
    const isFull = (shards: number): boolean => {
      const parameters = { ...players.manifest.parameters, shards }
      return settledBytes(manifestToRoster({ ...players.manifest, parameters })) > SETTLED_MAX_BYTES
    }
    let shards = 1_000
    while (!isFull(shards + 1)) shards++
    // Whoever founds it may, and not with one shard more.
    const found = (count: number) =>
      assertManifest({ ...players.manifest, parameters: { ...players.manifest.parameters, shards: count } })
    expect(() => found(shards + 1)).toThrow(expect.objectContaining({ code: 'MANIFEST_INVALID' }))
    const manifest = found(shards)
    const records = await fileRecords(await stage.dir())
    const roster = { ...manifestToRoster(manifest), sheets: roots(shards) }
    await records.put('roster-0', encodeCertifiedRoster(bodyToCertified(encodeRoster(roster), [], [])))
    const host = await stage.host(clock, players.centralSecret)
    const membership = await createMembership({
      ...{ manifest, host, records, clock, random: systemRandom, log: silent },
      ...{ signer: nativeSigner(players.centralSecret), addresses: () => [] },
    })
    const [joiner, operator] = [nativeSigner(systemRandom(32)), nativeSigner(systemRandom(32))]
    const sponsors = players.operatorSecrets.slice(0, 3).map(nativeSigner)
    const join = newChange(manifestToId(manifest), {
      ...{ kind: 'join', until: roster.firstEpoch + 99, operator: 'newcomer', operatorKey: operator.key },
      ...{ key: joiner.key, addresses: ['/ip4/127.0.0.1/tcp/1'] },
    })
    const change = [joiner, operator, ...sponsors].reduce(signChange, join)
    expect(() => membership.submit(change)).toThrow(
      expect.objectContaining({ code: 'CHANGE_INVALID', message: expect.stringContaining('the federation is full') }),
    )
    expect(membership.pool.changes()).toEqual([])
    const leave = newChange(manifestToId(manifest), {
      ...{ kind: 'leave', until: roster.firstEpoch + 99, key: roster.members[0]!.key },
    })
    membership.submit(signChange(leave, nativeSigner(players.operatorSecrets[0]!)))
    expect(membership.pool.changes()).toHaveLength(1)
  })
})

describe('the founding', () => {
  it('gives every operator a turn of its own', async () => {
    const before = manifestToPredecessor((await cast(7, NOW)).manifest)
    const turns = before.operators.map((_, operator) => proposerTurn(before, operator))
    expect([...turns].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  })

  it('serves rosters, the time and proofs to everybody; bodies, the pool and other messages to peers only', async () => {
    const clock = simulatedClock(NOW)
    const players = await cast(4, NOW)
    const central = await stage.central(players, clock)
    const [{ nodes }] = await Promise.all([startAll(stage, players, clock), central.start()])
    await untilLater(clock, () => nodes.every(isServing))
    const peer = { key: nodes[0]!.key, addresses: nodes[0]!.addresses() }
    const stranger = await stage.host(clock)
    const certified = await fetchRoster(stranger, peer)
    assertCertified(manifestToPredecessor(players.manifest), certified)
    await nodes[1]!.stop()
    const member = await stage.host(clock, players.secrets[1]!)
    const status = async (host: typeof member, request: Parameters<typeof encodeRosterRequest>[0]): Promise<number> =>
      (await host.request(peer, ROSTER_PROTOCOL, encodeRosterRequest(request)))[0]!
    const self = nativeSigner(players.secrets[1]!)
    const here = { time: clock.now() + 1, height: 0, roster: hashToRosterName(certified.hash), addresses: [] }
    const presence = encodeGossip(signPresence(self, here))
    for (const request of [
      { op: 'body', hash: certified.hash },
      { op: 'pool' },
      { op: 'submit', message: presence },
    ] as const) {
      expect(await status(stranger, request), request.op).toBe(13)
      expect(await status(member, request), request.op).toBe(0)
    }
    for (const request of [{ op: 'get', height: 0 }, { op: 'step', height: 0 }, { op: 'time' }] as const) {
      expect(await status(stranger, request), request.op).toBe(0)
    }
    // As a device hears of it, and of one that there is not.
    const ask = async (height: number): Promise<Uint8Array | undefined> =>
      decodeRosterReply(await stranger.request(peer, ROSTER_PROTOCOL, encodeRosterRequest({ op: 'step', height })))
    const chain = rosterChain(players.manifest)
    expect(chain.checkStep(decodeRosterStep((await ask(0))!))).toMatchObject([
      { hash: certified.hash, body: certified.body, sheetSignatures: [] },
    ])
    expect(await ask(1)).toBeUndefined()
    // Old news is refused, and so is what a signature does not cover.
    expect(await status(member, { op: 'submit', message: presence })).toBe(13)
    expect(await status(member, { op: 'submit', message: presence.slice(0, -1) })).not.toBe(0)
    // Whoever finds a proof may bring it: here that an operator voted twice.
    const liar = nativeSigner(players.operatorSecrets[2]!)
    const ballots = roots(2).map((hash) => ({ height: 1, firstEpoch: certified.roster.firstEpoch + 18, hash }))
    const { federation } = certified.roster
    const [first, second] = ballots.map((ballot) => ({
      ...ballot,
      ...signVote(liar, 2, { federation, ...ballot }, systemRandom(32)),
    }))
    const strip = ({ height, firstEpoch, hash, commitment, signature }: NonNullable<typeof first>) => ({
      ...{ height, firstEpoch, hash, commitment, signature },
    })
    const proof = { kind: 'votes' as const, key: liar.key, federation, first: strip(first!), second: strip(second!) }
    const bring = (evidence: typeof proof) =>
      status(stranger, {
        op: 'submit',
        message: encodeGossip({ kind: 'evidence', evidence: encodeEvidence(evidence) }),
      })
    expect(await bring({ ...proof, second: proof.first })).toBe(13)
    expect(central.pool.isConvicted(liar.key)).toBe(false)
    expect(await bring(proof)).toBe(0)
    await untilLater(clock, () => central.pool.isConvicted(liar.key))
    expect(await stranger.request(peer, ROSTER_PROTOCOL, encodeRosterRequest({ op: 'time' }))).toEqual(
      encodeTimeReply(clock.now()),
    )
  })

  it('comes about without the operators that a quorum can do without, by the next proposer', async () => {
    const clock = simulatedClock(NOW)
    // Six operators and the central peer's: a quorum of 5 of 7, so two may be silent. The first two proposers are.
    const players = await cast(6, NOW)
    const voices = [...players.operatorSecrets, players.centralOperatorSecret]
    const before = manifestToPredecessor(players.manifest)
    const silent = new Set(voices.map((_, i) => i).filter((i) => proposerTurn(before, i) < 2))
    const central = await stage.central(players, clock, !silent.has(6))
    const dirs = await Promise.all(players.secrets.map(() => stage.dir()))
    const nodes = players.secrets.map((secret, i) =>
      stage.node({
        manifest: players.manifest,
        secret,
        dir: dirs[i]!,
        clock,
        ...(silent.has(i) ? {} : { operatorSecret: players.operatorSecrets[i]! }),
      }),
    )
    await Promise.all([central.start(), ...nodes.map((node) => node.start())])
    expect(central.rosters.newest).toBeUndefined()
    await untilLater(clock, () => central.rosters.newest !== undefined && nodes.every(isServing))
    const voted = central.rosters.newest!.votes.map(({ operator }) => operator)
    expect(voted.length).toBeGreaterThanOrEqual(quorum(7))
    expect(voted.filter((operator) => silent.has(operator))).toEqual([])
  })
})

describe('the clock watch', () => {
  it('takes the middle one, and of two the one nearer zero', () => {
    expect(median([0])).toBe(0)
    expect(median([0, 60])).toBe(0)
    expect(median([0, -60])).toBe(0)
    expect(median([0, 60, 61])).toBe(60)
    expect(median([0, 60, -60, 70, 80])).toBe(60)
    expect(median([0, -5, -60, -70])).toBe(-5)
  })

  it('counts only what is certain: a way there and back as long as a minute is no wrong clock', () => {
    expect(provenOffset(1_000, 1_000, 1_000)).toBe(0)
    for (const theirs of [1_000, 31_000, 61_000]) expect(provenOffset(1_000, theirs, 61_000)).toBe(0)
    expect(provenOffset(1_000, 999, 61_000)).toBe(1)
    expect(provenOffset(1_000, 61_001, 61_000)).toBe(-1)
  })

  it('refuses to serve beyond thirty seconds off the median of its peers, and serves again after', async () => {
    const clock = simulatedClock(NOW)
    const hosts = await Promise.all(
      Array.from({ length: 3 }, () => stage.host(clock, systemRandom(32), ['/ip4/127.0.0.1/tcp/0'])),
    )
    let offset = 0
    for (const [i, host] of hosts.entries()) {
      await host.serve(ROSTER_PROTOCOL, async () => encodeTimeReply(clock.now() + (i === 0 ? 3_600_000 : offset)))
    }
    const self = await stage.host(clock)
    const watch = clockWatch(self, () => hosts.map((host) => ({ key: host.key, addresses: host.addresses() })), clock)
    for (const [theirs, ours, isTrue] of [
      [0, 0, true],
      [30_000, -30_000, true],
      [30_001, -30_001, false],
      [-30_001, 0, true],
      [10_000, -10_000, true],
    ] as const) {
      offset = theirs
      await watch.check()
      expect(watch.offsetMs).toBe(ours)
      if (isTrue) watch.assertTrue()
      else expect(() => watch.assertTrue()).toThrow(/clock/)
    }
  })
})

describe('asking many', () => {
  it('asks each once, some at a time, and stops when it has enough', async () => {
    let [running, most, asked] = [0, 0, 0]
    const items = Array.from({ length: 50 }, (_, i) => i)
    const ask = async (): Promise<void> => {
      asked++
      most = Math.max(most, ++running)
      await Promise.resolve()
      running--
      throw new Error('an answer that never came')
    }
    await fanOut(items, ask)
    expect([asked, most]).toEqual([50, 16])
    asked = 0
    await fanOut(items, ask, () => asked >= 20)
    expect(asked).toBeGreaterThanOrEqual(20)
    expect(asked).toBeLessThan(50)
    await fanOut([], ask)
  })
})
