import { describe, expect, it } from 'vitest'
import { foundRoster, nextTestRoster, rosterTrees, testManifest, testTrees } from '../../../src/testing/founding.ts'
import * as wire from '../../../src/wire/index.ts'
import { bad } from './steps.ts'

const manifest = testManifest({ shards: 1, periodEpochs: 2, reserveEpochs: 1 })
const first = foundRoster(manifest, testTrees(manifest))
/** The same manifest with other sheets. */
const otherFounding = foundRoster(manifest, rosterTrees({ ...first.roster, firstEpoch: first.roster.firstEpoch + 9 }))
const second = nextTestRoster(first)
const third = nextTestRoster(second)
const fourth = nextTestRoster(third)
/** For the same period as `second`. */
const twin = nextTestRoster(first, { vacant: [0] })
/** Follows `first`, for the period after that of `second`. */
const rival = nextTestRoster(first, { firstEpoch: third.roster.firstEpoch + 2 })
const afterRival = nextTestRoster(rival)
const forkedAt = (height: number) => expect.objectContaining({ code: 'ROSTER_FORKED', data: { height } })
const withVotes = (certified: wire.CertifiedRoster, count: number) => ({
  ...certified,
  votes: certified.votes.slice(0, count),
})

interface Disk {
  rosters: Map<number, Uint8Array>
  fork: Uint8Array | undefined
}
const emptyDisk = (): Disk => ({ rosters: new Map(), fork: undefined })

/** Runs one task after the other. */
function queue(): wire.RosterFollowerInit<unknown>['turn'] {
  let last: Promise<unknown> = Promise.resolve()
  return (task) => {
    const result = last.then(task)
    last = result.catch(() => {})
    return result
  }
}

function follower<T>(form: wire.RosterForm<T>, disk = emptyDisk(), put?: wire.RosterRecords['put']) {
  const taken: wire.CertifiedRoster[] = []
  const records: wire.RosterRecords = {
    first: async () => Math.min(...disk.rosters.keys(), disk.rosters.size),
    get: async (height) => disk.rosters.get(height),
    put:
      put ??
      (async (kept) => {
        for (const { height, bytes } of kept) disk.rosters.set(height, bytes)
      }),
    getFork: async () => disk.fork,
    async putFork(encoded) {
      disk.fork = encoded
    },
  }
  const overtaken: wire.CertifiedRoster[] = []
  const onTake = (path: readonly wire.CertifiedRoster[]) => void taken.push(...path)
  const onOvertaken = (certified: wire.CertifiedRoster) => void overtaken.push(certified)
  const chain = wire.rosterChain(manifest)
  const subject = new wire.RosterFollower({ chain, form, records, turn: queue(), onTake, onOvertaken })
  const hashes = () => subject.chain.recent.map(({ hash }) => hash)
  return { subject, disk, taken, overtaken, hashes }
}

/** A peer in memory that hands out these rosters; `asked` lists the heights that it was asked for. */
function peer(encode: (certified: wire.CertifiedRoster) => Uint8Array, rosters: readonly wire.CertifiedRoster[]) {
  const asked: number[] = []
  const fetch: wire.FetchRoster = async (height) => {
    asked.push(height)
    const known = rosters[height]
    return known && encode(known)
  }
  return { asked, fetch }
}
const asCertificate = (certified: wire.CertifiedRoster) => wire.encodeCertifiedRoster(certified)
const asStep = (certified: wire.CertifiedRoster) => wire.encodeRosterStep(wire.certifiedToStep(certified))
const hashesOf = (...rosters: wire.CertifiedRoster[]) => rosters.map(({ hash }) => hash)

/** Each test runs for both forms. */
const FORMS: readonly [string, wire.RosterForm<never>, typeof asStep][] = [
  ['certificates', wire.CERTIFICATE_FORM as wire.RosterForm<never>, asCertificate],
  ['steps', wire.STEP_FORM as wire.RosterForm<never>, asStep],
]

describe.each(FORMS)('a roster follower over %s', (_name, form, encode) => {
  it('takes every roster of a peer in order and keeps each one before it takes the next', async () => {
    const { subject, disk, taken, hashes } = follower(form)
    const { fetch, asked } = peer(encode, [first, second, third])
    await subject.follow(fetch)
    expect(hashes()).toEqual(hashesOf(first, second, third))
    expect(asked).toEqual([0, 1, 2, 3])
    expect([...disk.rosters.keys()]).toEqual([0, 1, 2])
    expect(taken.map(({ hash }) => hash)).toEqual(hashes())
    expect(disk.fork).toBeUndefined()
  })

  it('fetches an overtaken roster by its name, with the unknown rosters before it', async () => {
    const { subject, disk, overtaken, hashes } = follower(form)
    await subject.follow(peer(encode, [first, rival, afterRival]).fetch)
    const second2 = nextTestRoster(second)
    const named: string[] = []
    const fetch: wire.FetchNamed = async (name) => {
      const found = [second, second2].find(({ hash }) => wire.equalBytes(name, wire.hashToRosterName(hash)))
      named.push(wire.bytesToHex(name))
      return found && encode(found)
    }
    // `second2` has the period of no roster of the other branch.
    expect(await subject.fetchNamed(fetch, wire.hashToRosterName(second2.hash))).toBe(true)
    expect(named).toEqual([second2, second].map((item) => wire.bytesToHex(wire.hashToRosterName(item.hash))))
    expect(overtaken.map(({ hash }) => hash)).toEqual(hashesOf(second, second2))
    expect(hashes()).toEqual(hashesOf(first, rival, afterRival))
    expect(disk.rosters.size).toBe(3)
    // Known now, so no peer is asked again.
    expect(await subject.fetchNamed(fetch, wire.hashToRosterName(second2.hash))).toBe(true)
    expect(named).toHaveLength(2)
  })

  it('finds the fork when a name leads to another founding roster', async () => {
    const { subject, disk, hashes } = follower(form)
    await subject.follow(peer(encode, [first]).fetch)
    const fetch: wire.FetchNamed = async () => encode(otherFounding)
    await expect(subject.fetchNamed(fetch, wire.hashToRosterName(otherFounding.hash))).rejects.toThrow(forkedAt(0))
    expect(disk.fork).toEqual(encode(otherFounding))
    expect(hashes()).toEqual(hashesOf(first))
  })

  it('gives a name up that no peer knows, that never leads to a known roster, or whose roster is uncertified', async () => {
    const { subject } = follower(form)
    await subject.follow(peer(encode, [first]).fetch)
    const name = wire.hashToRosterName(second.hash)
    expect(await subject.fetchNamed(async () => undefined, name)).toBe(false)
    let asked = 0
    const endless: wire.FetchNamed = async () => {
      asked++
      return encode(fourth)
    }
    expect(await subject.fetchNamed(endless, name)).toBe(false)
    expect(asked).toBe(wire.LOOK_BACK_MAX)
    await expect(subject.fetchNamed(async () => encode(withVotes(second, 4)), name)).rejects.toThrow(bad(/votes/))
    // Another roster than the one that was asked for is no answer.
    expect(await subject.fetchNamed(async () => encode(second), wire.hashToRosterName(twin.hash))).toBe(false)
  })

  it('restores the kept rosters after a restart without asking a peer', async () => {
    const { subject, disk } = follower(form)
    await subject.follow(peer(encode, [first, second]).fetch)
    const again = follower(form, disk)
    await again.subject.restore()
    expect(again.hashes()).toEqual(hashesOf(first, second))
    await again.subject.restore()
    expect(again.hashes()).toEqual(hashesOf(first, second))
    const { fetch, asked } = peer(encode, [first, second, third])
    await again.subject.follow(fetch)
    expect(asked).toEqual([2, 3])
  })

  it('ignores a kept roster of an overtaken branch and refuses a kept record that is damaged', async () => {
    const { subject, disk, hashes } = follower(form)
    for (const [height, roster] of [first, rival, third].entries()) disk.rosters.set(height, asCertificate(roster))
    await subject.restore()
    expect(hashes()).toEqual(hashesOf(first, rival))
    disk.rosters.set(1, asCertificate(rival).slice(1))
    await expect(follower(form, disk).subject.restore()).rejects.toThrow(bad(/./))
  })

  it('takes nothing when the roster cannot be kept, and takes the roster when it comes again', async () => {
    const disk = emptyDisk()
    let isFull = true
    const { subject, taken, hashes } = follower(form, disk, async (kept) => {
      if (isFull) throw new Error('no space left')
      for (const { height, bytes } of kept) disk.rosters.set(height, bytes)
    })
    const { fetch } = peer(encode, [first, second])
    await expect(subject.follow(fetch)).rejects.toThrow('no space left')
    expect([hashes(), taken]).toEqual([[], []])
    isFull = false
    await subject.follow(fetch)
    expect(hashes()).toEqual(hashesOf(first, second))
  })

  it('takes a roster once when several peers send it at the same time, and does not look back for it', async () => {
    const { subject, taken } = follower(form)
    const peers = Array.from({ length: 4 }, () => peer(encode, [first, second]))
    await Promise.all(peers.map(({ fetch }) => subject.follow(fetch)))
    expect(taken.map(({ hash }) => hash)).toEqual(hashesOf(first, second))
    for (const { asked } of peers) expect(asked).toEqual([...asked].sort())
  })

  it('finds a fork by looking back, keeps the second roster, and takes nothing after that, also after a restart', async () => {
    const { subject, disk, hashes } = follower(form)
    await subject.follow(peer(encode, [first, second, third]).fetch)
    const afterTwin = nextTestRoster(twin)
    const { fetch, asked } = peer(encode, [first, twin, afterTwin, nextTestRoster(afterTwin)])
    await expect(subject.follow(fetch)).rejects.toThrow(forkedAt(1))
    expect(asked).toEqual([3, 2, 1])
    expect(disk.fork).toEqual(encode(twin))
    const again = follower(form, disk)
    await again.subject.restore()
    for (const item of [subject, again.subject]) {
      expect(item.fork).toEqual(encode(twin))
      await item.follow(peer(encode, [first, second, third, fourth]).fetch)
    }
    expect([hashes(), again.hashes()]).toEqual([hashesOf(first, second, third), hashesOf(first, second, third)])
  })

  it('keeps a fork that the newest roster of a peer makes after its branch was overtaken', async () => {
    const { subject, disk } = follower(form)
    await subject.follow(peer(encode, [first, rival]).fetch)
    // `second` is overtaken by `rival`. The roster that follows `second` has the period of `rival`.
    const fork = nextTestRoster(second, { firstEpoch: rival.roster.firstEpoch })
    const { fetch, asked } = peer(encode, [first, second, fork])
    await expect(subject.follow(fetch)).rejects.toThrow(forkedAt(2))
    expect(asked).toEqual([2, 1])
    expect(disk.fork).toEqual(encode(fork))
  })

  it('changes to the branch for the later period when it looks back, and keeps that branch', async () => {
    const { subject, disk, hashes } = follower(form)
    await subject.follow(peer(encode, [first, second]).fetch)
    const { fetch, asked } = peer(encode, [first, rival, afterRival])
    await subject.follow(fetch)
    expect(asked).toEqual([2, 1, 3])
    expect(hashes()).toEqual(hashesOf(first, rival, afterRival))
    const again = follower(form, disk)
    await again.subject.restore()
    expect(again.hashes()).toEqual(hashes())
  })

  it('takes nothing from a peer that sends uncertified rosters, and goes on with the next peer', async () => {
    const { subject, disk, hashes } = follower(form)
    await subject.follow(peer(encode, [first, second]).fetch)
    const liar = peer(encode, [first, second, withVotes(third, 4)])
    await expect(subject.follow(liar.fetch)).rejects.toThrow(bad(/votes/))
    const forger = peer(encode, [first, withVotes(twin, 4), nextTestRoster(twin)])
    await expect(subject.follow(forger.fetch)).rejects.toThrow(bad(/another roster/))
    // The forger agrees with us at height 0.
    expect(forger.asked).toEqual([2, 1, 0])
    expect([hashes(), disk.fork]).toEqual([hashesOf(first, second), undefined])
    await subject.follow(peer(encode, [first, second, third]).fetch)
    expect(hashes()).toEqual(hashesOf(first, second, third))
  })

  it('leaves a peer that answers every height with a known roster after one request more', async () => {
    const { subject, hashes } = follower(form)
    await subject.follow(peer(encode, [first, second]).fetch)
    let asked = 0
    await subject.follow(async () => {
      asked++
      return encode(first)
    })
    expect(asked).toBe(2)
    expect(hashes()).toEqual(hashesOf(first, second))
  })

  it('leaves a peer whose rosters part from ours more than 30 heights back', async () => {
    const { subject, disk } = follower(form)
    await subject.add(form.decode(encode(first)))
    let asked = 0
    const unknown = nextTestRoster(nextTestRoster(twin))
    await subject.lookBack(async () => {
      asked++
      return encode(unknown)
    }, 100)
    expect(asked).toBe(wire.LOOK_BACK_MAX)
    expect(disk.fork).toBeUndefined()
  })
})

describe('a roster follower with a peer that never ends', () => {
  it('takes at most 4,000 rosters in one call', async () => {
    // A chain that accepts everything stands for endless certified rosters.
    const all: wire.CertifiedRoster[] = []
    const empty = { overtaken: [], nextHeight: 0, predecessor: wire.manifestToPredecessor(manifest) }
    const chain = { ...wire.rosterChain(manifest), ...empty }
    const endless: wire.RosterForm<wire.CertifiedRoster> = {
      decode: () => first,
      encode: () => new Uint8Array(0),
      previous: () => chain.predecessor.hash,
      check: () => [first],
    }
    const taking = Object.assign(chain, { take: (path: readonly wire.CertifiedRoster[]) => void all.push(...path) })
    const records = {
      ...{ first: async () => 0, get: async () => undefined, put: async () => {} },
      ...{ getFork: async () => undefined, putFork: async () => {} },
    }
    const subject = new wire.RosterFollower({ chain: taking, form: endless, records, turn: (task) => task() })
    await subject.follow(async () => new Uint8Array(0))
    expect(all).toHaveLength(wire.CATCH_UP_MAX)
  })
})
