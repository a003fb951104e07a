import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { simulatedClock } from '@geotrace/core-wasm'
import {
  assertCertificate,
  bodyToCertified,
  type CertifiedRoster,
  encodeCertifiedRoster,
  encodeRoster,
  encodeRosterRequest,
  encodeTimeReply,
  isFederationError,
  isValidSignature,
  keyToShards,
  manifestToRoster,
  quorum,
  ROSTER_PROTOCOL,
  type SignedSheet,
  secretToSigner,
  sheetContent,
  sheetEpochs,
  signContent,
} from '@geotrace/core-wasm/wire'
import { afterEach, describe, expect, it } from 'vitest'
import { clockWatch, median } from '../../src/membership/clock-watch.ts'
import { fanOut } from '../../src/membership/fan-out.ts'
import { proposerSlot } from '../../src/membership/founding.ts'
import { nativeSigner } from '../../src/membership/native-signer.ts'
import { sheetPile } from '../../src/membership/proposal.ts'
import { fileRecords } from '../../src/membership/records.ts'
import { openRosterBook } from '../../src/membership/roster-book.ts'
import { createVoter } from '../../src/membership/voter.ts'
import { systemRandom } from '../../src/random.ts'
import { type Cast, cast, fetchRoster, isServing, Stage, startAll, until, untilLater } from '../salt/federation.ts'

const NOW = Date.UTC(2026, 5, 1, 12)
const stage = new Stage()
afterEach(() => stage.end())

async function code(task: Promise<unknown>): Promise<string> {
  return await task.then(
    () => 'OK',
    (error: unknown) => (isFederationError(error) ? error.code : String(error)),
  )
}

/** What each member signs when the roots are these. */
function signSheets({ manifest, secrets }: Cast, roots: Uint8Array[]): SignedSheet[][] {
  const roster = manifestToRoster(manifest)
  const { federation, firstEpoch } = roster
  return secrets.map((secret) => {
    const signer = nativeSigner(secret)
    return keyToShards(roster, signer.key).map((shard) => {
      const root = roots[shard]!
      const content = sheetContent({ federation, shard, firstEpoch, epochs: sheetEpochs(roster), root })
      return { shard, root, signature: signContent(signer, 'geotrace/sheet', content) }
    })
  })
}
function propose(players: Cast, roots: Uint8Array[]): CertifiedRoster {
  const pile = sheetPile(players.manifest)
  for (const [member, sheets] of signSheets(players, roots).entries()) pile.add(member, sheets)
  return pile.proposal()!
}
async function certify(players: Cast, proposal: CertifiedRoster): Promise<CertifiedRoster> {
  const votes = [...players.operatorSecrets, players.centralOperatorSecret].map((secret, operator) => ({
    operator,
    signature: signContent(nativeSigner(secret), 'geotrace/vote', proposal.hash),
  }))
  return { ...proposal, votes }
}
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

describe('the pile of sheets', () => {
  it('proposes once every shard has a majority, and the same body whoever signed', async () => {
    const players = await cast(5, NOW)
    const [sheets, roster] = [roots(), manifestToRoster(players.manifest)]
    const signed = signSheets(players, sheets)
    const [forward, backward] = [sheetPile(players.manifest), sheetPile(players.manifest)]
    const order = signed.map((_, i) => i)
    const fill = (pile: ReturnType<typeof sheetPile>, members: number[]): Uint8Array => {
      for (const member of members) {
        pile.add(member, signed[member]!)
        const proposal = pile.proposal()
        if (proposal !== undefined) return proposal.body
      }
      throw new Error('no proposal')
    }
    const bodies = [fill(forward, order), fill(backward, order.reverse())]
    expect(bodies[0]).toEqual(bodies[1])
    expect(bodies[0]).toEqual(encodeRoster({ ...roster, sheets }))
  })

  it('leaves out strangers, bad signatures and a replica that changes its mind', async () => {
    const players = await cast(5, NOW, { shards: 1 })
    const [good] = roots(1)
    const signed = signSheets(players, [good!])
    const other = signSheets(players, roots(1))
    const replicas = signed.map((sheets, i) => (sheets.length > 0 ? i : -1)).filter((i) => i >= 0)
    const stranger = signed.findIndex((sheets) => sheets.length === 0)
    expect(replicas).toHaveLength(3)
    const pile = sheetPile(players.manifest)
    pile.add(stranger, signed[replicas[0]!]!)
    pile.add(replicas[0]!, signed[replicas[1]!]!)
    pile.add(replicas[1]!, other[replicas[1]!]!)
    pile.add(replicas[1]!, signed[replicas[1]!]!)
    pile.add(replicas[2]!, signed[replicas[2]!]!)
    expect(pile.proposal()).toBeUndefined()
    pile.add(replicas[0]!, signed[replicas[0]!]!)
    expect(pile.proposal()?.roster.sheets).toEqual([good])
  })
})

describe('a voter', () => {
  it('gives one vote for a height, the same again after a restart, and none to another roster', async () => {
    const players = await cast(5, NOW)
    const dir = await stage.dir()
    const signer = nativeSigner(players.operatorSecrets[0]!)
    const [one, two] = [propose(players, roots()), propose(players, roots())]
    const voter = createVoter(players.manifest, signer, await fileRecords(dir))
    const [vote, again, refused] = await Promise.all([voter.vote(one), voter.vote(one), code(voter.vote(two))])
    expect(isValidSignature(signer.key, 'geotrace/vote', one.hash, vote.signature)).toBe(true)
    expect(again).toEqual(vote)
    expect(refused).toBe('FORBIDDEN')
    const restarted = createVoter(players.manifest, signer, await fileRecords(dir))
    expect(await code(restarted.vote(two))).toBe('FORBIDDEN')
    expect(await restarted.vote(one)).toEqual(vote)
  })

  it('does not vote for what does not follow from the manifest, or is not signed by a majority', async () => {
    const players = await cast(5, NOW)
    const voter = createVoter(
      players.manifest,
      nativeSigner(players.operatorSecrets[0]!),
      await fileRecords(await stage.dir()),
    )
    const good = propose(players, roots())
    const body = encodeRoster({ ...good.roster, replicas: 2 })
    expect(await code(voter.vote(bodyToCertified(body, good.sheetSignatures, [])))).toBe('ROSTER_INVALID')
    const thin = good.sheetSignatures.map((signatures) => signatures.slice(0, 1))
    expect(await code(voter.vote({ ...good, sheetSignatures: thin }))).toBe('ROSTER_INVALID')
    expect(await code(voter.vote(good))).toBe('OK')
  })
})

describe('the roster book', () => {
  it('takes in a certified roster once, keeps it on disk, and never another of its height', async () => {
    const players = await cast(5, NOW)
    const dir = await stage.dir()
    const book = await openRosterBook(players.manifest, await fileRecords(dir))
    const added: CertifiedRoster[] = []
    book.onAdd((certified) => added.push(certified))
    const one = await certify(players, propose(players, roots()))
    const two = await certify(players, propose(players, roots()))
    expect(await Promise.all([book.add(one), book.add(one), book.add(one)])).toEqual([true, false, false])
    expect(await code(book.add(two))).toBe('ROSTER_INVALID')
    expect(added).toEqual([one])
    const again = await openRosterBook(players.manifest, await fileRecords(dir))
    expect(again.newest()?.hash).toEqual(one.hash)
    expect(again.named(one.hash.slice(0, 8))?.hash).toEqual(one.hash)
    expect(again.named(two.hash.slice(0, 8))).toBeUndefined()
    const { firstEpoch } = one.roster
    expect(
      [firstEpoch - 1, firstEpoch, firstEpoch + 20, firstEpoch + 21].map((e) => again.inForce(e) !== undefined),
    ).toEqual([false, true, true, false])
  })

  it('refuses too few votes, a forged vote, and the roster of another manifest', async () => {
    const players = await cast(5, NOW)
    const book = await openRosterBook(players.manifest, await fileRecords(await stage.dir()))
    const good = await certify(players, propose(players, roots()))
    const need = quorum(6)
    expect(await code(book.add({ ...good, votes: good.votes.slice(0, need - 1) }))).toBe('ROSTER_INVALID')
    const twice = Array.from({ length: need }, () => good.votes[0]!)
    expect(await code(book.add({ ...good, votes: twice }))).toBe('ROSTER_INVALID')
    const forged = good.votes.map((vote, i) => (i === 0 ? { ...vote, signature: systemRandom(64) } : vote))
    expect(await code(book.add({ ...good, votes: forged }))).toBe('ROSTER_INVALID')
    const others = await cast(5, NOW)
    expect(await code(book.add(await certify(others, propose(others, roots()))))).toBe('ROSTER_INVALID')
    expect(book.newest()).toBeUndefined()
    expect(await book.add({ ...good, votes: good.votes.slice(0, need) })).toBe(true)
  })
})

describe('the founding', () => {
  it('gives every operator a slot of its own', async () => {
    const { manifest } = await cast(7, NOW)
    const slots = manifest.operators.map((_, operator) => proposerSlot(manifest, operator))
    expect([...slots].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  })

  it('serves rosters to everybody, and sheets, votes, certificates and the time to peers only', async () => {
    const clock = simulatedClock(NOW)
    const players = await cast(4, NOW)
    const central = await stage.central(players, clock)
    const [{ nodes }] = await Promise.all([startAll(stage, players, clock), central.start()])
    await until(() => nodes.every(isServing))
    const peer = { key: nodes[0]!.key, addresses: nodes[0]!.addresses() }
    const stranger = await stage.host(clock)
    const certified = await fetchRoster(stranger, peer)
    assertCertificate(certified, certified.roster.operators)
    await nodes[1]!.stop()
    const member = await stage.host(clock, players.secrets[1]!)
    const status = async (host: typeof member, request: Parameters<typeof encodeRosterRequest>[0]): Promise<number> =>
      (await host.request(peer, ROSTER_PROTOCOL, encodeRosterRequest(request)))[0]!
    const bytes = encodeCertifiedRoster(certified)
    const requests = [
      { op: 'sheets' },
      { op: 'vote', proposal: encodeCertifiedRoster({ ...certified, votes: [] }) },
      { op: 'certify', certified: bytes },
      { op: 'time' },
    ] as const
    for (const request of requests) {
      expect(await status(stranger, request), request.op).toBe(13)
      expect(await status(member, request), request.op).toBe(0)
    }
    expect(await status(member, { op: 'certify', certified: bytes.slice(0, -1) })).toBe(13)
    const other = await certify(players, propose(players, roots()))
    expect(await status(member, { op: 'certify', certified: encodeCertifiedRoster(other) })).toBe(13)
    expect(await status(member, { op: 'vote', proposal: encodeCertifiedRoster({ ...other, votes: [] }) })).toBe(13)
    expect(await member.request(peer, ROSTER_PROTOCOL, encodeRosterRequest({ op: 'time' }))).toEqual(
      encodeTimeReply(NOW),
    )
  })

  it('comes about without the operators that a quorum can do without, by the next proposer', async () => {
    const clock = simulatedClock(NOW)
    // Six operators and the central peer's: a quorum of 5 of 7, so two may be silent. The first two proposers are.
    const players = await cast(6, NOW)
    const voices = [...players.operatorSecrets, players.centralOperatorSecret]
    const silent = new Set(voices.map((_, i) => i).filter((i) => proposerSlot(players.manifest, i) < 2))
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
    expect(central.book.newest()).toBeUndefined()
    await untilLater(clock, () => central.book.newest() !== undefined && nodes.every(isServing))
    expect(
      central.book
        .newest()!
        .votes.map(({ operator }) => operator)
        .filter((operator) => silent.has(operator)),
    ).toEqual([])
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
    const watch = clockWatch(
      self,
      hosts.map((host) => ({ key: host.key, addresses: host.addresses() })),
      clock,
    )
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
