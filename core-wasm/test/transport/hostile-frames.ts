/**
 * Frames of yamux that only an attacker sends, as one suite for both sides of a connection. PROTOCOL.md §6.5. The node runs
 * the suite against its host, which accepts connections, and the client against its session, which opens them.
 */
import { randomInt } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { ACK, DATA, frame, GO_AWAY, names, PING, RST, type rawPeer, SYN, WINDOW_UPDATE } from '../../bench/raw-peer.js'
import { xorshift } from '../wire/fuzz.ts'

export type RawPeer = Omit<Awaited<ReturnType<typeof rawPeer>>, 'stop'>

/** The side under test and the attacker at the other end of one of its connections. */
export interface Attacked {
  readonly peer: RawPeer
  /** The id of a stream that carries a request, which is not answered yet. */
  readonly streamId: number
  /** The lowest id of a stream that the attacker may open. */
  readonly firstId: number
  /** Completes the exchange on that stream, as a conforming peer does. */
  complete(): Promise<void>
  /** The side under test exchanges a request with another, honest peer. */
  expectWorking(): Promise<void>
  stop(): Promise<void>
}

const KIB = 1_024
const WINDOW_BYTES = 262_144
/** Bytes in transit when the side closed the connection, in sockets of both sides. */
const IN_TRANSIT_MAX_BYTES = 4_096 * KIB
const [SEQUENCES, FRAMES_MAX, PAYLOAD_MAX] = [Number(process.env.FUZZ_CONNECTIONS ?? 24), 24, 300]
type Random = ReturnType<typeof xorshift>

export function hostileFrames(side: string, open: () => Promise<Attacked>): void {
  const ends: (() => unknown)[] = []
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end()
  })
  const attack = async (): Promise<Attacked> => {
    const attacked = await open()
    ends.push(() => attacked.stop())
    return attacked
  }
  /** Sends until the connection is closed. Returns how many bytes it sent. */
  const until = async ({ peer }: Attacked, next: () => Uint8Array): Promise<number> => {
    let sent = 0
    while (peer.isOpen()) {
      const bytes = next()
      sent += bytes.length
      peer.send(bytes)
      await new Promise((resolve) => setImmediate(resolve))
    }
    await peer.closed
    return sent
  }

  describe(`${side} and the yamux frames of an attacker`, () => {
    it(`${side} survives a window that overflows 32 bits (CVE-2026-31814)`, async () => {
      const attacked = await attack()
      const { peer, streamId } = attacked
      peer.send(...Array.from({ length: 64 }, () => frame(WINDOW_UPDATE, 0, streamId, 0xffffffff)))
      await attacked.complete()
      await attacked.expectWorking()
    })

    it(`${side} closes a connection whose first frame is one byte beyond the window (CVE-2026-32314)`, async () => {
      const attacked = await attack()
      const { peer, firstId } = attacked
      peer.send(frame(DATA, SYN, firstId, WINDOW_BYTES + 1), new Uint8Array(WINDOW_BYTES + 1))
      await peer.closed
      await attacked.expectWorking()
    })

    it(`${side} closes a connection with a frame that announces 4 GiB before its content arrives`, async () => {
      const attacked = await attack()
      attacked.peer.send(frame(DATA, 0, attacked.streamId, 0xffffffff))
      expect(await until(attacked, () => new Uint8Array(16 * KIB))).toBeLessThan(IN_TRANSIT_MAX_BYTES)
      await attacked.expectWorking()
    })

    it(`${side} closes a connection with a frame that arrives in fragments of one byte`, async () => {
      const attacked = await attack()
      attacked.peer.send(frame(DATA, 0, attacked.streamId, 200_000))
      expect(await until(attacked, () => Uint8Array.of(1))).toBeLessThan(20_000)
      await attacked.expectWorking()
    })

    for (const [what, next] of [
      ['pings without a reader of their answers', () => frame(PING, SYN, 0, 1)],
      ['streams that are reset at once', (id: number) => Buffer.concat([opened(id), frame(WINDOW_UPDATE, RST, id, 0)])],
      ['empty frames', (_id: number, streamId: number) => frame(DATA, 0, streamId, 0)],
      ['frames of one byte', (_id: number, streamId: number) => frame(DATA, 0, streamId, 1, Uint8Array.of(0))],
      ['updates of an unused window', (_id: number, streamId: number) => frame(WINDOW_UPDATE, 0, streamId, 1)],
      ['frames of unopened streams', (id: number) => frame(DATA, 0, id, 1, Uint8Array.of(0))],
      [
        'whole windows on unopened streams',
        (id: number) => frame(DATA, 0, id, WINDOW_BYTES, new Uint8Array(WINDOW_BYTES)),
      ],
      ['streams above the bound of a connection', (id: number) => opened(id)],
      [
        'streams with a byte each',
        (id: number) => Buffer.concat([opened(id), frame(DATA, 0, id, 1, Uint8Array.of(0))]),
      ],
    ] as const) {
      it(`${side} closes a connection with a flood of ${what}`, async () => {
        const attacked = await attack()
        const { peer, firstId, streamId } = attacked
        peer.pause()
        let id = firstId
        const burst = (): Uint8Array => {
          const frames = [next((id += 2), streamId)]
          for (let i = 1; i < 16 && frames[0]!.length < KIB; i++) frames.push(next((id += 2), streamId))
          return Buffer.concat(frames)
        }
        expect(await until(attacked, burst)).toBeLessThan(4 * IN_TRANSIT_MAX_BYTES)
        await attacked.expectWorking()
      })
    }

    it(`${side} resets a stream with more bytes than the largest frame needs`, async () => {
      const attacked = await attack()
      const { peer, streamId } = attacked
      for (let sent = 0; sent < 2 * WINDOW_BYTES && peer.isOpen(); sent += 16 * KIB) {
        peer.send(frame(DATA, 0, streamId, 16 * KIB, new Uint8Array(16 * KIB)))
        await pause(1)
      }
      await expect.poll(() => !peer.isOpen() || (lastFlags(peer.received(), streamId) & RST) === RST).toBe(true)
      await attacked.expectWorking()
    })

    it(`${side} closes a connection with a malformed yamux frame`, async () => {
      for (const bytes of [
        Uint8Array.from({ length: 12 }, () => 0xff),
        frame(7, 0, 1, 0),
        frame(PING, 0, 5, 0),
        frame(PING, ACK, 0, 5),
        frame(GO_AWAY, 0, 0, 2),
      ]) {
        const attacked = await attack()
        attacked.peer.send(bytes)
        await attacked.peer.closed
        await attacked.expectWorking()
      }
    })

    it(`${side} keeps working whatever yamux frames a peer sends, in any order`, async () => {
      const seed = randomInt(1, 2 ** 32 - 1)
      const random = xorshift(seed)
      let received = 0
      for (let i = 0; i < SEQUENCES; i++) {
        const attacked = await attack()
        const { peer } = attacked
        const frames = Array.from({ length: 1 + random(FRAMES_MAX) }, () => anyFrame(random))
        await inFragments(random, Buffer.concat(frames), (fragment) => peer.send(fragment))
        if (random(10) < 7) await pause(random(10))
        received += peer.received().length
        if (i % 10 === 9) await attacked.expectWorking().catch((error) => expect.fail(`seed ${seed}: ${error}`))
        await ends.pop()?.()
      }
      // The side answered, so the frames did reach it.
      expect(received, `seed ${seed}`).toBeGreaterThan(SEQUENCES)
    })
  })
}

const opened = (id: number): Uint8Array => frame(WINDOW_UPDATE, SYN, id, 0)
const pick = <T>(random: Random, items: readonly T[]): T => items[random(items.length)]!

/** Content of a stream: protocol names and a frame, whole or cut anywhere, or random bytes. */
function payload(random: Random): Buffer<ArrayBuffer> {
  const request = Buffer.concat([names('/multistream/1.0.0', '/geotrace/salt/1'), Buffer.of(4, 1, 2, 3, 4)])
  const kind = random(4)
  if (kind === 0) return request
  if (kind === 1) return request.subarray(0, random(request.length))
  if (kind === 2) return names('/multistream/1.0.0', '/no/such/thing')
  return Buffer.from(Array.from({ length: random(PAYLOAD_MAX) }, () => random(256)))
}

/** A frame, mostly valid in itself. It uses few stream ids, so that frames of one stream meet. */
function anyFrame(random: Random): Uint8Array {
  const type = random(16) === 0 ? random(256) : random(4)
  const flags = pick(random, [0, 0, 1, 1, 1, 2, 4, 4, 8, 5, 12, random(0x10000)])
  const id = pick(random, [0, 1, 1, 3, 3, 5, 7, 2, 4, random(2 ** 32)])
  if (type !== 0) return frame(type, flags, id, pick(random, [0, 0, 1, WINDOW_BYTES, random(2 ** 32)]))
  const body = payload(random)
  const length = random(24) === 0 ? random(2 ** 20) : body.length
  return frame(type, flags, id, length, body)
}

/** Sends all bytes in fragments, with pauses. */
export async function inFragments(
  random: Random,
  all: Uint8Array,
  send: (fragment: Uint8Array) => boolean,
): Promise<void> {
  for (let left = all; left.length > 0; ) {
    const length = random(2) === 0 ? left.length : 1 + random(left.length)
    if (!send(left.subarray(0, length))) return
    left = left.subarray(length)
    if (random(2) === 0) await pause(random(4))
  }
}

/** Flags of all frames that yamux sent for a stream. */
export function lastFlags(bytes: Uint8Array, id: number): number {
  const buffer = Buffer.from(bytes)
  let flags = 0
  for (let at = 0; at + 12 <= buffer.length; ) {
    if (buffer.readUInt32BE(at + 4) === id) flags |= buffer.readUInt16BE(at + 2)
    at += 12 + (buffer[at + 1] === DATA ? buffer.readUInt32BE(at + 8) : 0)
  }
  return flags
}
