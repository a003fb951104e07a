/** A peer that reads its answers is never stopped. A peer that does not is stopped soon. PROTOCOL.md §6.5. */

import { STREAMS_PER_CONNECTION } from '@geotrace/core-wasm/transport'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { STREAMS_PER_PING, STREAMS_UNREAD_MAX, unreadGauge } from '../../../src/net/guard/unread.ts'

const numbers = (): (() => number) => {
  let n = 0
  return () => ++n
}

it('a peer that reads its answers in order may open any number of streams, however late it reads', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 500 }), (steps) => {
      const gauge = unreadGauge(numbers())
      // Answers and pings sent to the peer, the oldest first.
      const sent: ('answer' | number)[] = []
      const open = () => sent.filter((item) => item === 'answer').length
      for (const isReading of steps) {
        if (isReading || open() === STREAMS_PER_CONNECTION) {
          const item = sent.shift()
          if (typeof item === 'number') expect(gauge.answered(item)).toBe(true)
        } else {
          const opened = gauge.opened()
          if (opened === false) throw new Error('stopped')
          // The ping goes out before the answer of the stream that caused it.
          if (opened.ping !== undefined) sent.push(opened.ping)
          sent.push('answer')
        }
      }
    }),
  )
})

it('a peer that answers no ping, or a wrong one, is stopped after 16 further streams', () => {
  const gauge = unreadGauge(numbers())
  for (let i = 1; i < STREAMS_PER_PING; i++) expect(gauge.opened()).toEqual({})
  expect(gauge.opened()).toEqual({ ping: 1 })
  expect(gauge.answered(2)).toBe(false)
  for (let i = 0; i < STREAMS_UNREAD_MAX; i++) expect(gauge.opened()).toEqual({})
  expect(gauge.opened()).toBe(false)
})

it('the answer to a ping counts once', () => {
  const gauge = unreadGauge(numbers())
  expect(gauge.answered(0)).toBe(false)
  for (let i = 0; i < STREAMS_PER_PING; i++) gauge.opened()
  expect(gauge.answered(1)).toBe(true)
  expect(gauge.answered(1)).toBe(false)
})
