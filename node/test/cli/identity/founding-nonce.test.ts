import { chmod, mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  assertFrozenManifest,
  bytesToHex,
  type FrozenManifest,
  manifestToId,
  nonceToCommitment,
} from '@geotrace/core-wasm/wire'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { assertOwnCommitment, freshCommitment, openNonce } from '../../../src/cli/identity/founding-nonce.ts'
import { createIdentity, identityToCard } from '../../../src/cli/identity/identity.ts'
import { demoCard, type MemberCard, newManifest } from '../../../src/membership/new-manifest.ts'
import { systemRandom } from '../../../src/platform/random.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'geotrace-nonce-'))
  await chmod(dir, 0o700)
})
afterEach(() => rm(dir, { recursive: true, force: true }))

const init = async (addresses = ['/ip4/203.0.113.1/tcp/4101']): Promise<MemberCard> =>
  identityToCard(await createIdentity(dir, systemRandom), 'ash', addresses, await freshCommitment(dir, systemRandom))
const stranger = (name: string, n: number) => demoCard('a phrase for tests', name, [`/ip4/203.0.113.${n}/tcp/4101`])
/** The manifest that a founder freezes from this card and two others. */
const freeze = (card: MemberCard, at = 0): FrozenManifest =>
  newManifest({
    ...{ name: 'test', members: [card, stranger('birch', 2)] },
    central: { ...stranger('office', 3), seal: '09'.repeat(32) },
    ...{ parameters: { replicas: 2, threshold: 2 }, at },
  })
const refusal = async (work: () => unknown): Promise<string> => {
  try {
    await work()
    return 'accepted'
  } catch (error) {
    expect(error).toMatchObject({ code: 'COMMAND_INVALID' })
    return (error as Error).message
  }
}

describe('the nonce of a card', () => {
  it('a second init keeps the nonce, and init after an opening makes a new one', async () => {
    const card = await init()
    expect((await init(['/ip4/203.0.113.9/tcp/1'])).commitment).toBe(card.commitment)
    expect((await stat(join(dir, 'founding.nonce'))).mode & 0o777).toBe(0o600)
    const nonce = await openNonce(dir, freeze(card), card)
    expect(bytesToHex(nonceToCommitment(nonce))).toBe(card.commitment)
    const fresh = await init()
    expect(fresh).toMatchObject({ peerId: card.peerId, operatorKey: card.operatorKey })
    expect(fresh.commitment).not.toBe(card.commitment)
  })

  it('a nonce opens for one federation only, and for that one again and again', async () => {
    const card = await init()
    const [first, second] = [freeze(card), freeze(card, 1)]
    const nonce = await openNonce(dir, first, card)
    expect(await openNonce(dir, first, card)).toEqual(nonce)
    const id = bytesToHex(manifestToId(first))
    expect(await readFile(join(dir, 'founding.opened'), 'utf8')).toBe(`${card.commitment} ${id}\n`)
    expect(await refusal(() => openNonce(dir, second, card))).toContain(`opened for federation ${id.slice(0, 16)}`)
    // The new card of a second init serves the second founding, and no longer the first one.
    const fresh = await init()
    expect(await openNonce(dir, freeze(fresh, 1), fresh)).not.toEqual(nonce)
    expect(await refusal(() => openNonce(dir, first, card))).toMatch(/another commitment/)
  })

  it('a member opens only for a manifest that names its card unchanged', async () => {
    const card = await init()
    const frozen = freeze(card)
    const changed = (more: Partial<FrozenManifest['central']>): FrozenManifest =>
      assertFrozenManifest({ ...frozen, members: [{ ...frozen.members[0]!, ...more }, frozen.members[1]] })
    const open = (manifest: FrozenManifest) => refusal(() => openNonce(dir, manifest, card))
    expect(await open(changed({ commitment: '11'.repeat(32) }))).toMatch(/another commitment than the card/)
    expect(await open(changed({ addresses: ['/ip4/203.0.113.7/tcp/1'] }))).toMatch(/other addresses/)
    expect(await open(changed({ peerId: stranger('cedar', 4).peerId }))).toMatch(/another peer id/)
    const [, birch, office] = frozen.operators
    const operators = [{ name: 'ash', key: '22'.repeat(32) }, birch, office]
    expect(await open(assertFrozenManifest({ ...frozen, operators }))).toMatch(/another operator/)
    expect(await open(frozen)).toBe('accepted')
    await rm(join(dir, 'founding.nonce'))
    expect(await open(frozen)).toMatch(/no founding\.nonce/)
  })

  it('a node refuses to run under a manifest that names it with the commitment of somebody else', async () => {
    const card = await init()
    const frozen = freeze(card)
    const { peerId } = card
    const replaced = freeze({ ...card, commitment: '11'.repeat(32) })
    expect(await refusal(() => assertOwnCommitment(dir, replaced, peerId))).toMatch(/another commitment than the card/)
    assertOwnCommitment(dir, frozen, peerId)
    // Init made a new card after the founding. A node that joined later has no entry.
    await openNonce(dir, frozen, card)
    await init()
    assertOwnCommitment(dir, frozen, peerId)
    assertOwnCommitment(dir, replaced, stranger('cedar', 4).peerId)
    await rm(join(dir, 'founding.nonce'))
    assertOwnCommitment(dir, replaced, peerId)
  })
})
